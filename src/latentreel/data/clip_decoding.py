"""Decodes, or renders, many clips at a time into one file of square frames of one size."""

import errno
import logging
import os
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from latentreel.core.errors import InputError

Pixels = npt.NDArray[np.uint8]

Progress = Callable[[int, int], None]
"""Called with the number of items done and of all."""

MAX_WORKERS = 8
"""More threads than this wait for the disk, or for each other."""

MAX_CLIP_BYTES_IN_MEMORY = 16 * 2**20
"""A decoded clip above this size waits for its turn on disk."""

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_log = logging.getLogger(__name__)


class FrameClip(Protocol):
    """What frames are taken from: a `Video`, a `VideoStream`, or anything alike."""

    @property
    def frames(self) -> Iterable[Pixels]:
        """RGB, uint8 [H, W, 3] each, of any size."""
        ...

    @property
    def fps(self) -> float:
        """Frames per second."""
        ...


FrameSupplier = tuple[str, Callable[[], FrameClip]]
"""A name, and what opens or renders the clip of that name; called from several threads."""


@dataclass(frozen=True)
class _DecodedClip:
    name: str
    pixels: IO[bytes]
    num_frames: int = 0
    fps: float = 0.0
    enlarged: bool = False
    problem: str = ""


@dataclass
class DecodedClips:
    """What lies end to end in the file."""

    names: list[str] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    """Frames of each clip."""
    fps: list[float] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    """What was left out: name and reason."""
    num_enlarged: int = 0
    """Clips smaller than the resolution."""

    @property
    def num_items(self) -> int:
        """Clips that were decoded or left out."""
        return len(self.names) + len(self.problems)

    def add(self, clip: _DecodedClip, out: IO[bytes]) -> None:
        """Appends a clip to the file, or notes its problem."""
        with clip.pixels:
            if clip.problem:
                self.problems.append((clip.name, clip.problem))
                return
            self.names.append(clip.name)
            self.lengths.append(clip.num_frames)
            self.fps.append(clip.fps)
            self.num_enlarged += clip.enlarged
            clip.pixels.seek(0)
            shutil.copyfileobj(clip.pixels, out, 2**20)


def decode_clips(
    items: Sequence[FrameSupplier], file: Path, *, resolution: int, progress: Progress | None = None
) -> DecodedClips:
    """Writes the frames of all items, in their order, as raw uint8 [F, resolution, resolution, 3].

    Args:
        items: The suppliers. An `InputError` of one is noted as a problem, and the others go on.
        file: Where to.
        resolution: Rows and columns of the written frames: the centre square of the given ones, resized.
        progress: Told of every item done.

    Returns:
        What was written, and what could not be.

    Raises:
        InputError: No item can be decoded, or the disk is too small.
    """
    _require_space(file.parent, len(items) * resolution**2 * 3)  # no item has less than one frame
    decoded = DecodedClips()
    try:
        with file.open("wb") as out:
            for clip in _in_order(partial(_decode, resolution=resolution, spill=file.parent), items):
                decoded.add(clip, out)
                if progress is not None:
                    progress(decoded.num_items, len(items))
    except OSError as error:
        if error.errno not in _DISK_FULL:
            raise
        so_far = sum(decoded.lengths) * resolution**2 * 3
        raise _disk_full(file.parent, so_far * len(items) // max(1, decoded.num_items)) from error
    if not decoded.names:
        reasons = " | ".join(reason for _, reason in decoded.problems[:3])
        raise InputError(f"none of {len(items)} items can be decoded", given=reasons or None)
    if decoded.problems:
        _log.warning("%d of %d items are left out; the first: %s", len(decoded.problems), len(items), decoded.problems[0][1])
    if decoded.num_enlarged:
        _log.warning("%d of %d items are smaller than %d px and were enlarged", decoded.num_enlarged, len(items), resolution)
    return decoded


def _in_order(work: Callable[[FrameSupplier], _DecodedClip], items: Sequence[FrameSupplier]) -> Iterator[_DecodedClip]:
    """Results in the order of the items, worked out by threads that run only a little ahead."""
    workers = min(MAX_WORKERS, os.cpu_count() or 1)
    pool, waiting = ThreadPoolExecutor(workers), deque[Future[_DecodedClip]]()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _decode(item: FrameSupplier, *, resolution: int, spill: Path) -> _DecodedClip:
    name, supply = item
    pixels = tempfile.SpooledTemporaryFile(MAX_CLIP_BYTES_IN_MEMORY, dir=str(spill))  # noqa: SIM115 (closed in `add`)
    count, smallest = 0, resolution
    try:
        clip = supply()
        for frame in clip.frames:
            pixels.write(centre_square(frame, resolution).tobytes())
            count, smallest = count + 1, min(smallest, *frame.shape[:2])
        if not count:
            raise InputError(f"{name} holds no frame")
    except InputError as error:
        return _DecodedClip(name, pixels, problem=str(error))
    return _DecodedClip(name, pixels, count, float(clip.fps), enlarged=smallest < resolution)


def centre_square(frame: Pixels, resolution: int) -> Pixels:
    """The centre square of a frame, resized with antialiased Lanczos; `reducing_gap` box-filters very large ones first."""
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[-1] != 3 or 0 in frame.shape:
        raise InputError("a frame has the wrong form", given=f"{frame.dtype} {list(frame.shape)}", allowed="uint8 [H, W, 3]")
    height, width = frame.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = frame[top : top + side, left : left + side]
    if side != resolution:
        size = (resolution, resolution)
        square = np.asarray(Image.fromarray(square).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0))
    return square


def _require_space(folder: Path, needed_bytes: int) -> None:
    if shutil.disk_usage(folder).free < needed_bytes:
        raise _disk_full(folder, needed_bytes)


def _disk_full(folder: Path, needed_bytes: int) -> InputError:
    return InputError(
        "the disk is too small for the decoded frames",
        given=f"{shutil.disk_usage(folder).free / 2**20:,.0f} MiB free where they are kept",
        allowed=f"about {needed_bytes / 2**20:,.0f} MiB",
        fix="free some space, lower the resolution, or let LATENTREEL_CACHE name a folder on a larger disk",
    )
