"""Packs a source into `packed_frames`, once; killed at any moment, the same call goes on where it stopped.

A journal beside the frames says which clips are done. It is written after their frames have reached the disk, so whatever the
frames files hold beyond it is cut off and made anew. The manifest comes last: without it nothing is there. The result does not
depend on interruptions, byte for byte.
"""

import errno
import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import IO, Any

from latentreel.core.errors import InputError
from latentreel.core.files import atomic_path, remove_partials, removed_if_empty, sole_user
from latentreel.data.clip_decoding import FrameClip, Progress, decode_clip
from latentreel.data.content_digest import content_digest
from latentreel.data.framing import Fit
from latentreel.data.packed_frames import FRAMES, MANIFEST, UNFINISHED, Manifest, PackedClip, open_packed, read_manifest
from latentreel.data.packing_journal import JOURNAL_FORMAT, Entry, PackingJournal
from latentreel.data.source_files import DISK_FULL
from latentreel.data.source_items import Expect, SourceItem
from latentreel.data.working_ahead import in_order

_log = logging.getLogger(__name__)

ENLARGED = "smaller than the resolution: enlarged"
"""A clip's note."""

Cut = Callable[[Callable[[], FrameClip]], FrameClip]
"""Takes what opens a clip, and gives the clip with its frames cut. Called from several threads."""


@dataclass(frozen=True, kw_only=True)
class PlannedClip:
    """One clip to be packed."""

    item: SourceItem
    part: str
    label: str = ""

    cut: Cut | None = None
    """What is done before frames are brought to size; None: nothing."""


@dataclass(frozen=True, kw_only=True)
class PackingPlan:
    """All that a packing depends on."""

    source: str
    """The last part of the source's path."""

    resolution: int
    """Rows and columns of the packed frames; for "keep" the shorter of the two."""

    fit: Fit = "crop"
    expect: Expect = "videos"
    clips: tuple[PlannedClip, ...] = field(repr=False)

    recipe: str = ""
    terms: str = ""
    crop: str = ""
    split: str = ""

    left_out: tuple[tuple[str, str], ...] = ()
    """What was left out before: name and reason."""

    def __post_init__(self) -> None:
        if self.resolution < 1:
            raise InputError("the resolution is out of range", given=self.resolution, allowed="1 or more")
        if not self.clips:
            reasons = " | ".join(reason for _, reason in self.left_out[:3])
            raise InputError("there is no clip to prepare", given=reasons or None)

    @property
    def digest(self) -> str:
        """Changes with every setting and every file of the source."""
        told: list[object] = [JOURNAL_FORMAT, self.resolution, self.fit, self.expect, self.recipe, self.crop, self.split]
        digest = hashlib.sha256(repr(told).encode())
        for clip in self.clips:
            stamps = [(file.name, file.content_stamp()) for file in clip.item.files]
            digest.update(ascii((clip.item.name, clip.part, clip.label, stamps)).encode())
        return digest.hexdigest()


@dataclass(frozen=True)
class _Finished:
    """A clip that was packed, or left out."""

    entry: Entry
    frames: IO[bytes] | None = None


def pack(plan: PackingPlan, out: Path | str, *, progress: Progress | None = None) -> Manifest:
    """Packs what was not packed yet.

    Args:
        plan: What to pack, and how.
        out: The folder; missing, empty, or one in which the same packing stopped.
        progress: Told of the clips that are done.

    Returns:
        The manifest, as it stands in the folder.

    Raises:
        InputError: The folder holds something else, the source or a setting has changed since, no clip can be decoded, or the
            disk is full.
    """
    out = Path(out)
    with removed_if_empty(out), sole_user(out):
        remove_partials(out)
        digest = plan.digest
        if (out / MANIFEST).exists():
            manifest = read_manifest(out)
            if manifest.plan != digest:
                raise InputError(f"{out} holds packed frames of another source or other settings", fix="choose another folder")
            if _is_intact(manifest, out, progress):
                (out / UNFINISHED).unlink(missing_ok=True)
                return manifest
            _log.warning("what was packed in %s is damaged: it is packed anew", out)
            _remove_packed(manifest, out)
        if not (out / UNFINISHED).exists() and any(out.iterdir()):
            raise InputError(f"{out} is not empty", fix="choose another folder")
        try:
            with PackingJournal(out, digest) as journal:
                _pack_rest(plan, journal, progress)
                manifest = _manifest(plan, digest, journal.entries)
                journal.finish()
        except InputError:
            _remove_if_nothing_was_packed(out)
            raise
        except OSError as error:
            if error.errno not in (*DISK_FULL, errno.EROFS, errno.EACCES, errno.EIO):
                raise
            fix = "free some space; the same command goes on where it stopped"
            raise InputError(f"cannot write to {out}: {error.strerror}", fix=fix) from error
        with atomic_path(out / MANIFEST) as temporary:
            temporary.write_text(manifest.as_json(), encoding="utf-8")
        (out / UNFINISHED).unlink()
    return manifest


def _is_intact(manifest: Manifest, out: Path, progress: Progress | None) -> bool:
    """Whether every clip's frames are still those that were packed."""
    done = 0
    try:
        for name in manifest.parts:
            if not (out / name / FRAMES).is_file():
                return False
            part = open_packed(out / name, expect=manifest.expect)
            for index in range(len(part.clips)):
                part.clip_frames(index)
                done += 1
                if progress is not None:
                    progress(done, len(manifest.clips))
    except InputError:
        return False
    return True


def _remove_packed(manifest: Manifest, out: Path) -> None:
    """Leaves the folder as it was before anything was packed; the manifest, which vouches for the rest, goes first."""
    (out / MANIFEST).unlink()
    (out / UNFINISHED).unlink(missing_ok=True)
    for name in manifest.parts:
        (out / name / FRAMES).unlink(missing_ok=True)
        with suppress(OSError):
            (out / name).rmdir()


def _remove_if_nothing_was_packed(out: Path) -> None:
    """Leaves no journal without frames behind."""
    if not any(path.is_dir() for path in out.iterdir()):
        (out / UNFINISHED).unlink(missing_ok=True)
        with suppress(OSError):
            out.rmdir()  # where it was there before, and holds nothing, nothing is lost


def _pack_rest(plan: PackingPlan, journal: PackingJournal, progress: Progress | None) -> None:
    done = len(journal.entries)
    work = partial(_decode, plan=plan, spill=journal.out)
    for count, finished in enumerate(in_order(work, plan.clips[done:]), done + 1):
        journal.add(finished.entry, finished.frames)
        if progress is not None:
            progress(count, len(plan.clips))


def _decode(clip: PlannedClip, *, plan: PackingPlan, spill: Path) -> _Finished:
    """Decodes a clip, and says in an entry what it is."""
    measured = _Measured()
    opened = partial(measured.open, clip.item.open)
    supply = opened if clip.cut is None else partial(clip.cut, opened)
    decoded = decode_clip((clip.item.name, supply), resolution=plan.resolution, fit=plan.fit, spill=spill)
    source = ""
    if not decoded.problem:
        try:
            source = content_digest(clip.item.files)
        except InputError as error:
            decoded = replace(decoded, problem=str(error))
    if decoded.problem:
        decoded.pixels.close()
        return _Finished({"left_out": [clip.item.name, decoded.problem]})
    pixels = hashlib.sha256()
    decoded.pixels.seek(0)
    while block := decoded.pixels.read(2**20):
        pixels.update(block)
    packed = PackedClip(
        name=clip.item.name,
        part=clip.part,
        label=clip.label,
        frames=decoded.num_frames,
        fps=decoded.fps,
        source_width=measured.size[1],
        source_height=measured.size[0],
        source_sha256=source,
        sha256=pixels.hexdigest(),
        cuts=decoded.cuts,
        note="; ".join(filter(None, (clip.item.note, *decoded.notes, ENLARGED if decoded.enlarged else ""))),
    )
    return _Finished({"clip": asdict(packed), "size": list(decoded.size)}, decoded.pixels)


class _Measured:
    """Notes the size of a clip's first frame while others read it."""

    def __init__(self) -> None:
        self.size = (0, 0)

    def open(self, supply: Callable[[], FrameClip]) -> FrameClip:
        clip = supply()
        self._clip, self.fps, self.notes = clip, clip.fps, getattr(clip, "notes", ())
        return self

    @property
    def frames(self) -> Iterator[Any]:
        for frame in self._clip.frames:
            self.size = self.size if self.size[0] else frame.shape[:2]
            yield frame


def _manifest(plan: PackingPlan, digest: str, entries: Sequence[Entry]) -> Manifest:
    packed = [entry for entry in entries if "clip" in entry]
    left_out = (*plan.left_out, *((name, reason) for name, reason in (e["left_out"] for e in entries if "left_out" in e)))
    if not packed:
        reasons = " | ".join(reason for _, reason in left_out[:3])
        raise InputError(f"none of {len(entries)} clips can be decoded", given=reasons)
    height, width = packed[0]["size"]
    return Manifest(
        plan=digest,
        source=plan.source,
        recipe=plan.recipe,
        terms=plan.terms,
        expect=plan.expect,
        height=height,
        width=width,
        fit=plan.fit,
        crop=plan.crop,
        split=plan.split,
        clips=tuple(PackedClip(**{**entry["clip"], "cuts": tuple(entry["clip"]["cuts"])}) for entry in packed),
        left_out=left_out,
    )
