"""`GivenLatent`: a content that is a given latent, such as the one that a picture was inverted to, instead of one from a seed."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from latentreel.core.digests import weights_digest
from latentreel.core.errors import InputError


@dataclass(frozen=True, eq=False)
class GivenLatent:
    """A point among the latents of one image generator, and what else decides on its picture."""

    w: Tensor
    """[D], or one for each layer of a StyleGAN2, [L, D] (W+); on the CPU."""

    generator: str
    """Digest of the image generator: to another the numbers would be another picture."""

    label: int | None = None
    """Class, for generators that have classes."""

    noise_maps: tuple[Tensor, ...] = ()
    """Per-layer noise of a StyleGAN2, [1, 1, H_l, W_l] each; empty for none."""

    def __post_init__(self) -> None:
        if self.w.ndim not in (1, 2) or not all(torch.isfinite(part).all() for part in (self.w, *self.noise_maps)):
            raise InputError("a latent has the wrong form", given=list(self.w.shape), allowed="[D] or [L, D], finite numbers")

    @classmethod
    def of(cls, w: Tensor, generator: nn.Module, *, label: int | None = None, noise_maps: tuple[Tensor, ...] = ()) -> Self:
        """A latent [D], [1, D], [L, D] or [1, L, D] of a generator."""
        if len(w) == 1:
            w = w[0]
        maps = tuple(one.detach().cpu() for one in noise_maps)
        return cls(w.detach().cpu().float(), weights_digest(generator.state_dict()), label, maps)

    @property
    def centre(self) -> Tensor:
        """The latent, or the mean of those of the layers, [1, D]: what a motion generator starts from."""
        return self.w[None] if self.w.ndim == 1 else self.w.mean(dim=0, keepdim=True)

    @property
    def layers(self) -> Tensor | None:
        """How far each layer's latent is from the centre, [L, D]; None where all share one."""
        return None if self.w.ndim == 1 else self.w - self.centre

    def require(self, generator: nn.Module) -> Self:
        """The latent itself.

        Raises:
            InputError: It belongs to another image generator.
        """
        if weights_digest(generator.state_dict()) != self.generator:
            raise InputError(
                "this latent belongs to another image generator",
                allowed="latents that were found with the same weights",
                fix="invert the picture anew with this model",
            )
        return self
