"""Files that appear under their final name whole, or not at all."""

import contextlib
import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from latentreel.core.errors import InputError

_PARTIAL = ".partial"
_CANNOT_WRITE = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.EISDIR,
    errno.ENOTDIR,
    errno.ENOTEMPTY,
}


@contextlib.contextmanager
def atomic_path(final: Path | str) -> Iterator[Path]:
    """Yields a temporary path beside `final`; on success it is synced and renamed, on failure removed.

    The block may make a file or a folder there. A folder replaces an older folder of the same name.

    Args:
        final: The path under which the result shall appear. Its parents are made.

    Yields:
        A path of the same suffix in the same folder, where nothing exists yet.

    Raises:
        InputError: The folder cannot be written to, or the disk is full.
    """
    final = Path(final)
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        holder = Path(tempfile.mkdtemp(prefix=f".{final.name}.", suffix=_PARTIAL, dir=final.parent))
    except OSError as error:
        raise InputError(f"cannot write to {final.parent}: {error.strerror}", fix="choose another output folder") from error
    temporary = holder / final.name
    try:
        yield temporary
        _sync(temporary)
        _put(temporary, final, aside=holder / "replaced")
        _sync_folder(final.parent)
    except InputError:
        raise
    except Exception as error:
        reason = _os_error(error)
        if reason is None or reason.errno not in _CANNOT_WRITE:
            raise
        raise InputError(f"cannot write {final}: {reason.strerror}", fix="free some space or choose another output") from error
    finally:
        shutil.rmtree(holder, ignore_errors=True)


def remove_partials(folder: Path | str, *, of: str = "*") -> None:
    """Removes what killed processes left behind.

    Args:
        folder: Where; no other process may be writing there now.
        of: The final name that the leftovers would have got; by default any.
    """
    for holder in Path(folder).glob(f".{of}.*{_PARTIAL}"):
        final = holder.with_name(holder.name[1:].removesuffix(_PARTIAL).rpartition(".")[0])
        if (holder / "replaced").exists() and not final.exists():  # killed between two renames: the old one goes back
            (holder / "replaced").rename(final)
        shutil.rmtree(holder, ignore_errors=True)


@contextlib.contextmanager
def removed_if_empty(folder: Path | str) -> Iterator[None]:
    """Around work that makes a folder: where it fails, folders that were not there before and hold nothing go again."""
    missing = [path for path in (Path(folder), *Path(folder).parents) if not path.exists()]
    try:
        yield
    except BaseException:
        for path in missing:
            with contextlib.suppress(OSError):
                path.rmdir()
        raise


@contextlib.contextmanager
def sole_user(folder: Path | str) -> Iterator[None]:
    """Holds a folder for this process alone, by a lock that dies with the process.

    Raises:
        InputError: Another process holds it, or the folder cannot be written to.
    """
    lock = os.open(require_writable(folder), os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise InputError(f"another process is at work in {folder}", fix="wait for it, or choose another folder") from error
    except OSError:
        pass  # a file system without locks: then nobody is kept out
    try:
        yield
    finally:
        os.close(lock)


def require_writable(folder: Path | str) -> Path:
    """Makes a folder and proves that files can be written in it, before any long work starts.

    Returns:
        The folder.

    Raises:
        InputError: It cannot be made or written to.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(f"cannot write to {folder}: {error.strerror}", fix="choose another output folder") from error
    return folder


def _os_error(error: BaseException | None) -> OSError | None:
    """The error of the operating system that a library's own error stands for, if one does."""
    while error is not None and not isinstance(error, OSError):
        error = error.__cause__ or error.__context__
    return error


def _put(temporary: Path, final: Path, *, aside: Path) -> None:
    """Renames. No folder can be renamed onto one with content: an older one steps aside, and back if anything fails."""
    steps_aside = final.is_dir() and temporary.is_dir()
    if steps_aside:
        final.rename(aside)
    try:
        temporary.replace(final)
    except OSError:
        if steps_aside:
            aside.rename(final)
        raise


def _sync(path: Path) -> None:
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    for file in files:
        with file.open("rb") as handle:
            os.fsync(handle.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
