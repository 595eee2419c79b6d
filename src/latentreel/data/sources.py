"""Where training data comes from: a folder, an archive, or several; what lies there is found from the content.

Where loose videos and pictures lie, they are the data, and archives beside them stay closed. An archive is a zip, or a tar as the
shards of a WebDataset are.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NoReturn, TypeVar

from latentreel.core.errors import InputError
from latentreel.data.packed_frames import is_packed, open_packed
from latentreel.data.shards import expand_ranges, is_stream
from latentreel.data.source_files import SourceFile, loose_files
from latentreel.data.source_items import Expect as Expect
from latentreel.data.source_items import SourceItem, SourceKind, first_folder, items_among
from latentreel.data.tar_archives import tar_files
from latentreel.data.zip_archives import is_zip, zip_files
from latentreel.media.decode import IMAGE_SUFFIXES, VIDEO_SUFFIXES, natural_key
from latentreel.media.limits import DEFAULT_LIMITS, DecodeLimits

ARCHIVE_SUFFIXES = (".zip", ".tar")

Named = TypeVar("Named", SourceFile, SourceItem)

_WHAT_TO_NAME = "name a folder of videos, of frame folders, of image strips or of images, or an archive of these"


@dataclass(frozen=True)
class VideoSource:
    """What was found in one place."""

    root: Path
    kind: SourceKind
    items: tuple[SourceItem, ...]
    """In natural order of their names. What cannot be read of an archive is an item that cannot be opened."""


def open_source(
    path: Path | str,
    *,
    expect: Expect = "videos",
    limits: DecodeLimits = DEFAULT_LIMITS,
    on_error: Callable[[OSError], None] | None = None,
) -> VideoSource:
    """Looks through a folder, and the folders in it, or through archives, for something to train on.

    Args:
        path: The folder; a single video, picture, zip or tar file; or several as "data-{000..009}.tar".
        expect: What the training needs. The same folder of images is one clip for one and many stills for the other.
        limits: What a file may ask for when it is opened.
        on_error: As for `loose_files`.

    Returns:
        What was found (`items_among`). Nothing is decoded yet.

    Raises:
        InputError: The place is missing, unreadable or empty, or nothing in it is of use.
    """
    root = Path(path)
    if expect not in ("videos", "images"):
        raise InputError("unknown kind of training data", given=expect, allowed="videos, images")
    if is_stream(path):
        raise InputError(f"{path} can only be read once, from front to back", fix="download it")
    if is_packed(root):
        packed = open_packed(root, expect=expect)
        return VideoSource(root, "packed_frames", tuple(packed.items()))
    files = _files_at(path, on_error)
    kind, items = items_among(files, expect=expect, root_name=root.name, limits=limits)
    if not items:
        archives = [file for file in files if file.suffix in ARCHIVE_SUFFIXES or (file.path == root and is_zip(root))]
        kind, items = _items_in_archives(archives, expect, limits)
    if not items:
        raise InputError(
            f"nothing in {root} can be used",
            given=_census(files),
            allowed=f"videos ({_listed(VIDEO_SUFFIXES)}), images ({_listed(IMAGE_SUFFIXES)}) or archives of them (.tar .zip)",
            fix=_WHAT_TO_NAME,
        )
    return VideoSource(root, kind, tuple(sorted(items, key=lambda item: natural_key(item.name))))


def _files_at(path: Path | str, on_error: Callable[[OSError], None] | None) -> list[SourceFile]:
    root = Path(path)
    paths = [root] if root.exists() else [Path(name) for name in expand_ranges(str(path))]
    try:
        for each in paths:
            each.stat()
    except OSError as error:
        raise InputError(f"cannot read {each}: {error.strerror}", fix=_WHAT_TO_NAME) from error
    return list(loose_files(root, on_error=on_error)) if root.is_dir() else [SourceFile(each.name, each) for each in paths]


def _items_in_archives(
    archives: Sequence[SourceFile], expect: Expect, limits: DecodeLimits
) -> tuple[SourceKind, list[SourceItem]]:
    """What is in each of them, under its name where there are several. A broken one does not keep the others from being read.

    Raises:
        InputError: None of them can be read.
    """
    kinds: Counter[SourceKind] = Counter()
    items: list[SourceItem] = []
    errors: list[SourceItem] = []
    for archive in archives:
        try:
            kind, found, problem = _items_in(archive, expect, limits, alone=len(archives) == 1)
        except InputError as error:
            kind, found, problem = "videos", [], str(error)
        kinds[kind] += len(found)
        items += found
        if problem:
            errors.append(SourceItem(archive.name, archive.path, (archive,), partial(_fail, problem)))
    if errors and not items:
        errors[0].open()
    return (kinds.most_common(1)[0][0] if kinds else "videos"), items + errors


def _items_in(
    archive: SourceFile, expect: Expect, limits: DecodeLimits, *, alone: bool
) -> tuple[SourceKind, list[SourceItem], str]:
    """What is in an archive, and what is wrong with the rest of it; empty where nothing is."""
    stem = archive.name.removesuffix(Path(archive.name).suffix)
    place = "" if alone else stem
    if archive.suffix == ".zip" or is_zip(archive.path):
        zipped, folder = zip_files(archive.path)
        zipped = [_below(place, file) for file in zipped]
        kind, items = items_among(zipped, expect=expect, root_name=folder or stem, limits=limits)
        items = [replace(item, label=first_folder(item.name.removeprefix(f"{place}/")) or item.label) for item in items]
        return kind, items, ""
    files, problem = tar_files(archive.path)
    kind, items = items_among(files, expect=expect, in_shard=True, limits=limits)
    return kind, [_below(place, replace(item, label=item.label or first_folder(place))) for item in items], problem


def _below(place: str, named: Named) -> Named:
    return replace(named, name=f"{place}/{named.name}") if place else named


def _fail(problem: str) -> NoReturn:
    raise InputError(problem)


def _census(files: Sequence[SourceFile]) -> str:
    if not files:
        return "an empty folder"
    counts = Counter(file.suffix or "without suffix" for file in files)
    return ", ".join(f"{count} {suffix}" for suffix, count in counts.most_common(5))


def _listed(suffixes: frozenset[str]) -> str:
    return " ".join(sorted(suffixes))
