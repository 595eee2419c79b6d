"""How far pictures are apart at several sizes at once, from coarse to fine: a distance that needs no network."""

import torch
import torch.nn.functional as F
from torch import Tensor

COARSEST = 8
"""Rows at which the pyramid ends: smaller pictures say little but the mean colours."""


def multi_scale_distance(pictures: Tensor, target: Tensor, *, finest: int | None = None) -> Tensor:
    """Mean squared difference of pixels, averaged over a pyramid of sizes: whole, 1/2, 1/4, ... down to 8 rows.

    Coarse scales see where something is even if no pixel of it overlaps yet; the whole size alone would not.

    Args:
        pictures: [N, 3, H, W].
        target: [N or 1, 3, H, W].
        finest: Sizes above this number of rows are left out; None for none.

    Returns:
        [N], in squared units of pixels.
    """
    total, scales = torch.zeros(len(pictures), device=pictures.device), 0
    while True:
        rows = pictures.shape[-2]
        if finest is None or rows <= finest or rows < 2 * COARSEST:
            total = total + (pictures - target).square().mean(dim=(1, 2, 3))
            scales += 1
        if rows < 2 * COARSEST:
            return total / scales
        pictures, target = F.avg_pool2d(pictures, 2), F.avg_pool2d(target, 2)
