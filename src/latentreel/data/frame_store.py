"""Frames decoded once and kept, so that training does not wait: a memory-mapped uint8 file and an index, in a cache folder."""

import contextlib
import fcntl
import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from latentreel.core.errors import InputError
from latentreel.core.files import atomic_path, remove_partials, require_writable
from latentreel.data.clip_decoding import FrameClip, FrameSupplier, Progress, decode_clips
from latentreel.data.sources import Expect, VideoSource, open_source
from latentreel.media.decode import open_video

Pixels = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.int64]

FORMAT_VERSION = 1
"""Part of every digest: a change of what a store holds makes older ones unseen."""

_FRAMES, _INDEX = "frames.u8", "index.json"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class FrameStore:
    """The frames of many clips, square and of one size, end to end. F frames in V clips."""

    frames: Pixels
    """uint8 [F, H, W, 3], memory-mapped, read-only."""

    offsets: Indices
    """Where each clip begins, [V]."""

    lengths: Indices
    """How many frames each clip has, [V]."""

    names: tuple[str, ...]
    """[V]"""

    fps: tuple[float, ...]
    """Frames per second of each clip, [V]."""

    problems: tuple[tuple[str, str], ...] = ()
    """What was left out: name and reason."""

    @property
    def digest(self) -> str:
        """Tells stores of different clips apart: a hash of names, lengths, rates and size."""
        return hashlib.sha256(repr((self.names, self.lengths.tolist(), self.fps, self.resolution)).encode()).hexdigest()

    @property
    def resolution(self) -> int:
        """Rows and columns of a frame."""
        return int(self.frames.shape[1])


def open_frame_store(
    path: Path | str, *, resolution: int, expect: Expect = "videos", cache: Path | None = None, progress: Progress | None = None
) -> FrameStore:
    """The frames of a folder of videos, frame folders or stills; decoded on first use, found again ever after.

    A store is found by the names, sizes and times of the files and the resolution, wherever the folder lies.

    Args:
        path: As for `open_source`.
        resolution: Rows and columns of the stored frames.
        expect: As for `open_source`.
        cache: Folder of all stores; by default $LATENTREEL_CACHE, else ~/.cache/latentreel.
        progress: Told of every item done while the store is built.

    Returns:
        The store. Items that could not be decoded are in its `problems`.

    Raises:
        InputError: There is nothing to decode, nothing can be decoded, or the disk is too small.
    """
    source = open_source(path, expect=expect)
    suppliers = [(item.name, partial(open_video, item.path)) for item in source.items]
    return cached_frame_store(suppliers, digest=_digest(source), resolution=resolution, cache=cache, progress=progress)


def open_generated_store(
    render: Callable[[int], FrameClip],
    *,
    key: str,
    num_videos: int,
    resolution: int,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> FrameStore:
    """The frames of a procedural world; rendered on first use, found again ever after.

    Args:
        render: Gives the video of an index from 0 to `num_videos` - 1; called from several threads.
        key: Names the world, its settings and seed: whatever changes the videos changes the key.
        num_videos: How many.
        resolution: As for `open_frame_store`.
        cache: As for `open_frame_store`.
        progress: As for `open_frame_store`.

    Returns:
        The store; its names are the indices.

    Raises:
        InputError: The disk is too small.
    """
    suppliers = [(str(index), partial(render, index)) for index in range(num_videos)]
    return cached_frame_store(suppliers, digest=f"{num_videos} of {key}", resolution=resolution, cache=cache, progress=progress)


def cached_frame_store(
    items: Sequence[FrameSupplier], *, digest: str, resolution: int, cache: Path | None = None, progress: Progress | None = None
) -> FrameStore:
    """The store for a digest, built from suppliers if it is not in the cache.

    Args:
        items: The suppliers; asked only if the store is built.
        digest: Names their content, e.g. a hash of a world's name, seed and settings.
        resolution: As for `open_frame_store`; need not be part of the digest.
        cache: As for `open_frame_store`.
        progress: As for `open_frame_store`.

    Returns:
        The store.

    Raises:
        InputError: As for `build_frame_store`.
    """
    key = hashlib.sha256(f"{FORMAT_VERSION}/{resolution}/{digest}".encode()).hexdigest()[:24]
    folder = (cache or default_cache()) / "frames" / f"{resolution}px-{key}"
    with contextlib.nullcontext() if folder.exists() else _sole_builder(folder):
        if folder.exists():
            try:
                return read_frame_store(folder)
            except InputError as error:
                _log.warning("%s; it is built anew", error)
        return build_frame_store(items, resolution=resolution, folder=folder, progress=progress)


def build_frame_store(
    items: Sequence[FrameSupplier], *, resolution: int, folder: Path, progress: Progress | None = None
) -> FrameStore:
    """Decodes or renders every item once, several at a time, and keeps the frames: their centre square, resized (Lanczos).

    Args:
        items: A name and what opens or renders its clip, for each. If one raises `InputError`, that is noted as a
            problem and the others go on.
        resolution: Rows and columns of the stored frames.
        folder: Where the store appears, whole or not at all; an older one is replaced.
        progress: Told of every item done.

    Returns:
        The store.

    Raises:
        InputError: No item can be decoded, or the disk is too small.
    """
    if resolution < 1:
        raise InputError("the resolution is out of range", given=resolution, allowed="1 or more")
    with atomic_path(folder) as temporary:
        temporary.mkdir()
        decoded = decode_clips(items, temporary / _FRAMES, resolution=resolution, progress=progress)
        index = {
            "version": FORMAT_VERSION,
            "resolution": resolution,
            "names": decoded.names,
            "lengths": decoded.lengths,
            "fps": decoded.fps,
            "problems": decoded.problems,
        }
        (temporary / _INDEX).write_text(json.dumps(index))
    return read_frame_store(folder)


def read_frame_store(folder: Path) -> FrameStore:
    """Opens a store that was built; takes no memory until frames are read.

    Raises:
        InputError: It is missing, damaged, or of another version.
    """
    try:
        index = json.loads((folder / _INDEX).read_text())
        if index["version"] != FORMAT_VERSION:
            raise InputError(f"the frame store {folder} is of another version", given=index["version"], allowed=FORMAT_VERSION)
        lengths = np.array(index["lengths"], np.int64)
        shape = (int(lengths.sum()), index["resolution"], index["resolution"], 3)
        frames = np.memmap(folder / _FRAMES, np.uint8, "r", shape=shape)
        names, fps, problems = index["names"], index["fps"], index["problems"]
    except (OSError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"the frame store {folder} is damaged ({error})", fix="delete it") from error
    offsets = np.cumsum(lengths) - lengths
    return FrameStore(frames, offsets, lengths, tuple(names), tuple(fps), tuple((name, reason) for name, reason in problems))


def default_cache() -> Path:
    """$LATENTREEL_CACHE, else ~/.cache/latentreel."""
    return Path(os.environ.get("LATENTREEL_CACHE") or Path.home() / ".cache" / "latentreel")


@contextlib.contextmanager
def _sole_builder(folder: Path) -> Iterator[None]:
    """Lets one process, or thread, build a store while the others that want it wait."""
    with (require_writable(folder.parent) / f"{folder.name}.lock").open("w") as lock:
        with contextlib.suppress(OSError):  # a file system without locks: each builds its own, and the last one stays
            fcntl.flock(lock, fcntl.LOCK_EX)
            remove_partials(folder.parent, of=folder.name)
        yield


def _digest(source: VideoSource) -> str:
    """Changes when a file is added, removed, renamed or changed; not when the whole folder moves."""
    digest = hashlib.sha256(source.kind.encode())
    for item in source.items:
        for file in item.files():
            try:
                status = file.stat()
                stamp = f"{status.st_size}:{status.st_mtime_ns}"
            except OSError:
                stamp = "unreadable"
            digest.update(f"{item.name}\0{file.name}\0{stamp}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()
