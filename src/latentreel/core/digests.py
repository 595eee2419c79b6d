"""SHA-256 of files and of weights: what two results, or two runs, must share."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from latentreel.core.errors import InputError


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal.

    Raises:
        InputError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


def weights_digest(weights: Mapping[str, Tensor]) -> str:
    """SHA-256 over named tensors: tells two networks of the same sizes apart, whichever file they came from."""
    digest = hashlib.sha256()
    for key, value in sorted(weights.items()):
        digest.update(key.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
