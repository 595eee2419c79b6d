"""Inception score: sharp classes for each, all classes for the whole.

Salimans et al. 2016, "Improved Techniques for Training GANs", Sec. 4; of videos with C3D, Saito et al. 2017 (TGAN), Sec. 4.4.
"""

from itertools import pairwise

import numpy as np
from scipy.special import log_softmax

from latentreel.core.errors import InputError
from latentreel.metrics.moments import BLOCK, Floats, Rows

SPLITS = 10


def inception_score(logits: Rows, *, splits: int = SPLITS) -> tuple[float, float]:
    """exp of the mean divergence of each one's class distribution from the mean of all, part by part.

    Args:
        logits: [N, C], read block by block.
        splits: Into how many parts of neighbours the clips are divided.

    Returns:
        Mean and deviation (divided by the number of parts) over the parts.

    Raises:
        InputError: There are fewer clips than parts.
    """
    if len(logits) < splits:
        raise InputError("too few clips for the inception score", given=len(logits), allowed=f"{splits} (its parts) or more")
    ends = np.cumsum([0, *map(len, np.array_split(np.arange(len(logits)), splits))])
    scores = [_score(logits, int(begin), int(end)) for begin, end in pairwise(ends)]
    return float(np.mean(scores)), float(np.std(scores))


def _score(logits: Rows, begin: int, end: int) -> float:
    """Of one part: the mean of sum p log p, less that of the mean p."""
    total: Floats = np.zeros(logits.shape[1])
    sharpness = 0.0
    for first in range(begin, end, BLOCK):
        logs = log_softmax(np.asarray(logits[first : min(first + BLOCK, end)], dtype=np.float64), axis=1)
        shares = np.exp(logs)
        total += shares.sum(axis=0)
        sharpness += float((shares * logs).sum())
    mean = total / (end - begin)
    return float(np.exp(sharpness / (end - begin) - (mean * np.log(np.maximum(mean, np.finfo(np.float64).tiny))).sum()))
