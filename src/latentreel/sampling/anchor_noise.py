"""`AnchorNoise`: a motion of a StyleGAN-V that is given, such as the one that a clip was projected to, instead of one from a seed.

StyleGAN-V (Skorokhodov et al. 2022), Sec. 3.1: noise at anchors in time is all that a motion is.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from latentreel.core.digests import weights_digest
from latentreel.core.errors import InputError
from latentreel.core.shapes import check_shape
from latentreel.stylegan_v.generator import StyleGANVGenerator
from latentreel.stylegan_v.motion_codes import NoiseWindow


@dataclass(frozen=True, eq=False)
class AnchorNoise:
    """Motion noise in a row; before and after it a seed says how motion goes on."""

    vectors: Tensor
    """[A, Z], on the CPU."""

    first: int
    """Place of the first of them in the endless row of motion noise."""

    generator: str
    """Digest of the generator: to another the numbers would be another motion."""

    num_frames: int
    """Frames of the clip that it was found in, at the model's rate from time 0 on."""

    def __post_init__(self) -> None:
        check_shape(self.vectors, "A Z", name="the motion noise")
        if not len(self.vectors) or not torch.isfinite(self.vectors).all():
            given = list(self.vectors.shape)
            raise InputError("the motion noise is empty or holds numbers that are not finite", given=given)
        if not (0 <= self.first < 2**31 and 1 <= self.num_frames < 2**31):
            raise InputError("the motion noise belongs to no clip", given=f"first {self.first}, {self.num_frames} frames")

    def require(self, generator: StyleGANVGenerator) -> None:
        """Raises an `InputError` unless it is a motion of this generator."""
        if weights_digest(generator.state_dict()) != self.generator:
            raise InputError("this motion belongs to another model", allowed="motions that were found with the same weights")
        check_shape(self.vectors, "A Z", name="the motion noise", Z=generator.config.motion_dim)

    def put_into(self, noise: Tensor, window: NoiseWindow) -> Tensor:
        """Noise of a window from a seed [1, M, Z], in which these vectors replace those of their places."""
        places = torch.arange(window.first, window.first + window.length) - self.first
        mine = (places >= 0) & (places < len(self.vectors))
        noise = noise.clone()
        noise[0, mine] = self.vectors[places[mine]].to(noise)
        return noise
