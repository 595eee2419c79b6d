"""`Direction`: one way to change a picture, a straight line in latent space, given along the latent basis.

MoCoGAN-HD (Tian et al. 2021), App. E.1: walking one component changes one kind of thing.
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
class Direction:
    """A change of latents."""

    coefficients: Tensor
    """[K], in standard deviations along each component."""

    basis: str
    """Digest of the basis: along another the numbers would mean another change."""

    def __post_init__(self) -> None:
        check_shape(self.coefficients, "K", name="the direction's coefficients")
        if not torch.isfinite(self.coefficients).all():
            raise InputError("the direction holds numbers that are not finite")

    @classmethod
    def component(cls, basis: LatentBasis, index: int) -> Self:
        """One component of a basis, one standard deviation long.

        Raises:
            InputError: There is no such component.
        """
        count = len(basis.components)
        if not 0 <= index < count:
            raise InputError("there is no such component", given=index, allowed=f"0 to {count - 1}")
        return cls(torch.eye(count)[index], weights_digest(basis.tensors()))

    def along(self, basis: LatentBasis) -> Tensor:
        """The direction in latent space, [D].

        Raises:
            InputError: It was found along another basis, or has another number of components.
        """
        if weights_digest(basis.tensors()) != self.basis:
            raise InputError(
                "this direction belongs to a model with another latent basis",
                allowed="directions of models that share image generator and basis",
                fix="find it anew with this model",
            )
        check_shape(self.coefficients, "K", name="the direction's coefficients", K=len(basis.components))
        return self.coefficients @ basis.directions
