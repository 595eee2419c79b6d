"""Decodes, or renders, many clips at a time into one file of frames of one size."""

import logging
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Protocol

import numpy as np
import numpy.typing as npt

from latentreel.core.errors import InputError
from latentreel.data.framing import Fit, framed, is_enlarged
from latentreel.data.framing import centre_square as centre_square
from latentreel.data.scene_cuts import CutDetector
from latentreel.data.source_files import DISK_FULL
from latentreel.data.working_ahead import in_order

Pixels = npt.NDArray[np.uint8]

Progress = Callable[[int, int], None]
"""Called with the number of items done and of all."""

MAX_CLIP_BYTES_IN_MEMORY = 16 * 2**20
"""A decoded clip above this size waits for its turn on disk."""

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
class DecodedClip:
    """One clip, decoded or not."""

    name: str
    pixels: IO[bytes]
    """Its frames end to end, in a file that stands at its end; whoever takes them closes it."""
    num_frames: int = 0
    size: tuple[int, int] = (0, 0)
    """Rows and columns of every frame."""
    fps: float = 0.0
    cuts: tuple[int, ...] = ()
    """The frames with which new scenes begin."""
    notes: tuple[str, ...] = ()
    """What was done to its frames, or is wrong with its file."""
    enlarged: bool = False
    """Whether it is smaller than the resolution."""
    problem: str = ""
    """Why there are no frames; empty where there are."""


@dataclass
class DecodedClips:
    """What lies end to end in the file."""

    names: list[str] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    """Frames of each clip."""
    size: tuple[int, int] = (0, 0)
    """Rows and columns of every frame."""
    fps: list[float] = field(default_factory=list)
    cuts: list[tuple[int, ...]] = field(default_factory=list)
    """The frames of each clip with which new scenes begin."""
    notes: list[tuple[str, str]] = field(default_factory=list)
    """What was done to the frames of a clip, or is wrong with it: name and note."""
    problems: list[tuple[str, str]] = field(default_factory=list)
    """What was left out: name and reason."""
    num_enlarged: int = 0
    """Clips smaller than the resolution."""

    @property
    def num_items(self) -> int:
        """Clips that were decoded or left out."""
        return len(self.names) + len(self.problems)

    def add(self, clip: DecodedClip, out: IO[bytes]) -> None:
        """Appends a clip to the file, or notes its problem."""
        with clip.pixels:
            if clip.problem:
                self.problems.append((clip.name, clip.problem))
                return
            if self.names and clip.size != self.size:
                self.problems.append((clip.name, f"it has other proportions: {_shown(clip.size)}, not {_shown(self.size)}"))
                return
            self.size = clip.size
            self.names.append(clip.name)
            self.lengths.append(clip.num_frames)
            self.fps.append(clip.fps)
            self.cuts.append(clip.cuts)
            self.notes += [(clip.name, note) for note in clip.notes]
            self.num_enlarged += clip.enlarged
            clip.pixels.seek(0)
            shutil.copyfileobj(clip.pixels, out, 2**20)


def decode_clips(
    items: Sequence[FrameSupplier], file: Path, *, resolution: int, fit: Fit = "crop", progress: Progress | None = None
) -> DecodedClips:
    """Writes the frames of all items, in their order, as raw uint8 [F, H, W, 3].

    Args:
        items: The suppliers. An `InputError` of one is noted as a problem, and the others go on.
        file: Where to.
        resolution: Rows and columns of the written frames; for "keep" the shorter of the two.
        fit: What becomes of frames that are no squares. "keep" keeps the proportions of the first item; others are problems.
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
            for clip in in_order(partial(decode_clip, resolution=resolution, fit=fit, spill=file.parent), items):
                decoded.add(clip, out)
                if progress is not None:
                    progress(decoded.num_items, len(items))
    except OSError as error:
        if error.errno not in DISK_FULL:
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


def decode_clip(item: FrameSupplier, *, resolution: int, fit: Fit, spill: Path) -> DecodedClip:
    """Decodes one clip, at the size of training.

    Args:
        item: Its supplier. An `InputError` of it becomes the clip's problem.
        resolution: As for `decode_clips`.
        fit: As for `decode_clips`.
        spill: Folder for the frames while they wait, where they are many.
    """
    name, supply = item
    pixels = tempfile.SpooledTemporaryFile(MAX_CLIP_BYTES_IN_MEMORY, dir=str(spill))  # noqa: SIM115 (closed in `add`)
    count, enlarged, sizes, detector = 0, False, set(), CutDetector()
    try:
        clip = supply()
        for frame in clip.frames:
            fitting = framed(frame, resolution, fit)
            pixels.write(fitting.tobytes())
            detector.see(fitting)
            count, enlarged = count + 1, enlarged or is_enlarged(frame, resolution, fit)
            sizes.add((fitting.shape[0], fitting.shape[1]))
        if not count:
            raise InputError(f"{name} holds no frame")
        if len(sizes) > 1:
            raise InputError(f"{name} changes its proportions", given=" and ".join(map(_shown, sorted(sizes))))
    except InputError as error:
        return DecodedClip(name, pixels, problem=str(error))
    notes = tuple(getattr(clip, "notes", ()))
    return DecodedClip(name, pixels, count, sizes.pop(), float(clip.fps), tuple(detector.cuts()), notes, enlarged)


def _shown(size: tuple[int, int]) -> str:
    return f"{size[1]}x{size[0]}"


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
