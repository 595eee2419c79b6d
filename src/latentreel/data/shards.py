"""WebDataset shards: tar archives of samples, for what is too much to be a folder or to lie on one machine.

A sample is a video (`key.mp4`), numbered frames (`key.0001.jpg`, or `key/0001.jpg`) or, for stills, a picture (`key.jpg`). Its
class is in `key.cls`, else it is the first folder of its name. The files of a sample stand one after the other, as in every
WebDataset.
"""

import logging
import re
import urllib.request
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import IO, Literal
from urllib.parse import unquote, urlsplit

from latentreel.core.errors import InputError
from latentreel.data.source_files import SourceFile, loose_files
from latentreel.data.tar_archives import LABEL_SUFFIX, stream_tar_files
from latentreel.media.decode import natural_key

MAX_SHARDS = 100_000
MAX_SAMPLE_BYTES = 2**30
"""The files of a streamed sample lie in memory together."""

MAX_LABEL_BYTES = 1024
TIMEOUT_SECONDS = 60

_log = logging.getLogger(__name__)

_RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")
_SCHEME = re.compile(r"pipe:|[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def find_shards(source: Path | str | Sequence[str]) -> tuple[str, ...]:
    """The shards that a text names, in natural order.

    Args:
        source: A .tar file; a pipe; a folder of .tar files; an address (http, https, file); any of these but the folder with
            ranges in braces, as "data-{000..009}.tar"; or a list of all those.

    Raises:
        InputError: There is none, or the text names something else.
    """
    texts = [str(source)] if isinstance(source, Path | str) else list(source)
    shards = [shard for text in texts for each in expand_ranges(text) for shard in _shards_at(each)]
    if not shards:
        raise InputError(
            "no shards are named", given=source, allowed="a .tar file, a folder of them, data-{000..009}.tar, an address"
        )
    return tuple(sorted(dict.fromkeys(shards), key=natural_key))


def expand_ranges(text: str) -> list[str]:
    """The names that a text with ranges in braces stands for: "{08..10}" is 08, 09 and 10.

    Raises:
        InputError: A range runs backwards, or there are too many names.
    """
    found = _RANGE.search(text)
    if found is None:
        return [text]
    first, last = int(found[1]), int(found[2])
    rest = expand_ranges(text[found.end() :])
    if not 0 < (last - first + 1) * len(rest) <= MAX_SHARDS:
        raise InputError("a range of shards is out of range", given=text, allowed=f"upward, and at most {MAX_SHARDS} shards")
    digits = len(found[1])
    return [f"{text[: found.start()]}{number:0{digits}}{tail}" for number in range(first, last + 1) for tail in rest]


def is_stream(shard: Path | str) -> bool:
    """Whether a shard can only be read from front to back: an address or a pipe."""
    return _SCHEME.match(str(shard)) is not None or Path(shard).is_fifo()


def open_shard(shard: str) -> IO[bytes]:
    """Opens a shard to be read from front to back.

    Raises:
        InputError: It cannot be reached.
    """
    try:
        if _SCHEME.match(shard):
            return urllib.request.urlopen(shard, timeout=TIMEOUT_SECONDS)  # type: ignore[no-any-return]  # http or https
        return Path(shard).open("rb")
    except (OSError, ValueError) as error:  # an HTTP status is an OSError too
        cause = getattr(error, "reason", error)  # of an address that cannot be reached
        raise InputError(f"cannot read {shard}: {getattr(cause, 'strerror', None) or error}") from error


def stream_samples(shard: str, *, expect: Literal["videos", "images"]) -> Iterator[list[SourceFile]]:
    """The samples of a shard in their order, read once from front to back; the files of each are in memory.

    Raises:
        InputError: The shard cannot be reached, is damaged, or has too large a sample. What came before is good.
    """
    with open_shard(shard) as stream:
        for key, files in groupby(stream_tar_files(stream, shard), key=lambda file: sample_key(file, expect=expect)):
            sample: list[SourceFile] = []
            size = 0
            for file in files:
                sample.append(file)
                size += file.size
                if size > MAX_SAMPLE_BYTES:
                    raise InputError(f"{shard}: the sample {key} is too large", allowed=f"{MAX_SAMPLE_BYTES} bytes")
            yield sample


def sample_key(file: SourceFile, *, expect: Literal["videos", "images"] = "videos") -> str:
    """The sample that a file belongs to: its name up to the first dot; for the frames in a folder that folder."""
    folder, name = file.folder, file.name.rpartition("/")[2]
    if expect == "videos" and folder and file.is_picture and name.count(".") == 1:
        return folder
    return f"{folder}/{name.partition('.')[0]}".removeprefix("/")


def sample_labels(files: Sequence[SourceFile], *, expect: Literal["videos", "images"]) -> dict[str, str]:
    """What the labels among some files say, by sample; those that cannot be read are left out, with a warning."""
    labels: dict[str, str] = {}
    for file in files:
        if file.suffix == LABEL_SUFFIX:
            try:
                labels[sample_key(file, expect=expect)] = _text(file)
            except InputError as error:
                _log.warning("a sample has no class: %s", error)
    return labels


def _shards_at(text: str) -> list[str]:
    scheme = _SCHEME.match(text)
    if scheme is not None:
        if scheme[0].lower() == "file://":
            return _shards_at(unquote(urlsplit(text).path))
        if scheme[0].lower() not in ("http://", "https://"):
            raise InputError(
                "shards cannot be read that way", given=text, allowed="a path, a pipe, http://, https:// or file://"
            )
        return [text]
    path = Path(text)
    if path.is_dir():
        return [str(file.path) for file in loose_files(path) if file.suffix == ".tar"]
    return [text]


def _text(file: SourceFile) -> str:
    with file.on_disk() as path, path.open("rb") as label:
        text = label.read(MAX_LABEL_BYTES).decode(errors="replace").strip()
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
