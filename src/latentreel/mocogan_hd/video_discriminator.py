"""`VideoDiscriminator`: judges the motion of a clip, patch by patch, at two scales.

MoCoGAN-HD (Tian et al. 2021), Sec. 3.1, Eq. 4; layers: Tab. 6; inputs: App. A.2.1.
"""

from typing import Literal

import torch
from torch import Tensor

from latentreel.core.shapes import check_shape
from latentreel.nn.patch_network import MultiScalePatchDiscriminator, shrink_to

Domain = Literal["in", "cross"]
Sees = Literal["frames", "changes"]
LARGEST_INPUT = 128  # App. A.2.1
CHANGE_GAIN = 10.0  # pixels change by some hundredths from frame to frame: brings changes to the range of pixels


class VideoDiscriminator(MultiScalePatchDiscriminator):
    """D_V. In-domain it sees every frame beside the clip's first one; cross-domain the frames alone, or how they change."""

    def __init__(self, *, domain: Domain = "in", base_width: int = 64, sees: Sees = "frames") -> None:
        """Builds the network.

        Args:
            domain: Whether the videos that it learns from show what is generated.
            base_width: Feature maps after the first layer.
            sees: Cross-domain: frames, as in the paper; or changes, from each frame to the next. The more the domains look apart,
                the less is left for motion in what tells their frames apart; their changes differ less.
        """
        super().__init__(axes=3, in_channels=6 if domain == "in" else 3, base_width=base_width)
        self.domain = domain
        self.sees = sees
        self.hidden_frames = 1 if domain == "in" or sees == "changes" else 0

    def present(self, clips: Tensor) -> Tensor:
        """Clips [N, T, 3, H, W] as the network takes them: [N, 6, T - 1, h, w] in-domain, [N, 3, T (- 1), h, w] cross-domain."""
        check_shape(clips, "N T 3 H W", name="clips")
        clips = shrink_to(clips, LARGEST_INPUT).transpose(1, 2)  # [N, 3, T, h, w]
        if self.domain == "cross":
            return clips if self.sees == "frames" else (clips[:, :, 1:] - clips[:, :, :-1]) * CHANGE_GAIN
        first = clips[:, :, :1].expand(-1, -1, clips.shape[2] - 1, -1, -1)
        return torch.cat([first, clips[:, :, 1:]], dim=1)


def reverse_some(clips: Tensor, draws: Tensor) -> Tensor:
    """Plays those clips [N, T, ...] backwards whose draw [N] is below 1/2."""
    backwards = (draws < 0.5).reshape(-1, *[1] * (clips.ndim - 1))
    return torch.where(backwards, clips.flip(1), clips)
