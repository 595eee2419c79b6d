"""Foreign checkpoints that ask for code or are damaged: each is refused in one line that names what it is, and nothing runs.

`scripts/fuzz_checkpoints.py` looks for more of the kind.
"""

import functools
import io
import os
import pickle
from pathlib import Path

import pytest
import torch
from hostile_pickles import (
    CANARY,
    FIXTURES,
    FORMS,
    GENERATOR,
    MOTION,
    NETWORK,
    VIDEO,
    as_motion,
    as_network,
    call,
    every_form,
    group,
    named,
    packed,
    refusal,
    text,
    zipped,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from latentreel.checkpoints.describe import describe
from latentreel.checkpoints.load import load_discriminator, load_image_generator
from latentreel.checkpoints.stored_tensor import StoredTensor
from latentreel.checkpoints.torch_file import read_checkpoint
from latentreel.core.errors import InputError
from latentreel.pipelines.mocogan_hd_release import read_numbers

# --- code ------------------------------------------------------------------------------------------------------------------

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
            for read in (describe, load_image_generator, load_discriminator, as_motion)[: 4 if path.stem == "zip" else 1]:
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

READERS = {GENERATOR: (load_image_generator, "conv1.activate.bias"), MOTION: (as_motion, "fc1.bias")}
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
    assert "data.pkl" in refusal(write(zipped({"a.txt": b"hello"})))


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
