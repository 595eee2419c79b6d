"""Some clips of a source, small and short enough for a page: at most 12 of 64 frames at 192 px."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from latentreel.core.errors import InputError
from latentreel.core.text import printable, with_name
from latentreel.data.framing import framed
from latentreel.data.source_items import SourceItem
from latentreel.data.sources import open_source
from latentreel.media.video_stream import VideoStream, at_rate
from latentreel.report.blocks import ClipGrid

Pixels = npt.NDArray[np.uint8]
Progress = Callable[[int, int], None]

MOST_CLIPS = 12
MOST_FRAMES = 64
MOST_PIXELS = 192
"""Rows and columns of a clip in a grid."""

COLUMNS = 4


@dataclass(frozen=True, eq=False)
class Selection:
    """Clips, and what they were chosen from."""

    clips: Sequence[Pixels]
    """uint8 [T, H, W, 3] each, of one size."""

    names: Sequence[str]
    """Printable."""

    fps: float
    """At which all of them are shown."""

    total: int
    """How many there are in the source."""

    kind: str
    """As `VideoSource.kind`."""

    problems: Sequence[str] = ()
    """What could not be decoded, and why."""

    def grid(self, what: str) -> ClipGrid:
        """The clips side by side; `what` they are, e.g. "clips of runs/videos"."""
        shown = f"{len(self.clips)} of {self.total:,} {what}, evenly spread" if len(self.clips) < self.total else f"All {what}"
        longest = max(map(len, self.clips))
        length = f"; the first {MOST_FRAMES} frames of each" if longest == MOST_FRAMES else ""
        caption = f"{shown}{length}. Row by row: {', '.join(self.names)}."
        description = f"A grid of {len(self.clips)} moving pictures: {', '.join(self.names)}."
        columns = columns_for(len(self.clips))
        return ClipGrid(self.clips, fps=self.fps, columns=columns, caption=caption, description=description)


def select_clips(source: Path | str, *, count: int = MOST_CLIPS, progress: Progress | None = None) -> Selection:
    """Decodes the beginnings of some clips, evenly spread over all.

    Args:
        source: As for `data.sources.open_source`.
        count: How many at most.
        progress: Told of the clips that are decoded.

    Raises:
        InputError: Nothing is there, or none of the chosen can be decoded.
    """
    found = open_source(source)
    places = np.unique(np.linspace(0, len(found.items) - 1, min(count, len(found.items))).round().astype(int)).tolist()
    clips, problems, fps = dict[str, Pixels](), list[str](), list[float]()
    for done, place in enumerate(places, 1):
        item = found.items[place]
        try:
            clip, rate = _beginning(item, fps[0] if fps else None)
        except InputError as error:
            problems.append(printable(with_name(item.name, str(error))))
        else:
            clips[printable(item.name)] = clip
            fps.append(rate)
        if progress is not None:
            progress(done, len(places))
    if not clips:
        raise InputError(f"no clip of {source} can be shown", given=problems[0])
    return Selection(list(clips.values()), list(clips), fps[0], len(found.items), found.kind, problems)


def columns_for(count: int) -> int:
    """Clips in a row so that no row is left half empty, where that can be."""
    return next((columns for columns in (COLUMNS, 3) if count % columns == 0), min(COLUMNS, count))


def bounded(frames: Pixels, *, pixels: int = MOST_PIXELS, most_frames: int = MOST_FRAMES) -> Pixels:
    """A clip [T, H, W, 3] whose frames are no larger and no more; the longer side counts."""
    height, width = frames.shape[1:3]
    frames = frames[:most_frames]
    if max(height, width) <= pixels:
        return frames
    return np.stack(
        [framed(frame, max(1, round(pixels * min(height, width) / max(height, width))), "keep") for frame in frames]
    )


def _beginning(item: SourceItem, fps: float | None) -> tuple[Pixels, float]:
    """The first frames of a clip, whole on a black square, at a given rate or at its own."""
    stream = item.open()
    stream = replace(stream, frames=(framed(frame, MOST_PIXELS, "pad") for frame in stream.frames))
    stream = _rated(stream, fps)
    return np.stack(list(islice(stream.frames, MOST_FRAMES))), stream.fps


def _rated(stream: VideoStream, fps: float | None) -> VideoStream:
    return stream if fps is None or abs(stream.fps - fps) < 0.01 * fps else at_rate(stream, fps)
