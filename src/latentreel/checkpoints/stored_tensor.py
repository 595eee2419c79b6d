"""`StoredTensor`: a tensor of a checkpoint whose numbers are still in the file.

Sizes and names are known at once, the numbers come when they are asked for, so that of a file with several networks only the wanted
one takes memory, and none takes more than the file has.
"""

import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from latentreel.checkpoints.plain_values import shown
from latentreel.core.errors import InputError

PIECE = 2**22  # bytes read at a time
DAMAGE = (OSError, EOFError, zipfile.BadZipFile, zlib.error, ValueError, OverflowError, MemoryError, RuntimeError, struct.error)
"""What reading a damaged or lying file may raise: Python's zip archives, for example, all but two of these."""


class Budget:
    """How much may still be read out of a file: what many tensors share is stored once, and must not be loaded without end."""

    def __init__(self, path: Path) -> None:
        self.where = str(path)
        self.left = 2 * path.stat().st_size

    def spend(self, count: int) -> None:
        """Counts bytes that are about to be loaded."""
        self.left -= count
        if self.left < 0:
            raise InputError(f"{self.where} is damaged: its tensors are larger than the file")


@dataclass(frozen=True, eq=False)
class Storage:
    """A row of numbers in a file."""

    dtype: torch.dtype
    length: int
    open: Callable[[], BinaryIO]
    """Gives a file positioned at the first number."""
    budget: Budget


@dataclass(frozen=True, eq=False)
class StoredTensor:
    """A tensor whose numbers are still in the file."""

    storage: Storage
    offset: int
    shape: torch.Size
    stride: tuple[int, ...]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def dtype(self) -> torch.dtype:
        """Number format."""
        return self.storage.dtype

    def numel(self) -> int:
        """How many numbers."""
        return self.shape.numel()

    def load(self) -> Tensor:
        """The tensor, in memory of its own.

        Raises:
            InputError: The file ends too early, or was damaged.
        """
        where, itemsize = self.storage.budget.where, self.dtype.itemsize
        if self.numel() == 0:
            return torch.empty(self.shape, dtype=self.dtype)
        last = sum((size - 1) * step for size, step in zip(self.shape, self.stride, strict=True))
        self.storage.budget.spend(max(last + 1, self.numel()) * itemsize)
        row = torch.empty(last + 1, dtype=self.dtype)
        view = memoryview(row.view(torch.uint8).numpy())  # type: ignore[arg-type]
        try:
            with self.storage.open() as file:
                file.seek(file.tell() + self.offset * itemsize)
                for start in range(0, len(view), PIECE):
                    piece = view[start : start + PIECE]
                    if file.readinto(piece) != len(piece):  # type: ignore[attr-defined]
                        raise InputError(f"{where} is damaged: it ends too early", fix="download it again")
        except InputError:
            raise
        except DAMAGE as error:
            raise InputError(f"{where} is damaged: {shown(str(error))}", fix="download it again") from error
        return row.as_strided(self.shape, self.stride).contiguous()
