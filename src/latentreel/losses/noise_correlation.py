"""Keeps noise maps noise: how alike neighbouring pixels are (Karras et al. 2020, StyleGAN2, App. D)."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

SMALLEST = 8  # App. D: maps are halved until they have 8 x 8 pixels


def noise_correlation(maps: Sequence[Tensor]) -> Tensor:
    """Squared correlation of each pixel with its right and its lower neighbour, over all maps and their halved copies.

    Args:
        maps: Each [1, 1, H, H], of mean 0 and deviation 1.

    Returns:
        A scalar; near 0 for white noise.
    """
    total = torch.zeros([], device=maps[0].device)
    for noise in maps:
        while True:
            for axis in (-1, -2):
                total = total + (noise * noise.roll(1, dims=axis)).mean().square()
            if noise.shape[-1] <= SMALLEST:
                break
            noise = F.avg_pool2d(noise, 2) * 2  # the sum of four of deviation 1 over 2 has deviation 1 again
    return total
