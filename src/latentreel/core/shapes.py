"""Shape checks at the edge, in the letters of the house: N clips, T frames, C channels, H, W, D latent, K components, L layers."""

from typing import Protocol

import torch

from latentreel.core.errors import InputError


class Shaped(Protocol):
    """A tensor, or what stands for one."""

    @property
    def shape(self) -> torch.Size:
        """Its sizes."""
        ...

    @property
    def ndim(self) -> int:
        """How many axes it has."""
        ...


def check_shape(tensor: Shaped, layout: str, *, name: str, **sizes: int) -> None:
    """Raises if a tensor does not have the layout.

    Args:
        tensor: The tensor to look at.
        layout: Axis letters or numbers, e.g. `"N T 3 H W"`.
        name: What the tensor is, for the message.
        sizes: Known axis sizes, e.g. `D=512`; a letter without one may have any size.

    Raises:
        InputError: The shape is another; the message shows expected and given.
    """
    axes = layout.split()
    expected = [int(axis) if axis.isdigit() else sizes.get(axis) for axis in axes]
    fits = tensor.ndim == len(axes) and all(want in (None, have) for want, have in zip(expected, tensor.shape, strict=False))
    if not fits:
        shown = ", ".join(f"{a}={e}" if e is not None and not a.isdigit() else a for a, e in zip(axes, expected, strict=True))
        raise InputError(f"{name} has the wrong shape", given=list(tensor.shape), allowed=f"[{shown}]")
