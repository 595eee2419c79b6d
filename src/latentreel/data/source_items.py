"""Clips and stills among files, wherever those lie. What files are shows in their content, once and for all kinds of places.

| among the files                | for videos, an item is                           | for images, an item is         |
|--------------------------------|--------------------------------------------------|--------------------------------|
| videos                         | a video                                          | a video, each frame a still    |
| pictures                       | a folder of them, cut where the numbering jumps  | a picture                      |
| pictures, most of them strips  | a picture, its squares the frames                | a picture, each square a still |

Where there are both, pictures beside videos are no clips, but stills of their own.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

from latentreel.data.frame_folders import frame_runs, open_frames
from latentreel.data.image_strips import are_strips, open_strip
from latentreel.data.shards import sample_key, sample_labels
from latentreel.data.source_files import SourceFile
from latentreel.media.decode import Pixels, natural_key, open_video
from latentreel.media.limits import DEFAULT_LIMITS, DecodeLimits
from latentreel.media.video_stream import VideoStream

Expect = Literal["videos", "images"]
SourceKind = Literal["videos", "frame_folders", "strips", "images", "packed_frames"]


@dataclass(frozen=True)
class SourceItem:
    """One clip or still of a source."""

    name: str
    """Its path below the root, with forward slashes; of frames 12 to 40 of a folder "folder[12-40]"."""

    path: Path
    """The video file, frame folder, picture, or the archive that it is in."""

    files: tuple[SourceFile, ...]
    """What it consists of."""

    open: Callable[[], VideoStream]
    """Gives its frames. Raises `InputError` where the first cannot be decoded."""

    label: str = ""
    """Its class: the first folder of its name, or what a shard says; empty where there is none."""

    note: str = ""
    """What should be known about it."""


def items_among(
    files: Iterable[SourceFile],
    *,
    expect: Expect,
    root_name: str = "",
    in_shard: bool = False,
    limits: DecodeLimits = DEFAULT_LIMITS,
) -> tuple[SourceKind, list[SourceItem]]:
    """Finds what there is to train on among files. Nothing is decoded.

    Args:
        files: All files of a folder or an archive; the useless ones too, and in any order.
        expect: What the training needs.
        root_name: The name of a clip whose frames lie in no folder.
        in_shard: Whether files belong together as in a WebDataset (`sample_key`), rather than by folder.
        limits: What a file may ask for when it is opened.

    Returns:
        The kind, and the items in natural order of their names; none where no file is of use.
    """
    files = sorted(files, key=lambda file: natural_key(file.name))
    videos = [_item(file, partial(_open_video, limits=limits)) for file in files if file.is_video]
    pictures = [file for file in files if file.is_picture]
    kind: SourceKind = "videos"
    items = videos
    if pictures and (expect == "images" or not videos):
        if are_strips(pictures):
            kind, items = "strips", [_item(file, partial(open_strip, limits=limits)) for file in pictures] + videos
        elif expect == "images":
            kind, items = "images", [_item(file, partial(_open_picture, limits=limits)) for file in pictures] + videos
        else:
            kind, items = "frame_folders", list(_frame_clips(pictures, root_name, sample_key if in_shard else _folder, limits))
    labels = sample_labels(files, expect=expect) if in_shard else {}
    items = [
        replace(item, label=labels.get(sample_key(item.files[0], expect=expect)) or first_folder(item.name)) for item in items
    ]
    return kind, sorted(items, key=lambda item: natural_key(item.name))


def first_folder(name: str) -> str:
    """The folder below the root that a name begins with; empty where it lies in none."""
    folder, slash, _ = name.partition("/")
    return folder if slash else ""


def _frame_clips(
    pictures: Sequence[SourceFile], root_name: str, clip_of: Callable[[SourceFile], str], limits: DecodeLimits
) -> Iterator[SourceItem]:
    clips: dict[str, list[SourceFile]] = defaultdict(list)
    for file in pictures:
        clips[clip_of(file)].append(file)
    for clip, files in clips.items():
        path = files[0].path.parent if files[0].is_loose else files[0].path
        for run in frame_runs(files):
            name = f"{clip or root_name}[{run.span}]" if run.span else clip or root_name
            yield SourceItem(name, path, run.files, partial(open_frames, run.files, limits=limits), note=run.note)


def _folder(file: SourceFile) -> str:
    return file.folder


def _item(file: SourceFile, opens: Callable[[SourceFile], VideoStream]) -> SourceItem:
    return SourceItem(file.name, file.path, (file,), partial(opens, file))


def _open_picture(file: SourceFile, *, limits: DecodeLimits) -> VideoStream:
    return open_frames((file,), limits=limits)


def _open_video(file: SourceFile, *, limits: DecodeLimits) -> VideoStream:
    """Opens a video; where it is in an archive, its copy on disk lasts as long as the stream."""
    with ExitStack() as until_opened:
        path = until_opened.enter_context(file.on_disk())
        stream = open_video(path, limits=limits)
        until_read = until_opened.pop_all()

    def frames() -> Iterator[Pixels]:
        with until_read:
            yield from stream.frames

    return replace(stream, frames=frames())
