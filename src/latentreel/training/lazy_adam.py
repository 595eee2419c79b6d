"""The optimiser of networks that are regularised every few steps only (StyleGAN2, App. B)."""

import torch
from torch import nn


def lazy_adam(module: nn.Module, learning_rate: float, interval: int | None) -> torch.optim.Adam:
    """Adam with betas (0, 0.99); slowed to make up for the extra steps of a lazy penalty.

    Args:
        module: Whose parameters are trained.
        learning_rate: As if there were no extra steps.
        interval: Steps between two penalties; None: there are none.
    """
    ratio = 1.0 if interval is None else interval / (interval + 1)
    return torch.optim.Adam(module.parameters(), lr=learning_rate * ratio, betas=(0.0, 0.99**ratio), eps=1e-8, fused=True)
