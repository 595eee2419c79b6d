"""Frames decoded once and kept, so that training does not wait: a memory-mapped uint8 file and an index, in a cache folder."""

import contextlib
import fcntl
import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from latentreel.core.errors import InputError
from latentreel.core.files import atomic_path, remove_partials, require_writable
from latentreel.data.clip_decoding import FrameClip, FrameSupplier, Progress, decode_clips
from latentreel.data.framing import Fit
from latentreel.data.packed_frames import is_packed, open_packed
from latentreel.data.source_items import Expect
from latentreel.data.sources import VideoSource, open_source
from latentreel.media.decode import natural_key
from latentreel.media.limits import DEFAULT_LIMITS, DecodeLimits

Pixels = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.int64]

FORMAT_VERSION = 3
"""Part of every digest: a change of what a store holds makes older ones unseen."""

MOST_NOTES = 3
"""Notes that are shown; all are in the store."""

_FRAMES, _INDEX = "frames.u8", "index.json"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class FrameStore:
    """The frames of many clips, of one size, end to end. F frames in V clips."""

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

    fit: Fit = "crop"
    """What became of frames that were no squares."""

    class_names: tuple[str, ...] = ()
    """The class of each clip, [V], where it has one and else ""; empty where no clip has."""

    notes: tuple[tuple[str, str], ...] = ()
    """What should be known of the clips: name and note."""

    cuts: tuple[tuple[int, ...], ...] = ()
    """The frames of each clip with which new scenes begin, [V]; empty where nobody has looked for them."""

    @property
    def digest(self) -> str:
        """Tells stores of different clips apart: a hash of names, lengths, rates, size, and fit and cuts if they are not plain."""
        told: tuple[object, ...] = (self.names, self.lengths.tolist(), self.fps, self.resolution)
        told = told if self.fit == "crop" else (*told, self.fit)
        told = (*told, self.cuts) if any(self.cuts) else told
        return hashlib.sha256(repr(told).encode()).hexdigest()

    @property
    def resolution(self) -> int:
        """Rows and columns of a frame; the fewer of them where the proportions were kept."""
        return int(min(self.frames.shape[1:3]))

    @property
    def classes(self) -> tuple[str, ...]:
        """All classes, in natural order."""
        return tuple(sorted(set(self.class_names) - {""}, key=natural_key))

    @property
    def labels(self) -> Indices:
        """Which of the classes each clip has, [V]; -1 where it has none."""
        numbers = {name: number for number, name in enumerate(self.classes)}
        return np.array([numbers.get(name, -1) for name in self.class_names or [""] * len(self.names)], np.int64)

    def take(self, clips: Sequence[int]) -> "FrameStore":
        """A store of some of the clips, by index, as `split` gives them; the frames are shared."""
        chosen = np.asarray(clips, np.int64)
        return replace(
            self,
            offsets=self.offsets[chosen],
            lengths=self.lengths[chosen],
            names=tuple(self.names[clip] for clip in chosen),
            fps=tuple(self.fps[clip] for clip in chosen),
            class_names=tuple(self.class_names[clip] for clip in chosen) if self.class_names else (),
            cuts=tuple(self.cuts[clip] for clip in chosen) if self.cuts else (),
        )

    def scenes(self) -> tuple[Indices, Indices, Indices]:
        """The stretches without a cut, S of them, in order: the clip of each, its first frame there, and its length, [S] each."""
        clips, firsts, ends = [], [], []
        for clip, length in enumerate(self.lengths.tolist()):
            bounds = [0, *(self.cuts[clip] if self.cuts else ()), length]
            clips += [clip] * (len(bounds) - 1)
            firsts += bounds[:-1]
            ends += bounds[1:]
        first = np.array(firsts, np.int64)
        return np.array(clips, np.int64), first, np.array(ends, np.int64) - first


def open_frame_store(
    path: Path | str,
    *,
    resolution: int,
    expect: Expect = "videos",
    fit: Fit = "crop",
    limits: DecodeLimits = DEFAULT_LIMITS,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> FrameStore:
    """The frames of a folder or an archive of videos, frame folders, strips or stills; decoded on first use, found ever after.

    A store is found by the names, sizes and times of the files, the resolution and the fit, wherever the folder lies.

    Args:
        path: As for `open_source`.
        resolution: Rows and columns of the stored frames.
        expect: As for `open_source`.
        fit: As for `decode_clips`.
        limits: What a file may ask for.
        cache: Folder of all stores; by default $LATENTREEL_CACHE, else ~/.cache/latentreel.
        progress: Told of every item done while the store is built.

    Returns:
        The store. Items that could not be decoded are in its `problems`.

    Raises:
        InputError: There is nothing to decode, nothing can be decoded, or the disk is too small.
    """
    packed = _packed_store(path, resolution, expect, fit)
    if packed is not None:
        return packed
    source = open_source(path, expect=expect, limits=limits)
    suppliers = [(item.name, item.open) for item in source.items]
    store = cached_frame_store(
        suppliers, digest=_digest(source, limits), resolution=resolution, fit=fit, cache=cache, progress=progress
    )
    labels = {item.name: item.label for item in source.items}
    class_names = tuple(labels[name] for name in store.names) if any(labels.values()) else ()
    gaps = [(item.name, item.note) for item in source.items if item.note]
    for name, note in gaps[:MOST_NOTES]:
        _log.warning("%s: %s%s", name, note, f" ({len(gaps)} such)" if len(gaps) > MOST_NOTES else "")
    return replace(store, class_names=class_names, notes=(*gaps, *store.notes))


def _packed_store(path: Path | str, resolution: int, expect: Expect, fit: Fit) -> FrameStore | None:
    """Packed frames of this resolution, as they lie; None where they must be resized, or are none."""
    if not is_packed(path):
        return None
    part = open_packed(path, expect=expect)
    manifest = part.manifest
    if (manifest.height, manifest.width) != (resolution, resolution):
        return None
    if fit != manifest.fit:
        _log.warning("%s was prepared with fit %s: %s does not change it", path, manifest.fit, fit)
    part.require_intact()
    return FrameStore(
        part.frames,
        part.offsets,
        part.lengths,
        tuple(clip.name for clip in part.clips),
        tuple(clip.fps for clip in part.clips),
        manifest.left_out,
        manifest.fit,
        tuple(clip.label for clip in part.clips) if any(clip.label for clip in part.clips) else (),
        tuple((clip.name, clip.note) for clip in part.clips if clip.note),
        tuple(clip.cuts for clip in part.clips),
    )


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
    items: Sequence[FrameSupplier],
    *,
    digest: str,
    resolution: int,
    fit: Fit = "crop",
    cache: Path | None = None,
    progress: Progress | None = None,
) -> FrameStore:
    """The store for a digest, built from suppliers if it is not in the cache.

    Args:
        items: The suppliers; asked only if the store is built.
        digest: Names their content, e.g. a hash of a world's name, seed and settings.
        resolution: As for `open_frame_store`; need not be part of the digest.
        fit: As for `decode_clips`; the same holds.
        cache: As for `open_frame_store`.
        progress: As for `open_frame_store`.

    Returns:
        The store.

    Raises:
        InputError: As for `build_frame_store`.
    """
    key = hashlib.sha256(f"{FORMAT_VERSION}/{resolution}/{fit}/{digest}".encode()).hexdigest()[:24]
    folder = (cache or default_cache()) / "frames" / f"{resolution}px-{key}"
    with contextlib.nullcontext() if folder.exists() else _sole_builder(folder):
        if folder.exists():
            try:
                return read_frame_store(folder)
            except InputError as error:
                _log.warning("%s; it is built anew", error)
        return build_frame_store(items, resolution=resolution, fit=fit, folder=folder, progress=progress)


def build_frame_store(
    items: Sequence[FrameSupplier], *, resolution: int, fit: Fit = "crop", folder: Path, progress: Progress | None = None
) -> FrameStore:
    """Decodes or renders every item once, several at a time, and keeps the frames, resized (Lanczos).

    Args:
        items: A name and what opens or renders its clip, for each. If one raises `InputError`, that is noted as a
            problem and the others go on.
        resolution: Rows and columns of the stored frames.
        fit: As for `decode_clips`.
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
        decoded = decode_clips(items, temporary / _FRAMES, resolution=resolution, fit=fit, progress=progress)
        index = {
            "version": FORMAT_VERSION,
            "size": decoded.size,
            "fit": fit,
            "names": decoded.names,
            "lengths": decoded.lengths,
            "fps": decoded.fps,
            "cuts": decoded.cuts,
            "notes": decoded.notes,
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
        shape = (int(lengths.sum()), *index["size"], 3)
        frames = np.memmap(folder / _FRAMES, np.uint8, "r", shape=shape)
        names, fps, fit = tuple(index["names"]), tuple(index["fps"]), index["fit"]
        problems = tuple((name, reason) for name, reason in index["problems"])
        notes = tuple((name, note) for name, note in index["notes"])
        cuts = tuple(tuple(map(int, places)) for places in index["cuts"])
    except (OSError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"the frame store {folder} is damaged ({error})", fix="delete it") from error
    offsets = np.cumsum(lengths) - lengths
    return FrameStore(frames, offsets, lengths, names, fps, problems, fit, notes=notes, cuts=cuts)


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


def _digest(source: VideoSource, limits: DecodeLimits) -> str:
    """Changes when a file is added, removed, renamed or changed, or another limit set; not when the whole folder moves."""
    digest = hashlib.sha256(f"{source.kind} {limits if limits != DEFAULT_LIMITS else ''}".encode())
    for item in source.items:
        for file in item.files:
            digest.update(f"{item.name}\0{file.name}\0{file.content_stamp()}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()
