"""`Motion`: how a clip moves, apart from what it shows, so that another content can move the same way.

MoCoGAN-HD (Tian et al. 2021), Sec. 3.1: content is the first latent, motion the steps along the latent basis.
"""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from latentreel.core.digests import weights_digest
from latentreel.core.errors import InputError
from latentreel.core.shapes import check_shape
from latentreel.mocogan_hd.latent_basis import LatentBasis


@dataclass(frozen=True, eq=False)
class Motion:
    """Where each frame's latent lies from the first one, along a latent basis."""

    offsets: Tensor
    """[T, K], in standard deviations along each component; the first row is 0."""

    basis: str
    """Digest of the basis: along another the numbers would mean another motion."""

    fps: float
    """Frames per second it was made for."""

    def __post_init__(self) -> None:
        check_shape(self.offsets, "T K", name="the motion's offsets")
        if not len(self.offsets) or not torch.isfinite(self.offsets).all():
            raise InputError("the motion has no frames or holds numbers that are not finite", given=list(self.offsets.shape))
        if not 0 < self.fps < 1000:
            raise InputError("the motion's frame rate is out of range", given=self.fps, allowed="above 0 and below 1000")

    @classmethod
    def of(cls, latents: Tensor, basis: LatentBasis, *, fps: float) -> Self:
        """The motion of a trajectory [T, D]; what leaves the basis's directions is left out."""
        moved = (latents - latents[:1]).cpu() @ basis.components.T
        return cls(moved / basis.stdev, weights_digest(basis.tensors()), fps)

    def moved(self, w: Tensor, basis: LatentBasis, *, strength: float = 1.0) -> Tensor:
        """A content moved by it.

        Args:
            w: First latent [1, D].
            basis: The latent basis of the model that w belongs to.
            strength: What the offsets are multiplied by.

        Returns:
            [T, D].

        Raises:
            InputError: The motion was found along another basis, or has another number of components.
        """
        if weights_digest(basis.tensors()) != self.basis:
            raise InputError(
                "this motion belongs to a model with another latent basis",
                given=f"a motion along {self.offsets.shape[1]} components of another basis",
                allowed="motions of models that share image generator and basis",
                fix="record it anew with this model",
            )
        check_shape(self.offsets, "T K", name="the motion's offsets", K=len(basis.components))
        return w + strength * (self.offsets @ basis.directions).to(w.device)
