"""A file of a source, wherever it lies: loose in a folder, inside an archive, or in memory out of a stream."""

import errno
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO
from zipfile import BadZipFile

from latentreel.core.errors import InputError
from latentreel.media.decode import IMAGE_SUFFIXES, VIDEO_SUFFIXES

MAX_FILE_BYTES = 2 * 2**30
"""The largest file that is taken out of an archive; one may declare any size in a few bytes."""

MAX_NAME = 1024
"""Characters in the name of a file in an archive."""

DAMAGE = (OSError, EOFError, BadZipFile, zlib.error, ValueError, OverflowError, MemoryError, RuntimeError)
"""What reading a damaged archive can raise."""

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class SourceFile:
    """One file."""

    name: str
    """Its path below the root of the source, with forward slashes."""

    path: Path
    """Itself, or the archive that it is in."""

    size: int = 0
    """Bytes; 0 for a loose file, whose size nobody asks for."""

    stamp: str = ""
    """Changes when the content does; for a file in an archive. Loose files are asked for theirs."""

    open_member: Callable[[], IO[bytes]] | None = None
    """Opens it in its archive; None: it is loose. Called from several threads."""

    @property
    def suffix(self) -> str:
        """In lower case, with its dot."""
        return PurePosixPath(self.name).suffix.lower()

    @property
    def is_video(self) -> bool:
        """By its name."""
        return self.suffix in VIDEO_SUFFIXES

    @property
    def is_picture(self) -> bool:
        """By its name."""
        return self.suffix in IMAGE_SUFFIXES

    @property
    def is_loose(self) -> bool:
        """Whether it lies in no archive."""
        return self.open_member is None

    @property
    def folder(self) -> str:
        """The folder that it is in, below the root; empty: the root itself."""
        return self.name.rpartition("/")[0]

    def content_stamp(self) -> str:
        """What changes when the file is changed."""
        if self.open_member is not None:
            return self.stamp
        try:
            status = self.path.stat()
        except OSError:
            return "unreadable"
        return f"{status.st_size}:{status.st_mtime_ns}"

    def open(self) -> IO[bytes]:
        """Its bytes, from the front."""
        return self.path.open("rb") if self.open_member is None else self.open_member()

    @contextmanager
    def on_disk(self) -> Iterator[Path]:
        """A path under which it can be read; one inside an archive lies there only for as long.

        Raises:
            InputError: It is damaged, or too large. An error of whatever reads it there names this file in place of the copy.
        """
        if self.open_member is None:
            yield self.path
            return
        with tempfile.NamedTemporaryFile(prefix="latentreel-", suffix=self.suffix) as copy:
            self._copy_to(copy)
            try:
                yield Path(copy.name)
            except InputError as error:
                raise InputError(str(error).replace(copy.name, self._where)) from error

    @property
    def _where(self) -> str:
        return f"{self.name} in {self.path.name}"

    def _copy_to(self, copy: IO[bytes]) -> None:
        if self.size > MAX_FILE_BYTES:
            allowed = f"{MAX_FILE_BYTES} bytes in an archive"
            raise InputError(
                f"{self._where} is too large", given=f"{self.size} bytes", allowed=allowed, fix="unpack the archive"
            )
        try:
            with self.open() as source:
                shutil.copyfileobj(source, copy, 2**20)
            copy.flush()
        except DAMAGE as error:
            if isinstance(error, OSError) and error.errno in DISK_FULL:
                raise
            raise InputError(f"{self._where} is damaged: {str(error) or type(error).__name__}") from error
        if copy.tell() != self.size:
            raise InputError(
                f"{self._where} ends too early", given=f"{copy.tell()} bytes", allowed=f"{self.size}, as it declares"
            )


def loose_files(root: Path, *, on_error: Callable[[OSError], None] | None = None) -> Iterator[SourceFile]:
    """Every file below a folder but hidden ones; links to folders are followed, once each.

    Args:
        root: The folder.
        on_error: Told of a folder that cannot be looked into; by default that is an error.

    Raises:
        InputError: A folder cannot be looked into.
    """
    seen: set[str] = set()

    def refuse(error: OSError) -> None:
        if on_error is not None:
            on_error(error)
            return
        raise InputError(f"cannot look into {error.filename}: {error.strerror}") from error

    for folder, subfolders, names in os.walk(root, onerror=refuse, followlinks=True):
        real = os.path.realpath(folder)
        subfolders[:] = [] if real in seen else [name for name in subfolders if not name.startswith(".")]
        if real not in seen:
            paths = (Path(folder, name) for name in names if not name.startswith("."))
            yield from (SourceFile(path.relative_to(root).as_posix(), path) for path in paths)
        seen.add(real)


def plain_name(name: str) -> str | None:
    """The name of a file in an archive as one below a root: no way up, nothing unprintable.

    Returns:
        The name; None for folders, hidden files, and names that no file system would take.
    """
    if len(name) > MAX_NAME:
        return None
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    if not parts or name.endswith(("/", "\\")) or any(part.startswith(".") or part == "__MACOSX" for part in parts):
        return None
    return "".join(character if character.isprintable() else "\ufffd" for character in "/".join(parts))
