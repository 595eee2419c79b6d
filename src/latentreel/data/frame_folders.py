"""Clips as numbered pictures in a folder. No clip spans a gap in the numbering: its frames are evenly spaced in time."""

import logging
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from latentreel.core.errors import InputError
from latentreel.data.image_strips import declared_size
from latentreel.data.source_files import SourceFile
from latentreel.media.decode import Pixels, load_image
from latentreel.media.limits import DEFAULT_LIMITS, DecodeLimits
from latentreel.media.video_stream import UNKNOWN_FPS, VideoStream, evenly

SAMPLED = 8
"""Pictures of a folder, evenly spread, whose sizes tell stills from frames."""

_NUMBER = re.compile(r"(\d+)\D*$")  # the last number of a name, without its suffix

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FrameRun:
    """Frames without a gap."""

    files: tuple[SourceFile, ...]

    span: str = ""
    """The numbers of its first and last frame, as "12-40"; empty where the folder is one run."""

    note: str = ""
    """What is missing before it; empty where nothing is."""


def frame_runs(files: Sequence[SourceFile]) -> list[FrameRun]:
    """The runs of one folder's frames: one, unless numbers are missing.

    Numbers count frames if they rise throughout and most neighbours are equally far apart (often 1; 5 where every fifth frame was
    kept). Elsewhere, as with time stamps or names without numbers, nothing can be missing.

    Args:
        files: The frames in natural order.

    Returns:
        The runs in their order; together they hold every frame.
    """
    numbers = [_frame_number(file) for file in files]
    breaks = [] if None in numbers else _breaks([int(number or 0) for number in numbers])
    if not breaks:
        return [FrameRun(tuple(files))]
    return [
        FrameRun(
            tuple(files[start:end]),
            span=f"{numbers[start]}-{numbers[end - 1]}",
            note=f"the numbering jumps from {numbers[start - 1]} to {numbers[start]}: the clip is cut there" if start else "",
        )
        for start, end in pairwise([0, *breaks, len(files)])
    ]


def open_frames(files: Sequence[SourceFile], *, limits: DecodeLimits = DEFAULT_LIMITS) -> VideoStream:
    """Opens pictures as a clip that is decoded frame by frame.

    Args:
        files: The frames in their order.
        limits: What each may ask for.

    Returns:
        The stream; the first frame is decoded already. It ends, with a warning, before the first later one that cannot be decoded.

    Raises:
        InputError: The first cannot be decoded, or they are of several sizes, as stills are.
    """
    first = _load(files[0], limits)
    _refuse_stills(files)

    def frames() -> Iterator[Pixels]:
        yield first
        for count, file in enumerate(files[1:], 1):
            try:
                frame = _load(file, limits)
            except InputError as error:
                notes.append(f"breaks off after {count} of {len(files)} frames: {error}")
                _log.warning("a clip %s", notes[-1])
                return
            yield frame

    notes: list[str] = []
    return evenly(frames(), UNKNOWN_FPS, len(files), notes)


def _refuse_stills(files: Sequence[SourceFile]) -> None:
    """Raises where pictures of a folder are plainly no frames of one clip: a clip has one size, or changes it once."""
    sampled = [files[index] for index in sorted({round(i * (len(files) - 1) / max(1, SAMPLED - 1)) for i in range(SAMPLED)})]
    sizes = Counter(filter(None, map(declared_size, sampled)))
    if len(sizes) > 2 or (len(sizes) == 2 and 2 * max(sizes.values()) <= len(sampled)):
        shown = ", ".join(f"{width}x{height}" for width, height in list(sizes)[:4])
        fix = "give each clip a folder of its own; stills train image generators"
        raise InputError("pictures of several sizes are no frames of one clip", given=shown, fix=fix)


def _load(file: SourceFile, limits: DecodeLimits) -> Pixels:
    with file.on_disk() as path:
        return load_image(path, limits=limits)


def _frame_number(file: SourceFile) -> str | None:
    stem = file.name.rpartition("/")[2].rpartition(".")[0]
    found = _NUMBER.search(stem)
    return found[1] if found else None


def _breaks(numbers: list[int]) -> list[int]:
    """Indices of the frames before which others are missing."""
    steps = [second - first for first, second in pairwise(numbers)]
    if not steps or min(steps) < 1:
        return []
    usual, count = Counter(steps).most_common(1)[0]
    return [index for index, step in enumerate(steps, 1) if step != usual] if 2 * count > len(steps) else []
