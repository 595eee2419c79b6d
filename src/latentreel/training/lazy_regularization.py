"""Networks that are regularised every few steps only: their optimiser, and a discriminator's turns (StyleGAN2, App. B)."""

from collections.abc import Callable

import torch
from torch import nn

from latentreel.training.phase import Batch, Outcome, Phase


def lazy_adam(module: nn.Module, learning_rate: float, interval: int | None) -> torch.optim.Adam:
    """Adam with betas (0, 0.99); slowed to make up for the extra steps of a lazy penalty.

    Args:
        module: Whose parameters are trained.
        learning_rate: As if there were no extra steps.
        interval: Steps between two penalties; None: there are none.
    """
    ratio = 1.0 if interval is None else interval / (interval + 1)
    return torch.optim.Adam(module.parameters(), lr=learning_rate * ratio, betas=(0.0, 0.99**ratio), eps=1e-8, fused=True)


def discriminator_phases(
    module: nn.Module,
    objective: Callable[[Batch], Outcome],
    r1_objective: Callable[[Batch], Outcome],
    *,
    learning_rate: float,
    r1_every: int,
) -> list[Phase]:
    """The two turns of a discriminator: D in every step, its R1 penalty in every few, with one optimiser."""
    optimizer = lazy_adam(module, learning_rate, r1_every)
    return [
        Phase(name="D", module=module, optimizer=optimizer, objective=objective),
        Phase(name="D_r1", module=module, optimizer=optimizer, objective=r1_objective, interval=r1_every),
    ]
