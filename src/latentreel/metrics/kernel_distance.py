"""Kernel distance between sets of features: KID with features of images, KVD with features of clips.

Bińkowski et al. 2018, "Demystifying MMD GANs", Sec. 4: the squared maximum mean discrepancy with the kernel (x.y / F + 1)^3. Its
estimate is unbiased, so it can be compared between sets of different size, and can be below 0.
"""

import numpy as np
import numpy.typing as npt

from latentreel.core.errors import InputError

BLOCK = 1024  # rows of the kernel's matrix that are in memory at once


def kernel_distance(real: npt.ArrayLike, fake: npt.ArrayLike, *, rows: int = 1) -> float:
    """The unbiased estimate over all pairs, of one side those from different clips.

    Args:
        real: Features [N, F].
        fake: Features [M, F].
        rows: Features of each clip, next to each other: as many as it has frames where single frames were looked at.

    Raises:
        InputError: One side has fewer than two clips.
    """
    x, y = np.asarray(real, dtype=np.float64), np.asarray(fake, dtype=np.float64)
    n, m = len(x), len(y)
    if min(n, m) < 2 * rows:
        raise InputError("a kernel distance needs at least two clips on either side", given=f"{n // rows} and {m // rows}")
    own = (_sum(x, x) - _within(x, rows)) / (n * (n - rows)) + (_sum(y, y) - _within(y, rows)) / (m * (m - rows))
    return own - 2.0 * _sum(x, y) / (n * m)


def _sum(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> float:
    """Sum of the kernel over all pairs."""
    return sum(float(((x[i : i + BLOCK] @ y.T / x.shape[1] + 1.0) ** 3).sum()) for i in range(0, len(x), BLOCK))


def _within(x: npt.NDArray[np.float64], rows: int) -> float:
    """Sum of the kernel within clips, of everything with itself among it."""
    return sum(_sum(clip, clip) for clip in x.reshape(-1, rows, x.shape[1]))
