"""Zip archives, read without being unpacked.

Whatever an archive declares about itself is bounded before it takes memory, disk or time.
"""

import posixpath
import struct
import zipfile
from dataclasses import replace
from functools import partial
from pathlib import Path

from latentreel.core.errors import InputError
from latentreel.data.source_files import DAMAGE, SourceFile, plain_name

MAX_DIRECTORY_BYTES = 64 * 2**20
"""Of an archive's list of files, which takes some ten times as much in memory: about 700,000 frames."""

MAX_EXPANSION = 100
"""How many times larger than the archive its files may be together. Frames hardly shrink; a bomb shrinks a thousandfold."""

FREE_EXPANSION_BYTES = 256 * 2**20
"""Below this the files may be any times larger: black frames without compression of their own."""

_READABLE = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 1  # a flag of a file in an archive
_FIX = "make the archive anew, or unpack it and name the folder"


def is_zip(path: Path) -> bool:
    """By its first bytes: a zip archive with files, or an empty one."""
    try:
        with path.open("rb") as file:
            return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
    except OSError:
        return False


def zip_files(path: Path) -> tuple[list[SourceFile], str]:
    """The files in an archive. Nothing is unpacked; each is read from the archive when its turn comes.

    Folders that hold everything are skipped: tools wrap what they pack.

    Returns:
        The files, and the name of the innermost folder that was skipped; empty where none was.

    Raises:
        InputError: The archive is damaged, encrypted, or declares more than it can hold.
    """
    try:
        archive = _open(path)
    except InputError:
        raise
    except (*DAMAGE, struct.error) as error:
        raise InputError(
            f"{path} is no zip archive that can be read: {str(error) or type(error).__name__}", fix=_FIX
        ) from error
    files: dict[str, SourceFile] = {}
    for entry in archive.infolist():
        name = plain_name(entry.filename)
        if name is None:
            continue
        if name in files:
            raise InputError(f"{path} holds {name} twice", fix=_FIX)
        if entry.flag_bits & _ENCRYPTED:
            raise InputError(f"{path} is encrypted", given=name, fix="unpack it and name the folder")
        if entry.compress_type not in _READABLE:
            raise InputError(f"{path}: {name} is packed in an unknown way", given=f"method {entry.compress_type}", fix=_FIX)
        stamp = f"{entry.file_size}:{entry.CRC}"
        files[name] = SourceFile(name, path, entry.file_size, stamp, partial(archive.open, entry))
    return _without_wrapping(list(files.values()))


def _open(path: Path) -> zipfile.ZipFile:
    """An archive, which stays open for as long as a file of it may be read."""
    size = path.stat().st_size
    with path.open("rb") as file:
        last = zipfile._EndRecData(file)  # type: ignore[attr-defined]  # there is no public way to see the size first
    if last is None:
        raise InputError(f"{path} is damaged: its list of files is missing", given=f"{size} bytes", fix=_FIX)
    directory, declared = last[zipfile._ECD_SIZE], last[zipfile._ECD_ENTRIES_TOTAL]  # type: ignore[attr-defined]
    if directory > MAX_DIRECTORY_BYTES:
        allowed = f"{MAX_DIRECTORY_BYTES} bytes"
        raise InputError(f"{path} has too long a list of files", given=f"{directory} bytes", allowed=allowed, fix=_FIX)
    archive = zipfile.ZipFile(path)
    entries = archive.infolist()
    if len(entries) != declared:
        raise InputError(f"{path} is damaged: it declares {declared} files and lists {len(entries)}", fix=_FIX)
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > max(MAX_EXPANSION * size, FREE_EXPANSION_BYTES):
        allowed = f"{MAX_EXPANSION} times that"
        raise InputError(f"{path} of {size} bytes declares too much", given=f"{unpacked} bytes", allowed=allowed, fix=_FIX)
    return archive


def _without_wrapping(files: list[SourceFile]) -> tuple[list[SourceFile], str]:
    wrapping = posixpath.commonpath([file.folder for file in files]) if files else ""
    skipped = len(wrapping) + 1 if wrapping else 0
    return [replace(file, name=file.name[skipped:]) for file in files], posixpath.basename(wrapping)
