"""Foreign checkpoints that are damaged, lie, or ask for code: each is refused in one line, nothing runs, little memory is taken.

`scripts/fuzz_checkpoints.py` looks for more of the kind.
"""

import functools
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
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import latentreel as lr
from latentreel.checkpoints.describe import describe
from latentreel.checkpoints.load import load_discriminator, load_image_generator
from latentreel.checkpoints.stored_tensor import StoredTensor
from latentreel.checkpoints.torch_file import MAGIC, read_checkpoint
from latentreel.core.errors import InputError
from latentreel.pipelines.mocogan_hd_release import read_numbers

FIXTURES = Path(__file__).parents[1] / "fixtures"
RELEASE = FIXTURES / "mocogan_hd"
GENERATOR, MOTION, VIDEO = (
    RELEASE / f"{name}" for name in ("image_generator_rosinality.pt", "modelR_epoch_0.pth", "modelD_3d_in_domain.pth")
)
NETWORK = FIXTURES / "stylegan2_ada" / "network-snapshot.pkl"
MEMORY = 400 * 2**20  # what a bomb may take at most, beyond what was in use; each would like many gigabytes


# --- a small assembler of pickles, and the three forms of file they lie in --------------------------------------------------


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def packed(value: bytes) -> bytes:
    return b"B" + struct.pack("<I", len(value)) + value


def number(value: int) -> bytes:
    return b"\x8a\x10" + value.to_bytes(16, "little", signed=True)


def group(*parts: bytes) -> bytes:
    return b"(" + b"".join(parts) + b"t"


def named(name: str) -> bytes:
    module, _, attribute = name.rpartition(".")
    return f"c{module}\n{attribute}\n".encode()


def call(name: str, *arguments: bytes) -> bytes:
    return named(name) + group(*arguments) + b"R"


def numbers_of(key: str = "0", length: int = 4) -> bytes:
    """A storage beside the pickle."""
    return group(text("storage"), named("torch.FloatStorage"), text(key), text("cpu"), number(length)) + b"Q"


def tensor(storage: bytes, shape: list[int], stride: list[int], offset: int = 0) -> bytes:
    sizes = [group(*map(number, numbers)) for numbers in (shape, stride)]
    return call("torch._utils._rebuild_tensor_v2", storage, number(offset), *sizes, b"\x89", b"}")


def as_zip(body: bytes, storages: dict[str, bytes] | None = None) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + body + b".")
        for key, data in (storages or {}).items():
            archive.writestr(f"archive/data/{key}", data)
    return file.getvalue()


def as_plain(body: bytes, storages: dict[str, bytes] | None = None) -> bytes:
    storages = storages or {}
    head = b"".join(pickle.dumps(part, 2) for part in (MAGIC, 1001, {"little_endian": True}))
    tail = b"".join(struct.pack("<Q", len(data) // 4) + data for data in storages.values())
    return head + b"\x80\x02" + body + b"." + pickle.dumps(list(storages), 2) + tail


def as_network(body: bytes, storages: dict[str, bytes] | None = None) -> bytes:
    return b"\x80\x04" + body + b"."


FORMS = {"zip": as_zip, "plain": as_plain, "network": as_network}
every_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


def refusal(path: Path, read: Any = describe) -> str:
    """What is said of a file, which must be one line that can be shown."""
    with pytest.raises(InputError) as caught:
        read(path)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 2000
    return message


@pytest.fixture
def write(tmp_path):
    def write_file(data: bytes, name: str = "file.pt") -> Path:
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return write_file


# --- code ------------------------------------------------------------------------------------------------------------------

CANARY = "canary"
TOUCH, SOURCE = text(f"touch {CANARY}"), text(f"open('{CANARY}', 'w')")
CALLS = {
    **dict.fromkeys(("os.system", "posix.system", "subprocess.getoutput", "subprocess.Popen", "torch.os.system"), TOUCH),
    **dict.fromkeys(("builtins.eval", "builtins.exec", "__builtin__.eval", "runpy._run_code", "timeit.timeit"), SOURCE),
    **dict.fromkeys(("torch.load", "numpy.load", "numpy.lib.npyio.load", "numpy.lib.npyio.NpzFile"), text("evil.pt")),
    **dict.fromkeys(
        ("importlib.import_module", "builtins.__import__", "builtins.getattr", "copyreg._reconstructor"), text("os")
    ),
    **dict.fromkeys(("operator.attrgetter", "functools.partial", "_pickle.loads", "marshal.loads", "torch._C._jit_init"), b"N"),
    **dict.fromkeys(("collections.OrderedDict.__class__", "torch.storage._load_from_bytes.__globals__"), b"N"),
}


@pytest.fixture
def canary(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield tmp_path / CANARY
    assert not (tmp_path / CANARY).exists(), "code was run"


@every_form
@pytest.mark.parametrize("name", CALLS)
def test_a_call_of_anything_is_refused_by_name(name, form, write, canary):
    module, _, attribute = name.rpartition(".")
    split = [(module, attribute), (module.partition(".")[0], name.partition(".")[2])]  # "torch" may be asked for "os.system"
    asked = [named(name), *(text(a) + text(b) + b"\x93" for a, b in split)]
    for ask in asked:
        for use in (b"R", b"\x81", b"}\x92"):  # a call, a new object, one with keywords
            assert name in refusal(write(form(ask + group(CALLS[name]) + use)))


class Evil:
    def __init__(self, how):
        self.how = how

    def __reduce__(self):
        return self.how


class EvilState:
    def __setstate__(self, state):
        os.system(state)


def test_objects_that_would_run_code_are_refused_by_name(tmp_path, canary):
    state = EvilState()
    state.command = f"touch {CANARY}"
    weights = {"enc_cell.weight_ih": torch.zeros(3)}
    evils = {
        "posix.system": Evil((os.system, (f"touch {CANARY}",))),
        ".eval": Evil((eval, (f"open('{CANARY}', 'w')",))),
        "functools.partial": functools.partial(os.system, f"touch {CANARY}"),
        "EvilState": state,
        "torch.serialization.load": Evil((torch.load, ("evil.pt",))),
        "torch.storage._load_from_bytes": Evil((torch.storage._load_from_bytes, (pickle.dumps(Evil((os.system, ("x",)))),))),
    }
    for name, evil in evils.items():
        for path in (tmp_path / "zip.pt", tmp_path / "plain.pt", tmp_path / "network.pkl"):
            content = {"G_ema": evil} | weights
            if path.suffix == ".pkl":
                path.write_bytes(pickle.dumps({"G_ema": evil}))
            else:
                torch.save(content, path, _use_new_zipfile_serialization=path.stem == "zip")
            for read in (describe, load_image_generator, load_discriminator, _as_motion)[: 4 if path.stem == "zip" else 1]:
                message = refusal(path, read)
                assert name in message or name == "torch.storage._load_from_bytes"
    # The canary does tell: what is refused here is what the usual machine runs.
    pickle.loads(pickle.dumps(evils["posix.system"]))
    assert canary.exists()
    canary.unlink()


@pytest.mark.parametrize("inner", [*FORMS.values(), bytes], ids=[*FORMS, "junk"])
def test_storages_within_a_pickle_hold_nothing_but_storages(inner, write, canary):
    evil = call("os.system", TOUCH)
    data = inner(evil)
    for hidden in (packed(data), call("_codecs.encode", text(data.decode("latin1")), text("latin1"))):
        refusal(write(as_network(b"}" + text("G") + call("torch.storage._load_from_bytes", hidden) + b"s")))
    again = inner(call("torch.storage._load_from_bytes", packed(data)))
    refusal(write(as_network(call("torch.storage._load_from_bytes", packed(again)))))


@every_form
def test_states_extensions_and_old_instances_are_refused(form, write, canary):
    for body, said in {
        named("torch.FloatStorage") + b"}b": "a state for a Name",
        named("torch.FloatStorage") + b")R": "a call of torch.FloatStorage",
        b"]}b": "a state for a list",
        TOUCH + b"\x85" + b"}b": "a state for a tuple",
        TOUCH + TOUCH + b"\x85R": "without a name",
        b"\x82\x01": "x82",  # a code of copyreg's
        b"(ios\nsystem\n": "b'i'",
        b"(cos\nsystem\no": "os.system",
        text("0") + b"Q": "",
    }.items():
        assert said in refusal(write(form(body)))


def test_the_source_text_in_a_network_pickle_is_not_run(write, canary):
    source = f"open({str(canary)!r}, 'w')\nimport os\nos.system('touch {canary}')"
    evil = NETWORK.read_bytes().replace(b"module_src\x94\x8c\x00", b"module_src\x94" + text(source))
    assert evil != NETWORK.read_bytes()
    ours, theirs = (load_image_generator(path).state_dict() for path in (write(evil), NETWORK))
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


def test_the_command_line_says_it_in_one_line(write, run_cli, canary):
    for form in FORMS.values():
        for evil in (call("os.system", TOUCH), text("os\n\x1b[31m" * 99_999) + text("b\nc") + b"\x93"):
            code, out, err = run_cli("weights", "show", write(form(evil)))
            assert (code, out) == (2, "")
            assert len(err) == 1
            assert err[0].isprintable()
            assert len(err[0]) < 1000


# --- damage ----------------------------------------------------------------------------------------------------------------


def _as_motion(path: Path) -> None:
    lr.import_mocogan_hd(image_generator=GENERATOR, motion=path, basis=RELEASE)


READERS = {GENERATOR: (load_image_generator, "conv1.activate.bias"), MOTION: (_as_motion, "fc1.bias")}
READERS |= {VIDEO: (load_discriminator, "netD.scale0_layer1.0.bias")}
DAMAGES = {
    "renamed": lambda state, key: state | {f"{key}x": state.pop(key)},
    "missing": lambda state, key: state.pop(key) is None or state,
    "added": lambda state, key: state | {key.upper(): torch.zeros(1)},
    "another shape": lambda state, key: state | {key: state[key][:-1]},
    "more axes": lambda state, key: state | {key: state[key][None]},
    "without axes": lambda state, key: state | {key: torch.zeros([])},
    "whole numbers": lambda state, key: state | {key: state[key].long()},
    "complex": lambda state, key: state | {key: state[key].cfloat()},
    "no tensor": lambda state, key: state | {key: [1.0, 2.0]},
    "a text": lambda state, key: state | {key: "weights"},
}


@pytest.mark.parametrize("modern", [True, False], ids=["zip", "plain"])
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("fixture", READERS, ids=lambda path: path.stem)
def test_what_does_not_fit_is_named(fixture, damage, modern, tmp_path):
    read, key = READERS[fixture]
    content = torch.load(fixture, weights_only=True)
    state = content.get("g_ema", content)
    state = DAMAGES[damage](dict(state), key)
    if fixture == GENERATOR:
        state = {**content, "g_ema": state}
    path = tmp_path / "file.pt"
    torch.save(state, path, _use_new_zipfile_serialization=modern)
    message = refusal(path, read)
    assert key.lower() in message.lower() or (damage == "complex" and "ComplexFloatStorage" in message)


def test_what_does_not_fit_in_a_network_pickle_is_named(write):
    data = NETWORK.read_bytes()
    renamed = data.replace(b"\x8c\x05const\x94", b"\x8c\x05cunst\x94")
    assert "synthesis.b4.cunst" in refusal(write(renamed)) or "another kind of generator" in refusal(write(renamed))
    assert "noise_strengtx" in refusal(write(data.replace(b"noise_strength", b"noise_strengtx")))
    assert "Generatxr" in refusal(write(data.replace(b"\x8c\x09Generator", b"\x8c\x09Generatxr")))


@pytest.mark.parametrize("path", [GENERATOR, VIDEO, MOTION, NETWORK], ids=lambda path: path.stem)
def test_truncated_files_are_refused(path, write):
    data = path.read_bytes()
    for length in (0, 1, 2, 15, 100, 1000, len(data) // 2, len(data) - 1):
        refusal(write(data[:length]))
    if path != NETWORK:
        file = io.BytesIO()
        torch.save(torch.load(path, weights_only=True), file, _use_new_zipfile_serialization=False)
        data = file.getvalue()
        for length in (1, 30, 300, len(data) // 2, len(data) - 1):
            refusal(write(data[:length]))


def test_what_is_no_checkpoint_is_refused(tmp_path, write):
    os.mkfifo(tmp_path / "pipe")
    for other in (tmp_path, tmp_path / "pipe", Path("/dev/zero"), tmp_path / "nothing"):
        for read in (describe, read_checkpoint):
            refusal(other, read)
    for data in (b"", b"version https://git-lfs", b"<!DOCTYPE html>", b"\x89HDF\r\n", bytes(99), b"PK\x03\x04", b"\x80"):
        refusal(write(data))
    assert "data.pkl" in refusal(write(_zipped({"a.txt": b"hello"})))


# --- archives that lie -----------------------------------------------------------------------------------------------------

LIST = b"\x80\x02]."


def _zipped(files: dict[str, bytes], **options: Any) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **options) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


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
    bomb = _zipped({"a/data.pkl": bytes(50_000_000)}, compression=zipfile.ZIP_DEFLATED)
    lies = {
        "a/data.pkl is compressed": bomb,
        "archive/data/0 is compressed": _directory(good, "archive/data/0", 8, "<H", 1),  # encrypted
        "archive/data.pkl is there twice": _twice(good),
        "2 data.pkl": _zipped({"a/data.pkl": LIST, "b/data.pkl": LIST}),
        "storage 0": as_zip(body, {"0": bytes(12)}),
        "storage 0; given: no such file": as_zip(body, {"1": bytes(16)}),
        "archive/data/0 is larger than the file": _directory(good, "archive/data/0", 20, "<II", 2**31, 2**31),
        "TorchScript": _zipped({"a/data.pkl": LIST, "a/constants.pkl": LIST}),
        "big-endian": _zipped({"a/data.pkl": LIST, "a/byteorder": b"big"}),
        "too many files": _zipped({f"a/{i:0999}": b"" for i in range(5000)} | {"a/data.pkl": LIST}),
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
    "an archive": _zipped({"a.npy": b""}),
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
    for read in (describe, load_image_generator, load_discriminator, _as_motion):
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


# --- anything --------------------------------------------------------------------------------------------------------------

ALL = sorted(path for path in FIXTURES.glob("*/*") if path.suffix in (".pt", ".pth", ".pkl", ".npy"))


@st.composite
def changed_files(draw):
    """A fixture after some flips, cuts, insertions and moves of bytes, most of them where its headers are."""
    path = draw(st.sampled_from(ALL))
    data = bytearray(path.read_bytes())
    for _ in range(draw(st.integers(1, 4))):
        start, other = (draw(st.integers(0, 3000) | st.integers(0, len(data)) | st.integers(-3000, -1)) for _ in range(2))
        count = draw(st.sampled_from([1, 2, 8, 100]))
        match draw(st.sampled_from(["flip", "delete", "insert", "splice", "truncate"])):
            case "flip":
                data[start : start + 1] = bytes(byte ^ 1 << draw(st.integers(0, 7)) for byte in data[start : start + 1])
            case "delete":
                del data[start : start + count]
            case "insert":
                data[start:start] = draw(st.binary(max_size=8))
            case "splice":
                data[start : start + count] = data[other : other + count]
            case "truncate":
                del data[max(start, 1) :]
    return path, bytes(data)


@given(changed_files())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_to_a_file_it_loads_or_is_refused(tmp_path, changed):
    original, data = changed
    path = tmp_path / original.name
    path.write_bytes(data)
    try:
        read_numbers(path) if path.suffix == ".npy" else describe(path)
    except InputError as error:
        assert str(error).isprintable()


def test_every_fixture_is_read():
    assert len(ALL) >= 10
    for path in ALL:
        assert isinstance(read_numbers(path), torch.Tensor) if path.suffix == ".npy" else describe(path).parts
    assert all(isinstance(value, StoredTensor) for value in read_checkpoint(MOTION).values())
