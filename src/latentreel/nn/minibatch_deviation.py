"""Minibatch standard deviation: lets a discriminator see how varied a batch is (Karras et al. 2018, Sec. 3)."""

import torch
from torch import Tensor


def minibatch_deviation(x: Tensor, *, group_size: int = 4) -> Tensor:
    """Appends one channel that holds the mean standard deviation over each group of samples.

    Sample n belongs to the group of all samples equal to n modulo N / group_size.

    Args:
        x: [N, C, H, W].
        group_size: Samples in a group; the largest divisor of N that does not exceed it is used.

    Returns:
        [N, C + 1, H, W].
    """
    n, c, h, w = x.shape
    size = next(g for g in range(min(group_size, n), 0, -1) if n % g == 0)
    groups = x.reshape(size, n // size, c, h, w)
    deviation = (groups.var(dim=0, correction=0) + 1e-8).sqrt().mean(dim=[1, 2, 3])  # [N / size]
    channel = deviation.repeat(size)[:, None, None, None].expand(n, 1, h, w)
    return torch.cat([x, channel], dim=1)
