"""Intervals by resampling: how far scores would move if other clips of the same kind had been drawn.

Efron & Tibshirani 1993, "An Introduction to the Bootstrap", Sec. 13.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from latentreel.core.randomness import numpy_generator

Places = npt.NDArray[np.intp]
REPEATS = 100
SHARE = 0.95


def intervals(
    scores: Callable[[Places, Places], Sequence[float]],
    num_real: int,
    num_fake: int,
    *,
    values: Sequence[float],
    seed: int = 0,
    repeats: int = REPEATS,
    progress: Callable[[int, int], None] | None = None,
) -> list[tuple[float, float]]:
    """The quantiles of resampled scores, moved so that their mean lies on the score.

    Distances grow when clips are drawn with repetition, which the move takes off again. What a distance owes to the number of clips
    stays in score and interval alike.

    Args:
        scores: The scores, S of them, of the real and the fake clips of these numbers; a number may come more than once.
        num_real: Real clips.
        num_fake: Fake clips.
        values: The scores of all clips, [S].
        seed: Fixes the draws.
        repeats: How often it is drawn.
        progress: Called with draws done and draws in all.

    Returns:
        The 95 % interval of each score, [S].
    """
    draws = numpy_generator(seed, "bootstrap")
    found = []
    for done in range(1, repeats + 1):
        found.append(scores(draws.integers(num_real, size=num_real), draws.integers(num_fake, size=num_fake)))
        if progress:
            progress(done, repeats)
    ends = np.quantile(found, [(1 - SHARE) / 2, (1 + SHARE) / 2], axis=0) + np.asarray(values) - np.mean(found, axis=0)
    return [(float(low), float(high)) for low, high in ends.T]
