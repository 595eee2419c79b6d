"""How different the motions of one content are, in pixels (Tian et al. 2021, App. D)."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from latentreel.core.errors import InputError


class MotionDiversity(NamedTuple):
    """Of clips that begin with one frame and are moved by different motion codes."""

    mean: npt.NDArray[np.uint8]
    """The mean of all clips' last frames, uint8 [H, W, 3]: what moves differently is blurred."""

    deviation: npt.NDArray[np.float64]
    """Standard deviation of every pixel of the last frame over the clips, averaged over colours, in 0..255, [H, W]."""


def motion_diversity(clips: npt.NDArray[np.uint8]) -> MotionDiversity:
    """Mean and deviation of the last frame. Draw the clips without noise, which would be counted as motion.

    Args:
        clips: uint8 [M, T, H, W, 3], of one content.

    Raises:
        InputError: There are fewer than two clips.
    """
    if len(clips) < 2:
        raise InputError("motion diversity compares clips", given=len(clips), allowed="2 or more of one content")
    last = clips[:, -1].astype(np.float64)
    return MotionDiversity(last.mean(axis=0).round().astype(np.uint8), last.std(axis=0, ddof=1).mean(axis=-1))
