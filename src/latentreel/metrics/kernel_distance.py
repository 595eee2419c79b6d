"""Kernel distance between sets of features: KID with features of images, KVD with features of clips.

Bińkowski et al. 2018, "Demystifying MMD GANs", Sec. 4: the squared maximum mean discrepancy with the kernel (x.y / F + 1)^3. Its
estimate is unbiased, so it can be compared between sets of different size, and can be below 0.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from latentreel.core.errors import InputError
from latentreel.metrics.moments import Floats, Rows

PART, MOST_NUMBERS = 2048, 2**24
"""Clips of either side that are compared at once, and numbers in their features. Larger sets are cut into parts, whose distances
are averaged: that is unbiased as well, and neither time nor memory grows with the square of the number of clips."""

BLOCK = 256  # rows of the kernel's matrix that are in memory at once


def kernel_distance(real: Rows, fake: Rows, *, rows: int = 1) -> float:
    """The unbiased estimate over all pairs, of one side those from different clips.

    Args:
        real: Features [N * rows, F].
        fake: Features [M * rows, F].
        rows: Features of each clip, next to each other: as many as it has frames where single frames were looked at.

    Raises:
        InputError: One side has fewer than two clips.
    """
    clips = len(real) // rows, len(fake) // rows
    part = min(PART, MOST_NUMBERS // (rows * real.shape[1]))
    parts = max(1, min(-(-max(clips) // max(2, part)), *(count // 2 for count in clips)))
    sides = [_in_parts(some, count, parts, rows) for some, count in zip((real, fake), clips, strict=True)]
    return float(np.mean([KernelDistance(*pair)() for pair in zip(*sides, strict=True)]))


class KernelDistance:
    """The distance between two sets of clips, and between any draws of them: the kernels are computed once."""

    def __init__(self, real: Floats, fake: Floats) -> None:
        """Computes the kernels of all pairs of clips, averaged over their rows.

        Args:
            real: Features [N, rows, F].
            fake: Features [M, rows, F].

        Raises:
            InputError: One side has fewer than two clips.
        """
        if min(len(real), len(fake)) < 2:
            given = f"{len(real)} and {len(fake)}"
            raise InputError("a kernel distance needs at least two clips on either side", given=given)
        self.real, self.fake, self.between = _kernels(real, real), _kernels(fake, fake), _kernels(real, fake)

    def __call__(self, real: npt.ArrayLike | None = None, fake: npt.ArrayLike | None = None) -> float:
        """The unbiased estimate.

        Args:
            real: How often each real clip was drawn, [N]; by default once.
            fake: The same of the fake clips, [M].
        """
        v = np.ones(len(self.real)) if real is None else np.asarray(real, dtype=np.float64)
        w = np.ones(len(self.fake)) if fake is None else np.asarray(fake, dtype=np.float64)
        across = v @ self.between @ w / (v.sum() * w.sum())
        return float(_within(self.real, v) + _within(self.fake, w) - 2.0 * across)


def _in_parts(features: Rows, clips: int, parts: int, rows: int) -> Iterator[Floats]:
    """Features of neighbouring clips [n, rows, F], read part by part."""
    ends = rows * np.cumsum([0, *map(len, np.array_split(np.arange(clips), parts))])
    for begin, end in pairwise(ends):
        yield np.asarray(features[begin:end], dtype=np.float64).reshape(-1, rows, features.shape[1])


def _kernels(x: Floats, y: Floats) -> Floats:
    """Mean kernel between the rows of every two clips, [N, M]."""
    (rows, width), step = x.shape[1:], max(1, BLOCK // x.shape[1])
    across = y.reshape(-1, width).T
    found = np.empty((len(x), len(y)))
    for begin in range(0, len(x), step):
        some = x[begin : begin + step]
        kernels = (some.reshape(-1, width) @ across / width + 1.0) ** 3
        found[begin : begin + step] = kernels.reshape(len(some), rows, len(y), rows).mean(axis=(1, 3))
    return found


def _within(kernels: Floats, draws: Floats) -> float:
    """Mean kernel over pairs of different clips, each as often as it was drawn."""
    pairs = draws @ kernels @ draws - np.square(draws) @ np.diag(kernels)
    return float(pairs / (draws.sum() ** 2 - np.square(draws).sum()))
