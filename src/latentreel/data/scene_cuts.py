"""Hard cuts of a video: where one picture has little to do with the one before, and its neighbours change far less.

A cut is an outlier among the differences of neighbouring frames. Fades and dissolves are none.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]

GRID = 16
"""Frames are compared as averages over so many rows and columns: noise and small motion vanish."""

LEAST_DIFFERENCE = 20.0
"""Of 255, mean over the grid. A talking head that jerks reached 19 (3 s of 224 px at 25 fps); cuts of five videos, 41 to 80."""

NEIGHBOURS = 4
"""Differences to each side that a cut is compared with."""

LEAST_RATIO = 2.0
"""A cut is so many times the second largest of them. The largest may be another cut, or the other end of a flash."""


class CutDetector:
    """Sees the frames of one video in order and keeps one number of each."""

    def __init__(self) -> None:
        self._last: npt.NDArray[np.float32] | None = None
        self._differences: list[float] = []

    def see(self, frame: Pixels) -> None:
        """Takes the next frame, uint8 [H, W, 3] of any size."""
        small = Image.fromarray(frame).resize((GRID, GRID), Image.Resampling.BOX)
        grid = np.asarray(small, np.float32)
        if self._last is not None:
            self._differences.append(float(np.abs(grid - self._last).mean()))
        self._last = grid

    def begins_scene(self, frame: int) -> bool:
        """Whether a new scene begins with a frame; settled once `NEIGHBOURS` frames after it, or all there are, were seen."""
        place = frame - 1
        if place < 0 or self._differences[place] < LEAST_DIFFERENCE:
            return False
        near = self._differences[max(0, place - NEIGHBOURS) : place] + self._differences[frame : frame + NEIGHBOURS]
        return len(near) >= NEIGHBOURS and self._differences[place] >= LEAST_RATIO * sorted(near)[-2]

    def cuts(self) -> list[int]:
        """The frames with which new scenes begin, rising; never 0."""
        return [frame for frame in range(1, len(self._differences) + 1) if self.begins_scene(frame)]


def scene_cuts(frames: Iterable[Pixels]) -> list[int]:
    """The frames with which new scenes begin, as `CutDetector.cuts` gives them."""
    detector = CutDetector()
    for frame in frames:
        detector.see(frame)
    return detector.cuts()


def with_scene_starts(frames: Iterable[Pixels], small: Callable[[Pixels], Pixels]) -> Iterator[tuple[Pixels, bool]]:
    """Frames as they come, a few frames late, and whether a new scene begins with each.

    Args:
        frames: uint8 [H, W, 3] of any size, in order.
        small: What is kept of a frame, and given.
    """
    detector, waiting, given = CutDetector(), deque[Pixels](), 0
    for frame in frames:
        detector.see(frame)
        waiting.append(small(frame))
        if len(waiting) > NEIGHBOURS:
            yield waiting.popleft(), detector.begins_scene(given)
            given += 1
    for last, kept in enumerate(waiting, given):
        yield kept, detector.begins_scene(last)
