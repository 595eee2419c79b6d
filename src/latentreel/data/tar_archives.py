"""Tar archives, read without being unpacked: at any place where they are files, from front to back where they are streams.

Whatever an archive declares about itself is bounded before it takes memory, disk or time.
"""

import io
import tarfile
from collections.abc import Iterator
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import IO, Self

from latentreel.core.errors import InputError
from latentreel.data.source_files import DAMAGE, MAX_FILE_BYTES, SourceFile, plain_name

MAX_HEADER_BYTES = 2**20
"""Of what an archive says about one file: its name, and any extensions."""

MAX_FILES = 2**20
"""The longest list of files that is made of an archive; streams may go on for ever."""

LABEL_SUFFIX = ".cls"
"""WebDataset keeps a sample's class in a file of this suffix."""

_BROKEN = (*DAMAGE, tarfile.TarError, HTTPException)


def tar_files(path: Path) -> tuple[list[SourceFile], str]:
    """The files in an archive; only their headers are read.

    Returns:
        The files, and what is wrong with the archive behind them; empty where nothing is.

    Raises:
        InputError: There is no file before the archive goes wrong.
    """
    files: list[SourceFile] = []
    try:
        status = path.stat()
        with path.open("rb") as file:
            reader = _BoundedReader(file)
            with tarfile.open(fileobj=reader, mode="r:", tarinfo=_StrictHeader) as tar:  # type: ignore[call-overload]
                for name, member in _members(tar, reader):
                    stamp = f"{status.st_size}:{status.st_mtime_ns}:{member.offset_data}"
                    opened = partial(_open_part, path, member.offset_data, member.size)
                    files.append(SourceFile(name, path, member.size, stamp, opened))
                    if len(files) > MAX_FILES:
                        raise tarfile.ReadError(f"more than {MAX_FILES} files")
    except _BROKEN as error:
        problem = f"{path} cannot be read as a tar archive after {len(files)} files: {_reason(error)}"
        if not files:
            raise InputError(problem, fix="make the archive anew") from error
        return files, f"{problem}; the rest is left out"
    return files, ""


def stream_tar_files(stream: IO[bytes], name: str) -> Iterator[SourceFile]:
    """The videos, pictures and labels in an archive that is read once from front to back; each is in memory whole.

    Args:
        stream: The archive; need not be seekable.
        name: What it is called in errors.

    Raises:
        InputError: The archive is damaged, ends too early, or has too large a file. What came before is good.
    """
    count = 0
    reader = _BoundedReader(stream)
    try:
        with tarfile.open(fileobj=reader, mode="r|", tarinfo=_StrictHeader) as tar:  # type: ignore[call-overload]
            for file_name, member in _members(tar, reader):
                if member.size > MAX_FILE_BYTES:
                    raise tarfile.ReadError(f"{file_name} of {member.size} bytes is too large, {MAX_FILE_BYTES} are allowed")
                file = SourceFile(file_name, Path(name), member.size)
                if file.is_video or file.is_picture or file.suffix == LABEL_SUFFIX:
                    content = tar.extractfile(member).read()
                    yield SourceFile(file_name, Path(name), member.size, open_member=partial(io.BytesIO, content))
                count += 1
    except _BROKEN as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{name} cannot be read as a tar archive after {count} files: {_reason(error)}") from error


def _members(tar: tarfile.TarFile, reader: "_BoundedReader") -> Iterator[tuple[str, tarfile.TarInfo]]:
    while (member := tar.next()) is not None:
        tar.members = []  # type: ignore[attr-defined]  # else every header of an endless stream would be kept
        reader.left = MAX_HEADER_BYTES + member.size
        name = plain_name(member.name)
        if name is not None and member.isreg() and not member.issparse():
            yield name, member


class _BoundedReader:
    """A file of which only so much can be read before the next header is seen to be one."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.left = MAX_HEADER_BYTES

    def read(self, size: int) -> bytes:
        if size > self.left:
            raise tarfile.ReadError("a header is too long")
        data = self.file.read(size)
        self.left -= len(data)
        return data

    def seek(self, position: int) -> int:
        return self.file.seek(position)

    def tell(self) -> int:
        return self.file.tell()


class _StrictHeader(tarfile.TarInfo):
    """A header that says what is wrong with it, where `tarfile` would take it for the end of the archive."""

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(tarfile_)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise  # the block of zeros at the end
        except tarfile.EmptyHeaderError as error:  # type: ignore[attr-defined]
            raise tarfile.ReadError("it ends too early") from error
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error)) from error


class _Part(io.RawIOBase):
    """A part of a file, as a file."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        self._file, self._start, self._size, self._position = file, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, origin + offset)
        return self._position

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        self._file.seek(self._start + self._position)
        data = self._file.read(max(0, min(len(buffer), self._size - self._position)))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def _open_part(path: Path, start: int, size: int) -> IO[bytes]:
    return io.BufferedReader(_Part(path.open("rb"), start, size))


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
