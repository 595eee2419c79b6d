"""Kernel distance between sets of features: KID with features of images, KVD with features of clips.

Bińkowski et al. 2018, "Demystifying MMD GANs", Sec. 4: the squared maximum mean discrepancy with the kernel (x.y / F + 1)^3. Its
estimate is unbiased, so it can be compared between sets of different size, and can be below 0.
"""

import numpy as np
import numpy.typing as npt

from latentreel.core.errors import InputError

BLOCK = 1024  # rows of the kernel's matrix that are in memory at once


def kernel_distance(real: npt.ArrayLike, fake: npt.ArrayLike) -> float:
    """The unbiased estimate over all pairs.

    Args:
        real: Features [N, F].
        fake: Features [M, F].

    Raises:
        InputError: One side has fewer than two features.
    """
    x, y = np.asarray(real, dtype=np.float64), np.asarray(fake, dtype=np.float64)
    n, m = len(x), len(y)
    if min(n, m) < 2:
        raise InputError("a kernel distance needs at least two clips on either side", given=f"{n} and {m}")
    own = (_sum(x, x) - _own(x)) / (n * (n - 1)) + (_sum(y, y) - _own(y)) / (m * (m - 1))
    return own - 2.0 * _sum(x, y) / (n * m)


def _sum(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> float:
    """Sum of the kernel over all pairs."""
    return sum(float(((x[i : i + BLOCK] @ y.T / x.shape[1] + 1.0) ** 3).sum()) for i in range(0, len(x), BLOCK))


def _own(x: npt.NDArray[np.float64]) -> float:
    """Sum of the kernel of everything with itself."""
    return float((((x * x).sum(axis=1) / x.shape[1] + 1.0) ** 3).sum())
