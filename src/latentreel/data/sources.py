"""Where training data comes from: a folder of videos, of frame folders, or of stills; which one is found from its content."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from latentreel.core.errors import InputError
from latentreel.media.decode import IMAGE_SUFFIXES, VIDEO_SUFFIXES, list_frames, natural_key

Expect = Literal["videos", "images"]
SourceKind = Literal["videos", "frame_folders", "images"]

_WHAT_TO_NAME = "name a folder of videos, of frame folders, or of images"


@dataclass(frozen=True)
class SourceItem:
    """One clip or still of a source."""

    name: str
    """Its path below the root, with forward slashes."""

    path: Path
    """The video file, frame folder, or image."""

    def files(self) -> list[Path]:
        """The files it consists of."""
        return list_frames(self.path) if self.path.is_dir() else [self.path]


@dataclass(frozen=True)
class VideoSource:
    """A folder that was looked through."""

    root: Path
    kind: SourceKind
    items: tuple[SourceItem, ...]
    """In natural order of their names."""


def open_source(path: Path | str, *, expect: Expect = "videos") -> VideoSource:
    """Looks through a folder, and the folders in it, for something to train on.

    For videos: video files if there are any; else every folder with images in it is one clip.
    For images: every still is one item, and every frame of a video file serves too.

    Args:
        path: The folder, or a single video or image file.
        expect: What the training needs. The same folder of images is one clip for one and many stills for the other.

    Returns:
        What was found. Nothing is decoded yet.

    Raises:
        InputError: The folder is missing, unreadable or empty, or nothing in it is of use.
    """
    root = Path(path)
    if expect not in ("videos", "images"):
        raise InputError("unknown kind of training data", given=expect, allowed="videos, images")
    try:
        root.stat()
    except OSError as error:
        raise InputError(f"cannot read {root}: {error.strerror}", fix=_WHAT_TO_NAME) from error
    files = [root] if root.is_file() else list(_files(root))
    videos = [file for file in files if file.suffix.lower() in VIDEO_SUFFIXES]
    images = [file for file in files if file.suffix.lower() in IMAGE_SUFFIXES]
    if images and (expect == "images" or not videos):
        kind: SourceKind = "images" if expect == "images" else "frame_folders"
        paths = images if root.is_file() else sorted({image.parent for image in images})
        if expect == "images":
            paths = images + videos
    elif videos:
        kind, paths = "videos", videos
    else:
        raise InputError(
            f"nothing in {root} can be used",
            given=_census(files),
            allowed=f"videos ({_listed(VIDEO_SUFFIXES)}) or images ({_listed(IMAGE_SUFFIXES)})",
            fix=_WHAT_TO_NAME,
        )
    items = (SourceItem(_name(root, path), path) for path in paths)
    return VideoSource(root, kind, tuple(sorted(items, key=lambda item: natural_key(item.name))))


def _files(root: Path) -> Iterator[Path]:
    """Every file below a folder but hidden ones; links to folders are followed, once each."""
    seen: set[str] = set()

    def refuse(error: OSError) -> None:
        raise InputError(f"cannot look into {error.filename}: {error.strerror}") from error

    for folder, subfolders, names in os.walk(root, onerror=refuse, followlinks=True):
        real = os.path.realpath(folder)
        subfolders[:] = [] if real in seen else [name for name in subfolders if not name.startswith(".")]
        if real not in seen:
            yield from (Path(folder, name) for name in names if not name.startswith("."))
        seen.add(real)


def _name(root: Path, path: Path) -> str:
    return path.name if path == root else path.relative_to(root).as_posix()


def _census(files: list[Path]) -> str:
    if not files:
        return "an empty folder"
    counts = Counter(file.suffix.lower() or "without suffix" for file in files)
    return ", ".join(f"{count} {suffix}" for suffix, count in counts.most_common(5))


def _listed(suffixes: frozenset[str]) -> str:
    return " ".join(sorted(suffixes))
