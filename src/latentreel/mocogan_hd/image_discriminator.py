"""Image discriminators D_I: they watch that a clip's frames keep the content of the first one.

MoCoGAN-HD (Tian et al. 2021), Sec. 3.2. In-domain, as released, a patch discriminator on pairs of frames; cross-domain a
BigGAN-style network on single frames, whose projections serve the contrastive loss (Eq. 5 and 6).
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from latentreel.core.errors import InputError
from latentreel.core.precision import compute_dtype
from latentreel.core.shapes import check_shape
from latentreel.mocogan_hd.video_discriminator import LARGEST_INPUT
from latentreel.nn.patch_network import MultiScalePatchDiscriminator, shrink_to
from latentreel.nn.spectral_norm import NormedConv2d, NormedLinear


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
        return shrink_to(torch.cat([clips[:, 0], later_frame(clips, draws)], dim=1), LARGEST_INPUT)


def later_frame(clips: Tensor, draws: Tensor, *, first: int = 1) -> Tensor:
    """One frame of each clip, [N, T, ...] to [N, ...].

    Args:
        clips: [N, T, ...].
        draws: Uniform in [0, 1), one per clip, [N]; they choose the frame.
        first: The earliest frame that may be chosen; by default the one after the first frame.
    """
    chosen = first + (draws * (clips.shape[1] - first)).floor().long()
    return clips[torch.arange(len(clips), device=clips.device), chosen.to(clips.device)]


class Judgement(NamedTuple):
    """What the cross-domain D_I says of pictures."""

    logits: Tensor
    """High means: a first frame. [N, 1]."""

    projections: Tensor
    """Features for the contrastive loss. [N, P]."""


BLOCK_WIDTHS = {
    16: (1, 2, 4),
    32: (1, 2, 4, 8),
    64: (1, 2, 4, 8, 16),
    128: (1, 2, 4, 8, 16, 16),
    256: (1, 2, 4, 8, 8, 16, 16),
}
"""Feature maps after each block, in base widths, by resolution (BigGAN, App. B; App. A.2.2 of MoCoGAN-HD; below 64 ours)."""

RESOLUTION_OF_BLOCKS = {len(widths): resolution for resolution, widths in BLOCK_WIDTHS.items()}
"""The resolution of a network by its number of blocks."""


def largest_input(resolution: int) -> int:
    """The size at which the network looks at pictures of a resolution: theirs, or the largest that it is made for.

    Raises:
        InputError: They are smaller than any network takes.
    """
    fitting = [size for size in BLOCK_WIDTHS if size <= resolution]
    if not fitting:
        raise InputError(
            "the pictures are too small for the contrastive image discriminator",
            given=f"{resolution} px",
            allowed=f"{min(BLOCK_WIDTHS)} px or more",
        )
    return max(fitting)


class ContrastiveDiscriminator(nn.Module):
    """D_I, cross-domain: a BigGAN discriminator without attention, with a logit and a projection head."""

    def __init__(self, *, resolution: int = 128, base_width: int = 96, projection_dim: int = 256) -> None:
        """Builds the network.

        Args:
            resolution: Height and width of the pictures.
            base_width: Feature maps of the first block.
            projection_dim: P, width of the features behind the last block.

        Raises:
            InputError: There is no network for this resolution.
        """
        super().__init__()
        if resolution not in BLOCK_WIDTHS:
            raise InputError(
                "no image discriminator has this resolution", given=resolution, allowed=", ".join(map(str, BLOCK_WIDTHS))
            )
        self.resolution = resolution
        self.base_width = base_width
        self.projection_dim = projection_dim
        widths = [3] + [base_width * factor for factor in BLOCK_WIDTHS[resolution]]
        last = len(widths) - 2
        self.blocks = nn.ModuleList(
            ContrastiveBlock(widths[i], widths[i + 1], first=i == 0, halve=i != last) for i in range(last + 1)
        )
        self.embed = NormedLinear(widths[-1], projection_dim)
        self.output = NormedLinear(projection_dim, 1)
        self.project = nn.Sequential(
            NormedLinear(projection_dim, projection_dim), nn.ReLU(), NormedLinear(projection_dim, projection_dim)
        )

    def present(self, images: Tensor) -> Tensor:
        """Pictures [N, 3, H, W] at the size that the network takes."""
        return shrink_to(images, self.resolution)

    def forward(self, images: Tensor) -> Judgement:
        """Pictures [N, 3, H, W] in [-1, 1] to logits [N, 1] and projections [N, P], float32.

        Raises:
            InputError: The pictures have another size.
        """
        check_shape(images, "N 3 H W", name="images", H=self.resolution, W=self.resolution)
        x = images.to(compute_dtype(images.device), memory_format=torch.channels_last)
        for block in self.blocks:
            x = block(x)
        features = F.relu(self.embed(F.relu(x).float().sum(dim=[2, 3])))
        return Judgement(self.output(features), self.project(features))


class ContrastiveBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut; halves the size by average pooling if asked to."""

    def __init__(self, in_channels: int, out_channels: int, *, first: bool, halve: bool) -> None:
        super().__init__()
        self.conv0 = NormedConv2d(in_channels, out_channels, 3)
        self.conv1 = NormedConv2d(out_channels, out_channels, 3)
        changes = halve or in_channels != out_channels
        self.shortcut = NormedConv2d(in_channels, out_channels, 1) if changes else None
        self.first = first
        self.halve = halve

    def forward(self, x: Tensor) -> Tensor:
        """[N, in, H, W] to [N, out, H, W] or half the size."""
        y = self.conv0(x if self.first else F.relu(x))
        y = self.conv1(F.relu(y))
        # Pooling and a 1x1 convolution commute: the cheaper order serves the first block and the others alike.
        y, shortcut = (F.avg_pool2d(y, 2), F.avg_pool2d(x, 2)) if self.halve else (y, x)
        return torch.add(y, shortcut if self.shortcut is None else self.shortcut(shortcut))
