"""Minibatch standard deviation: lets a discriminator see how varied a batch is (Karras et al. 2018, Sec. 3)."""

import torch
from torch import Tensor


def minibatch_deviation(x: Tensor, *, group_size: int = 4, num_features: int = 1) -> Tensor:
    """Appends the mean standard deviation over each group of samples: one number, or one for each of some shares of the channels.

    Sample n belongs to the group of all samples equal to n modulo N / group_size.

    Args:
        x: [N, C, H, W].
        group_size: Samples in a group; the largest divisor of N that does not exceed it is used.
        num_features: Channels to append, a divisor of C. With one, whatever varies most drowns the rest: a generator of skies whose
            colours differ may then draw the same clouds in all of them.

    Returns:
        [N, C + F, H, W].
    """
    n, c, h, w = x.shape
    size = next(g for g in range(min(group_size, n), 0, -1) if n % g == 0)
    groups = x.reshape(size, n // size, num_features, c // num_features, h, w)
    deviation = (groups.var(dim=0, correction=0) + 1e-8).sqrt().mean(dim=[2, 3, 4])  # [N / size, F]
    channels = deviation.repeat(size, 1)[:, :, None, None].expand(n, num_features, h, w)
    return torch.cat([x, channels], dim=1)
