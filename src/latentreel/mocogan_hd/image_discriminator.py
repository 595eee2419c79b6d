"""Image discriminators D_I: they watch that a clip's frames keep the content of the first one.

MoCoGAN-HD (Tian et al. 2021), Sec. 3.2. Here is the in-domain one of the released program: a patch discriminator on pairs of
frames. The contrastive discriminator of Eq. 5 and 6 belongs into this file.
"""

import torch
from torch import Tensor

from latentreel.core.shapes import check_shape
from latentreel.mocogan_hd.video_discriminator import LARGEST_INPUT
from latentreel.nn.patch_network import MultiScalePatchDiscriminator, shrink_to


class PairDiscriminator(MultiScalePatchDiscriminator):
    """D_I, in-domain, as released: sees a clip's first frame and a later one, stacked on their channels."""

    def __init__(self, *, base_width: int = 64) -> None:
        super().__init__(axes=2, in_channels=6, base_width=base_width)

    def present(self, clips: Tensor, draws: Tensor) -> Tensor:
        """The first frame of each clip and one later frame.

        Args:
            clips: [N, T, 3, H, W].
            draws: Uniform in [0, 1), one per clip, [N]; they choose the later frame.

        Returns:
            [N, 6, h, w].
        """
        check_shape(clips, "N T 3 H W", name="clips")
        later = 1 + (draws * (clips.shape[1] - 1)).floor().long()
        chosen = clips[torch.arange(len(clips), device=clips.device), later.to(clips.device)]
        return shrink_to(torch.cat([clips[:, 0], chosen], dim=1), LARGEST_INPUT)
