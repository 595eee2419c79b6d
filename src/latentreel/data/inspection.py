"""Looks at every file of a source, decodes what can be decoded, and says of each whether it can be used, and why not.

Nothing stops it but a place that cannot be looked into at all: what goes wrong with a file is that file's verdict.
"""

import io
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from latentreel.core.errors import InputError
from latentreel.data.content_digest import content_digest
from latentreel.data.likeness import Signature, SignatureMaker, groups_alike
from latentreel.data.packed_frames import FRAMES, MANIFEST, is_packed
from latentreel.data.scene_cuts import CutDetector
from latentreel.data.source_files import SourceFile, loose_files
from latentreel.data.source_items import Expect, SourceItem
from latentreel.data.sources import ARCHIVE_SUFFIXES, open_source
from latentreel.data.working_ahead import in_order
from latentreel.media.decode import natural_key
from latentreel.media.limits import DEFAULT_LIMITS, DecodeLimits

Pixels = npt.NDArray[np.uint8]
Progress = Callable[[int, int], None]

Verdict = Literal["usable", "damaged", "refused", "ignored"]
"""usable: whole. damaged: what could be decoded of it is used. refused: nothing of it is. ignored: it is not looked at."""

THUMBNAIL_ROWS = 72
THUMBNAIL_FRAMES = 4
"""Frames of a clip side by side in its thumbnail."""

_KEPT_THUMBNAILS = 4 * THUMBNAIL_FRAMES

_DAMAGE = re.compile(r"breaks off|gives \d+ of|ends after|damaged frames|the first \d+ packets")
"""How the notes of a damaged file begin (`media.decode`, `media.containers`)."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What is known of one clip, picture or other file."""

    name: str
    """Its path below the root, with forward slashes."""

    verdict: Verdict

    reason: str = ""
    """Why it is not usable as it is, or what was done to it; empty where there is nothing to say."""

    label: str = ""
    """Its class; empty where it has none."""

    files: int = 1
    """How many files it consists of."""

    num_bytes: int = 0
    """Their size together."""

    frames: int = 0
    """That were decoded."""

    width: int = 0
    """Columns of its first frame, upright and with square pixels."""

    height: int = 0
    """Rows of it."""

    fps: float = 0.0
    seconds: float = 0.0

    cuts: tuple[int, ...] = ()
    """The frames with which new scenes begin."""

    sha256: str = ""
    """Of the file; of several files, of their digests one after the other."""

    signature: Signature | None = field(default=None, repr=False)
    """See `likeness`."""

    thumbnail: bytes = field(default=b"", repr=False)
    """Some frames side by side, as JPEG."""


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What was found in one place."""

    root: str
    kind: str
    """As `VideoSource.kind`; empty where nothing can be used."""

    findings: tuple[Finding, ...]
    """In natural order of their names; ignored files last."""

    duplicates: tuple[tuple[str, ...], ...] = ()
    """Names of clips that are the same, byte for byte."""

    alike: tuple[tuple[str, ...], ...] | None = ()
    """Names of clips that show the same; None where too many look alike to be compared."""

    def of(self, *verdicts: Verdict) -> list[Finding]:
        """The findings with one of these verdicts."""
        return [finding for finding in self.findings if finding.verdict in verdicts]


def inspect(
    path: Path | str, *, expect: Expect = "videos", limits: DecodeLimits = DEFAULT_LIMITS, progress: Progress | None = None
) -> Inspection:
    """Decodes everything once, several clips at a time, in memory that does not grow with their length.

    Args:
        path: As for `open_source`.
        expect: As for `open_source`.
        limits: What a file may ask for.
        progress: Told of the clips that are done.

    Raises:
        InputError: The place is missing, cannot be looked into, or holds no file.
    """
    unreadable: list[Finding] = []

    def note(error: OSError) -> None:
        name = Path(str(error.filename)).name
        unreadable.append(Finding(name=name, verdict="refused", reason=f"cannot look into this folder: {error.strerror}"))

    root = Path(path)
    others = [] if is_packed(root) or not root.is_dir() else list(loose_files(root, on_error=note))
    unreadable_folders = tuple(unreadable)
    try:
        source = open_source(path, expect=expect, limits=limits, on_error=lambda _: None)
        items, kind = source.items, str(source.kind)
    except InputError:
        if not others and not unreadable_folders:
            raise
        items, kind = (), ""
    findings: list[Finding] = []
    for finding in in_order(_look, items):
        findings.append(finding)
        if progress is not None:
            progress(len(findings), len(items))
    ignored = [_ignored(file, kind) for file in sorted(_rest(others, items), key=lambda file: natural_key(file.name))]
    return Inspection(
        root=str(path),
        kind=kind,
        findings=(*findings, *unreadable_folders, *ignored),
        duplicates=_duplicates(findings),
        alike=_alike(findings),
    )


def _look(item: SourceItem) -> Finding:
    known: dict[str, Any] = {"name": item.name, "label": item.label, "files": len(item.files), "num_bytes": _size(item.files)}
    watcher = _Watcher()
    try:
        stream = item.open()  # first: it refuses pipes, which would never end
        known["sha256"] = content_digest(item.files)
        for frame in stream.frames:
            watcher.see(frame)
        notes = list(filter(None, [item.note, *stream.notes]))
    except InputError as error:
        return Finding(verdict="refused", reason=_without_path(str(error), item), **known)
    except Exception as error:  # whatever it is, the other files shall be looked at
        return Finding(verdict="refused", reason=f"unexpected {type(error).__name__}: {' '.join(str(error).split())}", **known)
    if not watcher.count:
        return Finding(verdict="refused", reason="holds no frame", **known)
    if len(watcher.sizes) > 1:
        sizes = " and ".join(f"{width}x{height}" for height, width in sorted(watcher.sizes))
        notes.append(f"changes its size: {sizes}")
    damaged = any(_DAMAGE.match(note) for note in notes)
    height, width = watcher.first_size
    return Finding(
        verdict="damaged" if damaged else "usable",
        reason="; ".join(notes),
        frames=watcher.count,
        width=width,
        height=height,
        fps=float(stream.fps),
        seconds=watcher.count / stream.fps,
        cuts=tuple(watcher.cuts.cuts()),
        signature=watcher.likeness.signature(),
        thumbnail=watcher.thumbnail(),
        **known,
    )


class _Watcher:
    """Sees the frames of one clip, and keeps little of them."""

    def __init__(self) -> None:
        self.count = 0
        self.first_size = (0, 0)
        self.sizes: set[tuple[int, int]] = set()
        self.cuts, self.likeness = CutDetector(), SignatureMaker()
        self._thumbnails: list[Image.Image] = []
        self._stride = 1

    def see(self, frame: Pixels) -> None:
        height, width = frame.shape[:2]
        if not self.count:
            self.first_size = (height, width)
        self.sizes.add((height, width))
        self.cuts.see(frame)
        self.likeness.see(frame)
        if self.count % self._stride == 0:
            size = max(1, min(3 * THUMBNAIL_ROWS, round(THUMBNAIL_ROWS * width / height))), THUMBNAIL_ROWS
            self._thumbnails.append(Image.fromarray(frame).resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0))
            if len(self._thumbnails) > _KEPT_THUMBNAILS:
                self._thumbnails, self._stride = self._thumbnails[::2], 2 * self._stride
        self.count += 1

    def thumbnail(self) -> bytes:
        chosen = np.linspace(0, len(self._thumbnails) - 1, min(THUMBNAIL_FRAMES, len(self._thumbnails))).round().astype(int)
        tiles = [self._thumbnails[index] for index in chosen]
        strip = Image.new("RGB", (sum(tile.width for tile in tiles), THUMBNAIL_ROWS))
        for index, tile in enumerate(tiles):
            strip.paste(tile, (sum(before.width for before in tiles[:index]), 0))
        file = io.BytesIO()
        strip.save(file, "JPEG", quality=80)
        return file.getvalue()


def _size(files: Sequence[SourceFile]) -> int:
    return sum(_bytes(file) for file in files)


def _bytes(file: SourceFile) -> int:
    try:
        return file.size or (file.path.stat().st_size if file.is_loose else 0)
    except OSError:
        return 0


def _rest(files: Sequence[SourceFile], items: Sequence[SourceItem]) -> Iterator[SourceFile]:
    """The loose files that no item consists of."""
    used = {str(file.path) for item in items for file in item.files} | {str(item.path) for item in items}
    yield from (file for file in files if str(file.path) not in used)


def _ignored(file: SourceFile, kind: str) -> Finding:
    if file.is_picture and kind == "videos":
        reason = "a picture beside videos"
    elif file.suffix in ARCHIVE_SUFFIXES and kind:
        reason = "an archive beside loose files: it stays closed"
    elif file.name in (MANIFEST, FRAMES):
        reason = "packed frames below the folder: name their own folder"
    else:
        reason = "neither a video nor a picture, by its name"
    return Finding(name=file.name, verdict="ignored", reason=reason, num_bytes=_bytes(file))


def _without_path(text: str, item: SourceItem) -> str:
    """A reason without the file's own path, which the finding names already."""
    for path in (item.path.absolute(), item.path):
        text = text.removeprefix(f"{path}: ").removeprefix(f"{path} ")
        if path.suffix or len(path.parts) > 1:  # else it may be any word
            text = text.replace(f" in {path}", "").replace(f" {path}", "")
    return " ".join(text.split())


def _duplicates(findings: Sequence[Finding]) -> tuple[tuple[str, ...], ...]:
    same: dict[str, list[str]] = defaultdict(list)
    for finding in findings:
        if finding.sha256 and finding.num_bytes:
            same[finding.sha256].append(finding.name)
    return tuple(tuple(names) for names in same.values() if len(names) > 1)


def _alike(findings: Sequence[Finding]) -> tuple[tuple[str, ...], ...] | None:
    """Groups of clips that show the same and are not all the same file."""
    seen: set[str] = set()
    signatures = {}
    for finding in findings:
        if finding.signature is not None and finding.sha256 not in seen:
            signatures[finding.name] = finding.signature
            seen.add(finding.sha256)
    groups = groups_alike(signatures)
    return None if groups is None else tuple(groups)
