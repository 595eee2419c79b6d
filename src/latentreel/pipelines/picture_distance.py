"""What an inversion makes small: how far a drawn picture is from a given one (MoCoGAN-HD, Tian et al. 2021, Eq. 8).

The paper adds up pixels and the features of a VGG, whose weights cannot be given away with this package: they come by file. Without
them the features of a discriminator stand in, and without one, pixels at several sizes alone.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from latentreel.core.errors import InputError
from latentreel.image_generators.stylegan2.discriminator import StyleGAN2Discriminator
from latentreel.losses.multi_scale import multi_scale_distance
from latentreel.metrics.perceptual_distance import PerceptualDistance
from latentreel.nn.patch_network import shrink_to

NOT_FINITE = "no picture of the search is at a finite distance; the model's weights or those of the distance are damaged"
LARGEST_SEEN = 256
"""Rows to which larger pictures are shrunk before a VGG sees them (Karras et al. 2020, StyleGAN2, App. D)."""


@dataclass(frozen=True, kw_only=True)
class PictureDistance:
    """Pixels at several sizes, and what networks see, if any are given."""

    perceptual: PerceptualDistance | None = None
    """LPIPS of a VGG."""

    discriminator: nn.Module | None = None
    """Its features: of a StyleGAN2, of the generator's resolution."""

    feature_weight: float = 1.0
    """What a network's distance is multiplied by; pixels count 1."""

    def __post_init__(self) -> None:
        if self.discriminator is not None and not isinstance(self.discriminator, StyleGAN2Discriminator):
            given = type(self.discriminator).__name__
            raise InputError("features are taken of a StyleGAN2's discriminator", given=given, fix="leave it out")
        if not 0 <= self.feature_weight < float("inf"):
            raise InputError("the weight of features is out of range", given=self.feature_weight, allowed="0 or more")

    def check(self, resolution: int) -> None:
        """Raises an `InputError` where a network is for pictures of another size."""
        if isinstance(self.discriminator, StyleGAN2Discriminator) and self.discriminator.config.resolution != resolution:
            given = f"{self.discriminator.config.resolution} px"
            raise InputError("the discriminator is for another resolution", given=given, allowed=f"{resolution} px")

    @property
    def name(self) -> str:
        """What it adds up, in words."""
        parts = ["pixels at several sizes"]
        parts += [] if self.perceptual is None else [f"LPIPS of {self.perceptual.path.name}"]
        parts += [] if self.discriminator is None else ["features of a discriminator"]
        return " + ".join(parts)

    def __call__(self, pictures: Tensor, target: Tensor, *, finest: int | None = None) -> Tensor:
        """Distances [N], with gradients.

        Args:
            pictures: [N, 3, H, W] in [-1, 1].
            target: [1, 3, H, W].
            finest: Pixels of sizes above this number of rows are left out, and networks, too; None for none.

        Raises:
            InputError: A network does not fit the pictures.
        """
        total = multi_scale_distance(pictures, target, finest=finest)
        if finest is not None:
            return total
        if self.perceptual is not None:
            seen = shrink_to(pictures, LARGEST_SEEN)
            given = shrink_to(target, LARGEST_SEEN).expand_as(seen)
            total = total + self.feature_weight * self.perceptual.between(seen, given)
        if isinstance(self.discriminator, StyleGAN2Discriminator):
            total = total + self.feature_weight * _feature_distance(self.discriminator, pictures, target)
        return total


def _feature_distance(discriminator: StyleGAN2Discriminator, pictures: Tensor, target: Tensor) -> Tensor:
    """Squared difference of each block's features over the mean square of the target's, averaged over blocks, [N]."""
    with torch.no_grad():
        wanted = discriminator.features(target)
    parts = []
    for found, goal in zip(discriminator.features(pictures), wanted, strict=True):
        size = goal.float().square().mean()
        parts.append((found.float() - goal.float()).square().mean(dim=(1, 2, 3)) / size.clamp_min(1e-8))
    return torch.stack(parts).mean(dim=0)
