"""The averaged copy of a network, which makes better pictures than the network itself (Karras et al. 2018, Sec. 4.1)."""

import copy
from typing import TypeVar

import torch
from torch import nn

M = TypeVar("M", bound=nn.Module)
RAMP = 0.05  # StyleGAN2: the half-life is at most this share of the items seen


def averaged_copy(module: M) -> M:
    """A copy in eval mode that takes no gradients."""
    return copy.deepcopy(module).eval().requires_grad_(False)


def update_average(average: nn.Module, module: nn.Module, *, batch_size: int, half_life: float, items_seen: int) -> None:
    """Moves an average toward its network.

    Args:
        average: Changed in place.
        module: The trained network.
        batch_size: Items since the last update.
        half_life: Items after which half of the old weight is gone.
        items_seen: Items since the start of the run; early on the half-life is shorter.
    """
    horizon = max(min(half_life, items_seen * RAMP), 1e-8)
    move_average(average, module, weight=1 - 0.5 ** (batch_size / horizon))


@torch.no_grad()
def move_average(average: nn.Module, module: nn.Module, *, weight: float) -> None:
    """Moves an average toward its network by a share `weight` of the difference; buffers are copied."""
    torch._foreach_lerp_(list(average.parameters()), list(module.parameters()), weight)
    for own, other in zip(average.buffers(), module.buffers(), strict=True):
        own.copy_(other)
