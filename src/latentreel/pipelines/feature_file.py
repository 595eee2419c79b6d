"""Features on disk, in a safetensors file that is written and read in pieces: memory does not grow with the number of clips."""

import json
import shutil
import tempfile
from math import prod
from pathlib import Path
from typing import IO, Any, Self

import numpy as np
import numpy.typing as npt
from torch import Tensor

from latentreel.core.errors import InputError
from latentreel.core.files import atomic_path

Float32s = npt.NDArray[np.float32]
FEATURES, LOGITS = "features", "logits"
LENGTH_BYTES, MOST_HEADER = 8, 4096
NUMBER_BYTES = 4


class FeatureFile:
    """float32 features [M, F] and, where the network classifies, logits [M, C]."""

    def __init__(self, file: IO[bytes], *, where: str) -> None:
        """Reads what the file says of itself.

        Args:
            file: Open for reading.
            where: Its name, for messages.

        Raises:
            InputError: It is damaged, or something else.
        """
        self.file = file
        try:
            length = int.from_bytes(file.read(LENGTH_BYTES), "little")
            header = json.loads(file.read(min(length, MOST_HEADER)))
            self.shapes = {name: (int(told["shape"][0]), int(told["shape"][1])) for name, told in header.items()}
            self.begins = {name: LENGTH_BYTES + length + int(told["data_offsets"][0]) for name, told in header.items()}
            numbers = sum(map(prod, self.shapes.values()))
            whole = file.seek(0, 2) == LENGTH_BYTES + length + NUMBER_BYTES * numbers
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            raise InputError(f"{where} is damaged", given="no features") from error
        if FEATURES not in self.shapes or not whole:
            raise InputError(f"{where} is damaged", given="no features, or not all of them")

    @classmethod
    def empty(cls, folder: Path, num_rows: int, *, width: int, classes: int | None) -> Self:
        """Room for features, and for logits where there are classes, in a file without a name that goes with its last user."""
        shapes = {FEATURES: (num_rows, width)} | ({} if classes is None else {LOGITS: (num_rows, classes)})
        header: dict[str, dict[str, Any]] = {}
        end = 0
        for name, shape in shapes.items():
            begin, end = end, end + NUMBER_BYTES * prod(shape)
            header[name] = {"dtype": "F32", "shape": shape, "data_offsets": (begin, end)}
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % LENGTH_BYTES)
        file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # open for as long as somebody reads it
        file.write(len(text).to_bytes(LENGTH_BYTES, "little") + text)
        file.truncate(LENGTH_BYTES + len(text) + end)
        file.seek(0)
        return cls(file, where="a new file")

    def write(self, first: int, features: Tensor, logits: Tensor | None) -> None:
        """Puts rows [m, F] in their place, from the number of the first one on."""
        for name, rows in ((FEATURES, features), (LOGITS, logits)):
            if rows is not None:
                self.file.seek(self._place(name, first))
                self.file.write(rows.float().cpu().contiguous().numpy().tobytes())

    def read(self, name: str, rows: npt.NDArray[np.intp]) -> Float32s:
        """Rows by their numbers, in that order; neighbours are read at once."""
        width = self.shapes[name][1]
        found = np.empty((len(rows), width), dtype=np.float32)
        ends = np.append(np.flatnonzero(np.diff(rows) != 1) + 1, len(rows))
        begin = 0
        for end in ends if len(rows) else ():
            self.file.seek(self._place(name, int(rows[begin])))
            content = self.file.read((end - begin) * width * NUMBER_BYTES)
            found[begin:end] = np.frombuffer(content, dtype=np.float32).reshape(-1, width)
            begin = end
        return found

    def keep(self, path: Path) -> None:
        """Leaves a copy."""
        self.file.seek(0)
        with atomic_path(path) as temporary, temporary.open("wb") as copy:
            shutil.copyfileobj(self.file, copy)

    def _place(self, name: str, row: int) -> int:
        return self.begins[name] + NUMBER_BYTES * self.shapes[name][1] * row


class Rows:
    """Some rows of a file as if they were an array: a slice of them is read when it is asked for."""

    def __init__(self, file: FeatureFile, name: str, numbers: npt.NDArray[np.intp]) -> None:
        self.file, self.name, self.numbers = file, name, numbers

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def shape(self) -> tuple[int, int]:
        """M, F."""
        return len(self.numbers), self.file.shapes[self.name][1]

    def __getitem__(self, some: slice) -> Float32s:
        return self.file.read(self.name, self.numbers[some])
