"""SHA-256 of what a clip consists of, however many files that is."""

import hashlib
import stat
from collections.abc import Sequence

from latentreel.core.errors import InputError
from latentreel.data.source_files import DAMAGE, DISK_FULL, SourceFile


def content_digest(files: Sequence[SourceFile]) -> str:
    """The digest of a file's bytes; of several files, that of their digests one after the other.

    Returns:
        In hexadecimal.

    Raises:
        InputError: One of them cannot be read.
    """
    digests = [_digest(file) for file in files]
    return digests[0].hex() if len(digests) == 1 else hashlib.sha256(b"".join(digests)).hexdigest()


def _digest(file: SourceFile) -> bytes:
    try:
        if file.is_loose and not stat.S_ISREG(file.path.stat().st_mode):
            raise InputError(f"{file.name} is no file")  # a pipe may never end
        with file.open() as content:
            return hashlib.file_digest(content, "sha256").digest()  # type: ignore[arg-type]
    except DAMAGE as error:
        if isinstance(error, InputError) or (isinstance(error, OSError) and error.errno in DISK_FULL):
            raise
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise InputError(f"{file.name} cannot be read: {reason}") from error
