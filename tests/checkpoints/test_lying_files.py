"""Foreign checkpoints that lie about sizes and contents: each is refused in one line, in little memory and time."""

import io
import os
import pickle
import resource
import struct
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hostile_pickles import (
    CANARY,
    GENERATOR,
    MOTION,
    RELEASE,
    VIDEO,
    as_motion,
    as_network,
    as_plain,
    as_zip,
    call,
    group,
    named,
    number,
    numbers_of,
    packed,
    refusal,
    tensor,
    text,
    zipped,
)

from latentreel.checkpoints.describe import describe
from latentreel.checkpoints.load import load_discriminator, load_image_generator
from latentreel.checkpoints.torch_file import read_checkpoint
from latentreel.core.errors import InputError
from latentreel.pipelines.mocogan_hd_release import read_numbers

MEMORY = 400 * 2**20  # what a bomb may take at most, beyond what was in use; each would like many gigabytes


# --- archives that lie -----------------------------------------------------------------------------------------------------

LIST = b"\x80\x02]."


def _directory(data: bytes, name: str, offset: int, form: str, *values: int) -> bytes:
    """An archive with other numbers in the list at its end, `offset` bytes into the line of a file."""
    line = data.rindex(b"PK\x01\x02", 0, data.rindex(name.encode()))
    changed = bytearray(data)
    struct.pack_into(form, changed, line + offset, *values)
    return bytes(changed)


def _twice(data: bytes) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = io.BytesIO(data)
        with zipfile.ZipFile(file, "a") as archive:
            archive.writestr("archive/data.pkl", LIST)
    return file.getvalue()


def test_archives_that_lie_are_refused(write):
    body = b"}" + text("w") + tensor(numbers_of(), [4], [1]) + b"s"
    good = as_zip(body, {"0": bytes(16)})
    assert read_checkpoint(write(good))["w"].load().tolist() == [0] * 4
    bomb = zipped({"a/data.pkl": bytes(50_000_000)}, compression=zipfile.ZIP_DEFLATED)
    lies = {
        "a/data.pkl is compressed": bomb,
        "archive/data/0 is compressed": _directory(good, "archive/data/0", 8, "<H", 1),  # encrypted
        "archive/data.pkl is there twice": _twice(good),
        "2 data.pkl": zipped({"a/data.pkl": LIST, "b/data.pkl": LIST}),
        "storage 0": as_zip(body, {"0": bytes(12)}),
        "storage 0; given: no such file": as_zip(body, {"1": bytes(16)}),
        "archive/data/0 is larger than the file": _directory(good, "archive/data/0", 20, "<II", 2**31, 2**31),
        "TorchScript": zipped({"a/data.pkl": LIST, "a/constants.pkl": LIST}),
        "big-endian": zipped({"a/data.pkl": LIST, "a/byteorder": b"big"}),
        "too many files": zipped({f"a/{i:0999}": b"" for i in range(5000)} | {"a/data.pkl": LIST}),
    }
    for said, data in lies.items():
        assert said in refusal(write(data))
    elsewhere = [_directory(good, "archive/data/0", 42, "<I", place) for place in (0, 7, len(good) + 5, 2**32 - 2)]
    bad_sum = _directory(good, "archive/data/0", 16, "<I", 1)
    patched = _directory(good, "archive/data/0", 8, "<H", 0x20)
    for data in (*elsewhere, bad_sum, patched):

        def load_all(path):
            return read_checkpoint(path)["w"].load()

        refusal(write(data), load_all)


# --- bombs -----------------------------------------------------------------------------------------------------------------

SHARED = b"q\x01"  # keep the last value, to be used again by b"h\x01"


def _many(times: int, repeated: bytes) -> bytes:
    return repeated * times


DEEP = b")" + b"\x85" * 100_000  # a tuple of a tuple of a tuple: to hash it ends Python
BIG = text("x" * 1_000_000) + SHARED
BOMBS = {
    "lists and sets": b"]\x8f" * 300_000,
    "a length of bytes": b"\x8e" + b"\xff" * 8,
    "a length of a text": b"\x8d" + b"\xff" * 7 + b"\x7f",
    "a length of a number": b"\x8b\xff\xff\xff\x7f",
    "a negative length": b"\x8b\xff\xff\xff\xff",
    "a text that doubles": text("xx") + SHARED + _many(64, call("pathlib.PosixPath", b"h\x01", b"h\x01") + SHARED),
    "copies of a text": BIG + _many(20_000, call("_codecs.encode", b"h\x01", text("latin1"))),
    "copies of a dict": b"}("
    + b"".join(number(i) + b"N" for i in range(20_000))
    + b"u"
    + SHARED
    + _many(20_000, call("collections.OrderedDict", b"h\x01")),
    "copies of a set": b"]("
    + b"".join(number(i) for i in range(20_000))
    + b"e"
    + SHARED
    + _many(20_000, call("builtins.set", b"h\x01")),
    "copies of arguments": group(b"N" * 100_000) + SHARED + _many(20_000, named("types.SimpleNamespace") + b"h\x01R"),
    "copies of an array": packed(bytes(1_000_000))
    + SHARED
    + _many(
        20_000,
        call("numpy.core.numeric._frombuffer", b"h\x01", call("numpy.dtype", text("f4")), group(number(250_000)), text("C")),
    ),
    "storages without end": packed(as_plain(numbers_of(), {"0": bytes(16)}))
    + SHARED
    + _many(40_000, call("torch.storage._load_from_bytes", b"h\x01")),
    "a deep key": b"}" + DEEP + b"Ns",
    "a deep key of an OrderedDict": call("collections.OrderedDict", b"](](" + DEEP + b"Ne" + b"e"),
    "a deep member": call("builtins.set", b"](" + DEEP + b"e"),
    "long keys": group(b"N" * 50_000) + SHARED + b"}" + (b"h\x01Ns") * 50_000,
    "keys that collide": b"}(" + b"".join(number(i * (2**61 - 1)) + b"N" for i in range(20_000)) + b"u",
    "a long name": text("o" * 1_000_000) + text("s\n" * 1_000_000) + b"\x93",
    "a huge axis": tensor(numbers_of(), [10**12], [0]),
    "an axis of overlapping rows": tensor(numbers_of(), [10**6, 10**6], [0, 0]),
    "no numbers, but large": tensor(numbers_of(), [0, 2**62, 2**62], [1, 1, 1]),
    "many axes": tensor(numbers_of(), [1] * 100, [1] * 100),
    "a long stride": tensor(numbers_of(), [1], [2**100]),
    "a negative size": tensor(numbers_of(), [-1], [1]),
    "a negative offset": tensor(numbers_of(), [1], [1], offset=-1),
    "an offset past the end": tensor(numbers_of(), [1], [1], offset=4),
    "an object array": call(
        "numpy.core.numeric._frombuffer", packed(bytes(8)), call("numpy.dtype", text("b,O")), b")", text("C")
    ),
}


@pytest.mark.parametrize("body", BOMBS.values(), ids=BOMBS)
def test_bombs_are_refused_in_little_memory(body, write):
    for form in (as_zip, as_plain, as_network) if len(body) < 10_000 else (as_network,):
        path = write(form(body, {"0": bytes(16)}))
        before = resource.getrusage(resource.RUSAGE_SELF)
        refusal(path)
        after = resource.getrusage(resource.RUSAGE_SELF)
        assert (after.ru_maxrss - before.ru_maxrss) * 1024 < MEMORY
        assert after.ru_utime - before.ru_utime < 20  # seconds of work: each would like to take hours


@pytest.mark.parametrize("form", [as_zip, as_plain], ids=["zip", "plain"])
def test_a_storage_shared_by_thousands_of_tensors_is_not_loaded_thousands_of_times(form, write):
    length = 100_000
    for shape, stride in (([length], [1]), ([length], [0])):
        tensors = b"".join(number(i) + tensor(numbers_of(length=length), shape, stride) for i in range(3000))
        content = read_checkpoint(write(form(b"}(" + tensors + b"u", {"0": bytes(4 * length)})))
        kept = []
        with pytest.raises(InputError, match="larger than the file"):
            kept.extend(stored.load() for stored in content.values())
        assert len(kept) < 10


def test_containers_that_hold_themselves_are_survived(write):
    for body in (
        b"}q\x01" + text("g_ema") + b"h\x01s",
        b"}q\x01" + text("G_ema") + b"h\x01s",
        b"]q\x01h\x01a",
        b"]" * 100_000 + b"a" * 99_999,
    ):
        refusal(write(as_network(body)))
    network = call(
        "torch_utils.persistence._reconstruct_persistent_obj",
        b"}(" + text("type") + text("class") + text("class_name") + text("Generator") + text("state") + b"}q\x02u",
    )
    body = b"}" + text("G_ema") + network + b"q\x01s" + b"0h\x02" + text("_modules") + b"}" + text("m") + b"h\x01ss"
    refusal(write(as_network(b"}q\x05" + b"0" + body + b"0h\x05" + text("G_ema") + b"h\x01s")))


def test_numbers_within_a_pickle_are_read_from_where_they_lie(write):
    inner = as_plain(numbers_of(), {"0": np.arange(4, dtype="<f4").tobytes()})
    for form in (as_zip, as_network):
        for data in (packed(inner), call("_codecs.encode", text(inner.decode("latin1")), text("latin1"))):
            stored = read_checkpoint(write(form(tensor(call("torch.storage._load_from_bytes", data), [2, 2], [1, 2]))))
            assert stored.load().tolist() == [[0, 2], [1, 3]]


# --- arrays ----------------------------------------------------------------------------------------------------------------


def _array_file(header: str) -> bytes:
    line = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(line)) + line + bytes(16)


ARRAYS = {
    "empty": b"",
    "text": b"1 2 3",
    "longer than it is": _array_file("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,)}"),
    "no numbers": _array_file("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 99999999999)}"),
    "negative": _array_file("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}"),
    "objects": _array_file("{'descr': '|O', 'fortran_order': False, 'shape': (2,)}"),
    "objects in a row": _array_file("{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (2,)}"),
    "whole numbers": _array_file("{'descr': '<i8', 'fortran_order': False, 'shape': (2,)}"),
    "code": _array_file(f"__import__('os').system('touch {CANARY}')"),
    "a pickle": pickle.dumps([1.0, 2.0]),
    "an archive": zipped({"a.npy": b""}),
}


@pytest.mark.parametrize("data", ARRAYS.values(), ids=ARRAYS)
def test_arrays_that_lie_are_refused(data, write, canary):
    refusal(write(data, "pca_comp.npy"), read_numbers)


# --- contents that load, and fit nothing -----------------------------------------------------------------------------------


def _state(path: Path, **changes: Any) -> dict[Any, Any]:
    state = torch.load(path, weights_only=True)
    return dict(state.get("g_ema", state)) | changes


def _deep(count: int, name: str, like: str) -> dict[str, Any]:
    state = _state(GENERATOR)
    return state | {name.format(i): state[like] for i in range(count)}


def _wide(path: Path, key: str, shape: list[int]) -> dict[Any, Any]:
    return _state(path, **{key: torch.zeros(shape)})


ODD = {
    "numbers as keys": lambda: {**_state(VIDEO), 5: torch.zeros(1)},
    "no key is a text": lambda: {(None, "a"): torch.zeros(1)} | _state(VIDEO),
    "a number beside the generator": lambda: {"g_ema": {"conv1.conv.weight": 1, 5: torch.zeros(1)}, 7: {}},
    "cell.weight_ih without axes": lambda: _state(MOTION, **{"enc_cell.weight_ih": torch.zeros([])}),
    "w without axes": lambda: _state(MOTION, w=torch.zeros([])),
    "a wide motion generator": lambda: _wide(MOTION, "w", [1_000_000, 1]),
    "a wide video discriminator": lambda: _wide(VIDEO, "netD.scale1_layer0.0.weight", [100_000, 6, 1, 1, 1]),
    "a wide pair discriminator": lambda: _wide(
        RELEASE / "modelD_img_in_domain.pth", "netD.scale1_layer0.0.weight", [100_000, 6, 1, 1]
    ),
    "wide noise": lambda: _wide(GENERATOR, "style.1.weight", [1, 1_000_000]),
    "an axis too many": lambda: _wide(GENERATOR, "conv1.conv.weight", [1, 1, 1, 1, 1, 1]),
    "an axis too few": lambda: _wide(GENERATOR, "conv1.conv.weight", []),
    "a deep mapping": lambda: _deep(5000, "style.{}.weight", "style.1.weight"),
    "many blocks": lambda: (
        _deep(5000, "to_rgbs.{}.bias", "to_rgbs.0.bias") | _deep(10_000, "convs.{}.conv.weight", "conv1.conv.weight")
    ),
}


@pytest.mark.parametrize("content", ODD.values(), ids=ODD)
def test_contents_that_fit_nothing_are_refused_in_little_memory(content, tmp_path):
    torch.save(content(), tmp_path / "file.pt")
    before = resource.getrusage(resource.RUSAGE_SELF)
    for read in (describe, load_image_generator, load_discriminator, as_motion):
        refusal(tmp_path / "file.pt", read)
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert (after.ru_maxrss - before.ru_maxrss) * 1024 < MEMORY
    assert after.ru_utime - before.ru_utime < 20


@pytest.mark.parametrize("key", ["enc_cell.weight_ih", "w"])
def test_a_motion_generator_without_axes_is_not_described(key, tmp_path):
    torch.save(_state(MOTION, **{key: torch.zeros([])}), tmp_path / "file.pt")
    assert key in refusal(tmp_path / "file.pt")


@pytest.mark.parametrize(
    "header", ["{'descr': (", "{'descr': (), 'fortran_order': False, 'shape': (2,)}", "(" * 90, "-" * 9000]
)
def test_headers_that_are_no_headers_are_refused(header, write):
    line = header.encode() + b"\n"
    refusal(write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(line)) + line + bytes(16), "pca_comp.npy"), read_numbers)


def test_a_pipe_in_place_of_an_array_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pca_comp.npy")
    refusal(tmp_path / "pca_comp.npy", read_numbers)
