"""Files that PyTorch programs write: `torch.save` archives (zip, and the older plain form) and bare pickles of networks.

Which of them a file is shows in its content, never in its suffix. What is in it comes back as plain values, in which every tensor
is a `StoredTensor`. Nothing in a file is run (`safe_pickle`), and nothing that it declares takes memory before it is seen to be
there.
"""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import torch

from latentreel.checkpoints.allow_list import STORAGES, allow_list
from latentreel.checkpoints.plain_values import Name, Span, shown
from latentreel.checkpoints.safe_pickle import Globals, instructions, read_pickle
from latentreel.checkpoints.stored_tensor import DAMAGE, Budget, Storage
from latentreel.core.errors import InputError

MAGIC = 0x1950A86A20F9469CFC6C  # what the plain form of torch.save begins with
MAX_INDEX_BYTES = 2**28  # of the pickle inside an archive, which holds names and sizes
MAX_DIRECTORY_BYTES = 2**22  # of an archive's list of files, which takes much more in memory: some fifty thousand files
MAX_REFERENCE = 6  # parts of a reference to a storage
ENCRYPTED = 1  # a flag of a file in an archive


def read_checkpoint(path: Path) -> Any:
    """The content of a `.pt`, `.pth` or `.pkl` file, as plain values, `Record`s and `StoredTensor`s.

    Raises:
        InputError: The file cannot be read, is damaged, or asks for anything that is not data; the name is given.
    """
    where = str(path)
    try:
        if path.exists() and not path.is_file():
            raise InputError(f"{path} is no file", given="a folder, a pipe or a device", allowed="a .pt, .pth or .pkl file")
        with path.open("rb") as file:
            head = file.read(16)
            if head.startswith(b"PK"):
                return _read_archive(file, path)
            if head[:1] != b"\x80":
                raise InputError(f"{path} is damaged, or no checkpoint", given=_guess(head), allowed="a .pt, .pth or .pkl file")
            file.seek(0)
            return _read_plain(file, path, end=path.stat().st_size, budget=Budget(path), steps=instructions(), nested=False)
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except DAMAGE as error:
        raise InputError(f"{where} is damaged: {shown(str(error))}", fix="download it again") from error


# --- the two forms of torch.save, and bare pickles ------------------------------------------------------------------------


def _read_archive(file: BinaryIO, path: Path) -> Any:
    """The zip form: a pickle, and every storage as a file of its own, never compressed."""
    archive, entries = _open_archive(file, path)
    indices = [name for name in entries if name.endswith("/data.pkl") and name.count("/") == 1]
    if len(indices) != 1:
        given = f"{len(entries)} files, of which {len(indices)} data.pkl"
        raise InputError(f"{path} is a zip archive, but no checkpoint", given=given, allowed="one data.pkl")
    index = indices[0]
    folder = index.removesuffix("data.pkl")
    if f"{folder}constants.pkl" in entries:
        raise InputError(f"{path} is a TorchScript program, no checkpoint", allowed="weights alone", fix="save a state dict")
    if entries[index].file_size > MAX_INDEX_BYTES:
        raise InputError(f"{path} is damaged: its index is too large", given=f"{entries[index].file_size} bytes")
    order = f"{folder}byteorder"
    if order in entries and (entries[order].file_size > len(b"little") or archive.read(order) != b"little"):
        raise InputError(f"{path} was written on a big-endian machine", fix="save it again on a usual one")
    pickled = archive.read(index)
    budget = Budget(path)

    def resolve(reference: Any) -> Storage:
        dtype, key, length = _storage_reference(reference)
        entry = entries.get(f"{folder}data/{key}")
        if entry is None or entry.file_size != length * dtype.itemsize:
            given = "no such file" if entry is None else f"{entry.file_size} bytes"
            raise InputError(
                f"{path} is damaged: storage {shown(key)}", given=given, allowed=f"{length * dtype.itemsize} bytes"
            )
        return Storage(dtype, length, lambda: archive.open(entry), budget)  # type: ignore[arg-type, return-value]

    steps = instructions()
    allowed = _allowed(path, budget, steps)
    return read_pickle(io.BytesIO(pickled), end=len(pickled), allowed=allowed, where=str(path), persistent=resolve, steps=steps)


def _open_archive(file: BinaryIO, path: Path) -> tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo]]:
    """An archive, which stays open for as long as a tensor may be loaded from it, and its files by name."""
    last_record = zipfile._EndRecData(file)  # type: ignore[attr-defined]  # there is no public way to see the size first
    if last_record and last_record[zipfile._ECD_SIZE] > MAX_DIRECTORY_BYTES:  # type: ignore[attr-defined]
        raise InputError(f"{path} is damaged, or no checkpoint: a zip archive of too many files")
    archive = zipfile.ZipFile(path)
    entries: dict[str, zipfile.ZipInfo] = {}
    size = path.stat().st_size
    for entry in archive.infolist():
        name = shown(entry.filename)
        if entries.setdefault(entry.filename, entry) is not entry:
            raise InputError(f"{path} is damaged: {name} is there twice")
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size or entry.flag_bits & ENCRYPTED:
            raise InputError(f"{path} is damaged: {name} is compressed or encrypted, which no checkpoint is")
        if entry.file_size > size:
            raise InputError(f"{path} is damaged: {name} is larger than the file", given=f"{entry.file_size} bytes")
    return archive, entries


def _read_plain(file: BinaryIO, path: Path, *, end: int, budget: Budget, steps: Iterator[int], nested: bool) -> Any:
    """The plain form: five pickles, the first a magic number, then the storages; or else a bare pickle."""
    start, where = file.tell(), str(path)
    first = read_pickle(file, end=end, allowed={}, where=where, steps=steps) if nested else _peek(file, end, where)
    if first != MAGIC:
        if nested:
            raise InputError(f"{where} is damaged: a tensor in it is in no known form")
        file.seek(start)
        return read_pickle(file, end=end, allowed=_allowed(path, budget, steps), where=where, steps=steps)
    read_pickle(file, end=end, allowed={}, where=where, steps=steps)  # version of the form
    machine = read_pickle(file, end=end, allowed={}, where=where, steps=steps)
    if not isinstance(machine, dict) or machine.get("little_endian") is not True:
        raise InputError(f"{where} was written on a big-endian machine, or is damaged")
    starts: dict[str, int] = {}
    lengths: dict[str, tuple[torch.dtype, int]] = {}

    def resolve(reference: Any) -> Storage:
        dtype, key, length = _storage_reference(reference)
        if lengths.setdefault(key, (dtype, length)) != (dtype, length):
            raise InputError(f"{where} is damaged: storage {shown(key)} has two sizes")
        return Storage(dtype, length, lambda: _open_at(file, path, starts[key]), budget)

    allowed: Globals = dict.fromkeys(STORAGES) if nested else _allowed(path, budget, steps)
    content = read_pickle(file, end=end, allowed=allowed, where=where, persistent=resolve, steps=steps)
    keys = read_pickle(file, end=end, allowed={}, where=where, steps=steps)
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys) or sorted(keys) != sorted(lengths):
        raise InputError(f"{where} is damaged: its list of storages is wrong")
    for key in keys:
        dtype, length = lengths[key]
        count = int.from_bytes(file.read(8), "little")
        starts[key] = file.tell()
        if count != length or length * dtype.itemsize > end - starts[key]:
            raise InputError(f"{where} is damaged: it ends too early", fix="download it again")
        file.seek(starts[key] + length * dtype.itemsize)
    return content


def _peek(file: BinaryIO, end: int, where: str) -> Any:
    """The magic number, if the file begins with it."""
    head = file.read(2 + 2 + 10 + 1)
    file.seek(file.tell() - len(head))
    number = b"\x80\x02\x8a\x0a" + MAGIC.to_bytes(10, "little") + b"."
    return read_pickle(file, end=end, allowed={}, where=where) if head == number else None


def _open_at(file: BinaryIO, path: Path, start: int) -> BinaryIO:
    """Another handle on what is being read: the file at the path, or bytes that lie in a pickle as text."""
    file = io.BytesIO(file.getvalue()) if isinstance(file, io.BytesIO) else path.open("rb")
    file.seek(start)
    return file


def _storage_reference(reference: Any) -> tuple[torch.dtype, str, int]:
    """Number format, name and length of the storage that a pickle refers to."""
    if not isinstance(reference, tuple) or len(reference) > MAX_REFERENCE:
        raise ValueError("no reference to a storage")
    kind, named, key, _, length, *rest = reference
    if kind != "storage" or not isinstance(named, Name) or not isinstance(key, str) or type(length) is not int or length < 0:
        raise ValueError("no reference to a storage")
    if any(part is not None for part in rest):
        raise InputError("a storage is part of another, as PyTorch wrote them before 0.4", fix="save it again with a newer one")
    return STORAGES[named.text], key, length


def _guess(head: bytes) -> str:
    """What a file that is no pickle may be, from its first bytes."""
    if not head:
        return "an empty file"
    if head[8:9] == b"{":
        return "a safetensors file"
    if head.startswith(b"\x89HDF"):
        return "an HDF5 file"
    return "text" if all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in head) else "other data"


def _allowed(path: Path, budget: Budget, steps: Iterator[int]) -> Globals:
    def open_storage(packed: Span) -> Storage:
        """A storage inside a network pickle is a whole `torch.save` file of its own, in the plain form."""
        back = packed.file.tell()
        packed.file.seek(packed.start)
        storage = _read_plain(packed.file, path, end=packed.start + packed.length, budget=budget, steps=steps, nested=True)
        packed.file.seek(back)
        if not isinstance(storage, Storage):
            raise InputError(f"{path} is damaged: a tensor in it is in no known form")
        return storage

    return allow_list(open_storage=open_storage, budget=budget)
