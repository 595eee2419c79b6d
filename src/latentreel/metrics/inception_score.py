"""Inception score: sharp classes for each, all classes for the whole.

Salimans et al. 2016, "Improved Techniques for Training GANs", Sec. 4; of videos with C3D, Saito et al. 2017 (TGAN), Sec. 4.4.
"""

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax

from latentreel.core.errors import InputError

SPLITS = 10


def inception_score(logits: npt.ArrayLike, *, splits: int = SPLITS) -> tuple[float, float]:
    """exp of the mean divergence of each one's class distribution from the mean of all, part by part.

    Args:
        logits: [N, C].
        splits: Into how many parts of neighbours the clips are divided.

    Returns:
        Mean and deviation (divided by the number of parts) over the parts.

    Raises:
        InputError: There are fewer clips than parts.
    """
    logs = log_softmax(np.asarray(logits, dtype=np.float64), axis=1)
    if len(logs) < splits:
        raise InputError("too few clips for the inception score", given=len(logs), allowed=f"{splits} (its parts) or more")
    scores = []
    for part in np.array_split(logs, splits):
        shares = np.exp(part)
        mean = np.log(np.maximum(shares.mean(axis=0), np.finfo(np.float64).tiny))
        scores.append(np.exp((shares * (part - mean)).sum(axis=1).mean()))
    return float(np.mean(scores)), float(np.std(scores))
