"""Intervals by resampling: how far a score would move if other clips of the same kind had been drawn.

Efron & Tibshirani 1993, "An Introduction to the Bootstrap", Sec. 13.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from latentreel.core.randomness import numpy_generator

Floats = npt.NDArray[np.float64]
REPEATS = 100
SHARE = 0.95


def interval(
    score: Callable[[npt.NDArray[np.intp], npt.NDArray[np.intp]], float],
    num_real: int,
    num_fake: int,
    *,
    value: float,
    seed: int = 0,
    repeats: int = REPEATS,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[float, float]:
    """The quantiles of the resampled scores, moved so that their mean lies on the score.

    Distances grow when clips are drawn with repetition, which the move takes off again. What a distance owes to the number of clips
    stays in score and interval alike.

    Args:
        score: The score of the real and the fake clips of these numbers; a number may come more than once.
        num_real: Real clips.
        num_fake: Fake clips.
        value: The score of all.
        seed: Fixes the draws.
        repeats: How often it is drawn.
        progress: Called with draws done and draws in all.

    Returns:
        The 95 % interval.
    """
    draws = numpy_generator(seed, "bootstrap")
    values = []
    for done in range(1, repeats + 1):
        values.append(score(draws.integers(num_real, size=num_real), draws.integers(num_fake, size=num_fake)))
        if progress:
            progress(done, repeats)
    low, high = np.quantile(values, [(1 - SHARE) / 2, (1 + SHARE) / 2])
    shift = value - float(np.mean(values))
    return float(low) + shift, float(high) + shift
