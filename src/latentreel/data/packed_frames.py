"""Packed frames: videos prepared once, as raw frames of one size and a manifest that says what each is and was.

    FOLDER/manifest.json        every clip with its part, class, length, rate, source and digests
    FOLDER/PART/frames.u8       the frames of a part's clips, end to end: uint8 [F, H, W, 3]

The folder is named for its training part, `FOLDER/PART` for any. Frames are memory-mapped; nothing is read before it is wanted.
"""

import hashlib
import io
import json
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
import numpy.typing as npt

from latentreel.core.errors import InputError
from latentreel.data.framing import Fit
from latentreel.data.source_files import SourceFile
from latentreel.data.source_items import Expect, SourceItem
from latentreel.media.video_stream import VideoStream

Pixels = npt.NDArray[np.uint8]

MANIFEST = "manifest.json"
FRAMES = "frames.u8"
FORMAT = "latentreel packed frames 1"
TRAINING = "train"
"""The part that a folder stands for where it has several."""

WHOLE = "all"
"""The part of a folder that was not split."""

CHECKED_BYTES = 256 * 2**20
"""So much of the frames is held to its digests when a part is opened; all of it by `latentreel data check`."""

UNFINISHED = "packing.jsonl"
"""Beside the manifest while the packing goes on: what is done."""

_PREPARE = "prepare it anew with latentreel data prepare"


@dataclass(frozen=True, kw_only=True)
class PackedClip:
    """One clip of a manifest."""

    name: str
    """As the source calls it."""

    part: str
    """Which frames file it is in; clips stand there in the order of the manifest."""

    label: str = ""
    """Its class; empty where it has none."""

    frames: int
    """How many, T."""

    fps: float
    """Frames per second."""

    source_width: int
    """Columns of the source's frames before they were cropped and resized."""

    source_height: int
    """Their rows."""

    source_sha256: str
    """Of the file; of a clip in several files, of their digests one after the other."""

    sha256: str
    """Of its packed frames."""

    cuts: tuple[int, ...] = ()
    """The frames with which new scenes begin."""

    note: str = ""
    """What was done to it, or is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a folder of packed frames says about itself."""

    format: str = FORMAT

    plan: str
    """Digest of the source's files and of all settings: what an interrupted packing must share with the one that goes on."""

    source: str
    """The last part of the source's path."""

    recipe: str = ""
    """The dataset; empty where no recipe was used."""

    terms: str = ""
    """The dataset's licence or terms, as far as the recipe knows them."""

    expect: Literal["videos", "images"] = "videos"
    """What it was made for."""

    height: int
    """Rows of every frame."""

    width: int
    """Columns of every frame."""

    fit: Fit
    """What became of frames that were no squares."""

    crop: str = ""
    """What was cut out before: empty, or where the boxes came from."""

    split: str = ""
    """How clips were divided into parts; empty where they were not."""

    clips: tuple[PackedClip, ...]

    left_out: tuple[tuple[str, str], ...] = ()
    """Name and reason."""

    @property
    def parts(self) -> tuple[str, ...]:
        """In the order of their first clips."""
        return tuple(dict.fromkeys(clip.part for clip in self.clips))

    @property
    def frame_bytes(self) -> int:
        """Of one frame."""
        return self.height * self.width * 3

    def shared_content(self) -> list[tuple[str, ...]]:
        """Names of clips in different parts whose source files are the same, byte for byte."""
        places: dict[str, list[PackedClip]] = defaultdict(list)
        for clip in self.clips:
            places[clip.source_sha256].append(clip)
        alike = (clips for clips in places.values() if len({clip.part for clip in clips}) > 1)
        return [tuple(clip.name for clip in clips) for clips in alike]

    def as_json(self) -> str:
        """The file's text."""
        return json.dumps(asdict(self), indent=1) + "\n"


@dataclass(frozen=True, eq=False)
class PackedPart:
    """One part, opened."""

    root: Path
    manifest: Manifest
    name: str
    clips: tuple[PackedClip, ...] = field(repr=False)
    frames: Pixels = field(repr=False)
    """uint8 [F, H, W, 3], memory-mapped, read-only."""

    @property
    def path(self) -> Path:
        """The file of frames."""
        return self.root / self.name / FRAMES

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Frames of each clip, [V]."""
        return np.array([clip.frames for clip in self.clips], np.int64)

    @property
    def offsets(self) -> npt.NDArray[np.int64]:
        """Where each clip begins, [V]."""
        return np.cumsum(self.lengths) - self.lengths

    def require_intact(self, most_bytes: int = CHECKED_BYTES) -> None:
        """Holds the last clip, the first and others evenly between them to their digests, as far as the bytes go.

        Raises:
            InputError: The frames of one are others.
        """
        mean_bytes = self.manifest.frame_bytes * int(self.lengths.sum()) / len(self.clips)
        count = min(len(self.clips), max(2, round(most_bytes / mean_bytes)))
        for index in np.unique(np.linspace(0, len(self.clips) - 1, count).round().astype(int))[::-1].tolist():
            size = self.clips[index].frames * self.manifest.frame_bytes
            if size <= most_bytes:
                self.clip_frames(index)
                most_bytes -= size

    def clip_frames(self, index: int) -> Pixels:
        """The frames of a clip, held to their digest.

        Returns:
            uint8 [T, H, W, 3], memory-mapped.

        Raises:
            InputError: They are others than were packed.
        """
        clip, start = self.clips[index], int(self.offsets[index])
        frames = self.frames[start : start + clip.frames]
        if hashlib.sha256(frames).hexdigest() != clip.sha256:  # type: ignore[arg-type]
            raise InputError(f"{clip.name} in {self.path} is damaged: its frames have another digest", fix=_PREPARE)
        return frames

    def items(self) -> Iterator[SourceItem]:
        """The clips as those of any other source."""
        for index, clip in enumerate(self.clips):
            size = clip.frames * self.manifest.frame_bytes
            file = SourceFile(clip.name, self.path, size, clip.sha256, partial(self._bytes, index))
            yield SourceItem(clip.name, self.path, (file,), partial(self._open, index), clip.label, clip.note)

    def _bytes(self, index: int) -> IO[bytes]:
        return io.BytesIO(self.clip_frames(index).tobytes())

    def _open(self, index: int) -> VideoStream:
        frames, fps = self.clip_frames(index), self.clips[index].fps
        times = [t / fps for t in range(len(frames))]
        return VideoStream(iter(frames), fps, len(frames), len(frames) / fps, times)


def is_packed(path: Path | str) -> bool:
    """Whether a path names packed frames, or one part of them; finished or not."""
    return _place(Path(path)) is not None


def packed_parts(path: Path | str) -> tuple[str, ...]:
    """The parts that a path stands for: the one that is named, or all in the folder.

    Args:
        path: A folder for which `is_packed` holds.

    Raises:
        InputError: The packing is unfinished, or the manifest damaged.
    """
    place = _place(Path(path))
    assert place is not None
    root, wanted = place
    return (wanted,) if wanted else read_manifest(root).parts


def open_packed(path: Path | str, *, expect: Expect = "videos") -> PackedPart:
    """Opens a part: the one that is named, else the only one, else the one for training.

    Args:
        path: A folder for which `is_packed` holds.
        expect: What is wanted; clips serve as pictures, too, but pictures are no clips.

    Raises:
        InputError: The packing is unfinished, the manifest damaged, the part missing, or the file has another size.
    """
    place = _place(Path(path))
    assert place is not None
    root, wanted = place
    manifest = read_manifest(root)
    if expect == "videos" and manifest.expect == "images":
        raise InputError(f"{path} holds pictures and no clips", fix="prepare it from videos")
    part = wanted or (manifest.parts[0] if len(manifest.parts) == 1 else TRAINING)
    if part not in manifest.parts:
        raise InputError(f"{root} has no part {part!r}", allowed=", ".join(str(root / name) for name in manifest.parts))
    clips = tuple(clip for clip in manifest.clips if clip.part == part)
    return PackedPart(root, manifest, part, clips, _mapped(root / part / FRAMES, manifest, clips))


def read_manifest(root: Path) -> Manifest:
    """The manifest of a folder.

    Raises:
        InputError: It is missing, damaged or of another version, or the packing is unfinished.
    """
    path = root / MANIFEST
    if not path.is_file():
        fix = "run the same latentreel data prepare again: it goes on where it stopped"
        raise InputError(f"{root} is not prepared yet: the packing has not come to its end", fix=fix)
    try:
        values: Any = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            given = values.get("format") if isinstance(values, dict) else type(values).__name__
            raise InputError(f"{path} is of another kind or version", given=given, allowed=FORMAT, fix=_PREPARE)
        clips = tuple(_clip(clip) for clip in values.pop("clips"))
        left_out = tuple((str(name), str(reason)) for name, reason in values.pop("left_out"))
        manifest = Manifest(clips=clips, left_out=left_out, **values)
        if not clips or min(int(manifest.height), int(manifest.width)) < 1:
            raise ValueError("its numbers are out of range")
    except (OSError, ValueError, TypeError, KeyError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is damaged: {error}", fix=_PREPARE) from error
    return manifest


def _clip(values: dict[str, Any]) -> PackedClip:
    cuts = tuple(int(cut) for cut in values.pop("cuts"))
    clip = PackedClip(cuts=cuts, **values)
    if not isinstance(clip.frames, int) or clip.frames < 1 or not 0 < float(clip.fps) < math.inf:
        raise ValueError(f"{clip.name} has {clip.frames} frames at {clip.fps} frames per second")
    if not clip.part or Path(clip.part).name != clip.part:
        raise ValueError(f"a part cannot be called {clip.part!r}")
    return clip


def _mapped(path: Path, manifest: Manifest, clips: Sequence[PackedClip]) -> Pixels:
    count = sum(clip.frames for clip in clips)
    try:
        size = path.stat().st_size
        if size != count * manifest.frame_bytes:
            given, allowed = f"{size} bytes", f"{count * manifest.frame_bytes} bytes"
            raise InputError(f"{path} has another size than its manifest says", given=given, allowed=allowed, fix=_PREPARE)
        return np.memmap(path, np.uint8, "r", shape=(count, manifest.height, manifest.width, 3))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}", fix=_PREPARE) from error


def _place(path: Path) -> tuple[Path, str] | None:
    """The folder with the manifest, and the part that is named; empty where none is."""
    if _is_root(path):
        return path, ""
    resolved = path.absolute()
    if (path / FRAMES).is_file() and _is_root(resolved.parent):
        return resolved.parent, resolved.name
    return None


def _is_root(path: Path) -> bool:
    if (path / UNFINISHED).is_file():
        return True
    try:
        with (path / MANIFEST).open("rb") as file:
            return b"latentreel packed frames" in file.read(64)
    except OSError:
        return False
