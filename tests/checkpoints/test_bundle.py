"""Bundles return bit for bit, and a damaged one says what is wrong with it."""

import hashlib
import json
import struct

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from latentreel.checkpoints.bundle import (
    is_bundle,
    load_image_generator_bundle,
    load_motion_bundle,
    load_stylegan_v_bundle,
    read_card,
    save_image_generator,
    save_mocogan_hd,
    save_stylegan_v,
)
from latentreel.core.errors import InputError
from latentreel.image_generators.stylegan2.config import StyleGAN2Config
from latentreel.image_generators.stylegan2.generator import StyleGAN2Generator
from latentreel.mocogan_hd.latent_basis import LatentBasis
from latentreel.mocogan_hd.motion_generator import MotionGenerator
from latentreel.stylegan_v.config import StyleGANVConfig
from latentreel.stylegan_v.generator import StyleGANVGenerator

D, K = 6, 4
CONFIG = StyleGAN2Config(
    resolution=8, channels=(4, 3), z_dim=5, w_dim=D, mapping_layers=2, architecture="resnet", conv_clamp=256.0
)


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(other[key], tensor) for key, tensor in one.items())


def trained():
    """An image generator, a basis of more components than are used, and a motion generator."""
    generator = StyleGAN2Generator(CONFIG)
    generator.mean_latent.normal_()
    basis = LatentBasis(torch.linalg.qr(torch.randn(D, D))[0], torch.rand(D), torch.randn(D), torch.rand(D))
    return generator, basis, MotionGenerator(basis=basis.truncated(K), latent_dim=D, hidden_dim=7, step_size=0.3)


@pytest.fixture
def bundle(tmp_path):
    save_mocogan_hd(*trained(), tmp_path / "bundle", origin="a test", licence="CC0-1.0", fps=12.5)
    return tmp_path / "bundle"


def change_card(bundle, change):
    card = json.loads((bundle / "card.json").read_text())
    change(card)
    (bundle / "card.json").write_text(json.dumps(card))


def replace(bundle, name, content, *, note_digest=True):
    (bundle / name).write_bytes(content)
    if note_digest:
        change_card(bundle, lambda card: card["files"].update({name: hashlib.sha256(content).hexdigest()}))


def refused(bundle, problem):
    """What either part of the bundle is refused with."""
    with pytest.raises(InputError, match=problem) as caught:
        load_image_generator_bundle(bundle)
        load_motion_bundle(bundle)
    return str(caught.value)


# --- round trips -----------------------------------------------------------------------------------------------------------


def test_all_parts_return_bit_for_bit(tmp_path):
    generator, basis, motion = trained()
    save_mocogan_hd(generator, basis, motion, tmp_path / "bundle", origin="a test", licence="CC0-1.0", fps=12.5)
    state = torch.get_rng_state()
    generator_again = load_image_generator_bundle(tmp_path / "bundle")
    basis_again, motion_again, fps = load_motion_bundle(tmp_path / "bundle")
    assert torch.equal(torch.get_rng_state(), state)  # opening a file draws nothing
    assert fps == 12.5
    assert generator_again.config == CONFIG
    assert motion_again.config == motion.config
    assert same(generator.state_dict(), generator_again.state_dict())
    assert same(basis.tensors(), basis_again.tensors())
    assert same(motion.state_dict(), motion_again.state_dict())
    assert torch.equal(motion_again.directions, motion.directions)
    for network in (generator_again, motion_again):
        assert not network.training
        assert not any(p.requires_grad for p in network.parameters())


def test_the_card_says_what_where_from_and_under_which_terms(bundle):
    card = read_card(bundle)
    assert is_bundle(bundle)
    assert (card["kind"], card["origin"], card["licence"]) == ("mocogan_hd", "a test", "CC0-1.0")
    assert card["configs"]["image_generator"]["family"] == "stylegan2"
    digests = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in bundle.glob("*.safetensors")}
    assert card["files"] == digests
    assert digests.keys() == {"image_generator.safetensors", "basis.safetensors", "motion_generator.safetensors"}


def test_an_image_generator_alone_is_a_bundle_without_motion(tmp_path):
    generator, _, _ = trained()
    save_image_generator(generator, tmp_path / "bundle", origin="a test")
    assert same(generator.state_dict(), load_image_generator_bundle(tmp_path / "bundle").state_dict())
    with pytest.raises(
        InputError, match="no motion generator; given: a bundle of kind image_generator; train one: latentreel train motion"
    ):
        load_motion_bundle(tmp_path / "bundle")


def test_a_stylegan_v_returns_bit_for_bit_and_what_does_not_fit_its_card_is_named(tmp_path):
    sizes = {
        "resolution": 16,
        "channels": (4, 3, 3),
        "z_dim": 5,
        "w_dim": D,
        "motion_dim": 3,
        "code_dim": 3,
        "num_frequencies": 2,
    }
    generator, folder = StyleGANVGenerator(StyleGANVConfig(**sizes)), tmp_path / "bundle"
    save_stylegan_v(generator, folder, origin="a test")
    assert same(generator.state_dict(), load_stylegan_v_bundle(folder).state_dict())
    for load, problem in {
        load_motion_bundle: "no motion generator; given: a bundle of kind stylegan_v",
        load_image_generator_bundle: "describes no image_generator",
    }.items():
        with pytest.raises(InputError, match=problem):
            load(folder)
    for change, problem in {
        ("num_frequencies", 3): "wrong shape",
        ("fps", 0): "fps is out of range",
        ("code_dim", 2**62): "code_dim is out of range",
        ("ancor_distance", 8): "unknown field; given: ancor_distance.*did you mean anchor_distance",
    }.items():
        save_stylegan_v(generator, folder, origin="a test")
        change_card(folder, lambda card, change=change: card["configs"]["stylegan_v"].update([change]))
        with pytest.raises(InputError, match=problem):
            load_stylegan_v_bundle(folder)


def test_half_precision_files_become_float32_inside(bundle):
    path = bundle / "motion_generator.safetensors"
    halves = {key: tensor.half() for key, tensor in load_file(path).items()}
    save_file(halves, path)
    replace(bundle, path.name, path.read_bytes())
    _, motion, _ = load_motion_bundle(bundle)
    assert same({key: tensor.float() for key, tensor in halves.items()}, motion.state_dict())


# --- damage ----------------------------------------------------------------------------------------------------------------


def test_a_folder_without_a_card_is_no_bundle(tmp_path):
    assert not is_bundle(tmp_path)
    assert str(tmp_path) in refused(tmp_path, "is no bundle: card.json")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": 1}', "[" * 100_000, "\x00"])
def test_a_damaged_card_is_named(bundle, text):
    (bundle / "card.json").write_text(text)
    refused(bundle, r"card\.json (is damaged|lacks parts)")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda card: card.update(format=2), "written by a later latentreel; given: format 2; allowed: 1"),
        (lambda card: card.update(format="1"), "lacks parts"),
        (lambda card: card.update(configs=[]), "lacks parts"),
        (lambda card: card["files"].clear(), "image_generator.safetensors is not the file that its card describes"),
        (lambda card: card["configs"].pop("image_generator"), "describes no image_generator"),
        (lambda card: card["configs"].update(motion_generator=3), "describes no motion_generator"),
        (
            lambda card: card["configs"]["image_generator"].update(family="moon"),
            "family; given: moon; allowed: stylegan2, biggan",
        ),
        (lambda card: card["configs"]["image_generator"].update(w_dmi=3), "unknown field; given: w_dmi.*did you mean w_dim"),
        (lambda card: card["configs"]["image_generator"].update(resolution=12), "resolution does not fit"),
        (lambda card: card["configs"]["image_generator"].update(w_dim=10**6), "wrong shape"),
        (lambda card: card["configs"]["image_generator"].update(w_dim=2**62), "w_dim is out of range"),
        (lambda card: card["configs"]["image_generator"].update(mapping_layers=10**7), "mapping_layers is out of range"),
        (lambda card: card["configs"]["image_generator"].update(conv_clamp=-1.0), "conv_clamp is out of range"),
        (lambda card: card["configs"]["motion_generator"].update(hidden_dim=2**62), "no network has these sizes"),
        (lambda card: card["configs"]["motion_generator"].update(hidden_dim=8), "decoder.*wrong shape; given.*; allowed"),
        (lambda card: card["configs"]["motion_generator"].update(num_components=7), "basis is too small; given: 6 components"),
        (lambda card: card["configs"]["video"].update(fps="fast"), "frame rate is out of range; given: fast"),
        (lambda card: card["configs"]["video"].update(fps=0), "frame rate is out of range; given: 0"),
        (lambda card: card["configs"]["video"].clear(), "frame rate is out of range"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(bundle, change, problem):
    change_card(bundle, change)
    refused(bundle, problem)


def test_weights_other_than_the_cards_are_refused(bundle):
    path = bundle / "image_generator.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    replace(bundle, path.name, bytes(content), note_digest=False)
    assert str(path) in refused(bundle, "is not the file that its card describes")


def header(text):
    return struct.pack("<Q", len(text)) + text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x04pickle",
        struct.pack("<Q", 2**60) + b"{}",  # a header of an exabyte
        struct.pack("<Q", 10**8) + b"{}",  # one of 100 MB, in a file of 10 bytes
        header(b"{"),
        header(b'{"x":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}'),
        header(b'{"x":{"dtype":"F4","shape":[8],"data_offsets":[0,4]}}') + b"0000",
    ],
    ids=["empty", "pickle", "giant header", "large header", "broken header", "giant tensor", "4-bit numbers"],
)
def test_a_damaged_weight_file_is_named(bundle, content):
    for name in ("motion_generator.safetensors", "image_generator.safetensors"):
        replace(bundle, name, content)
        assert name in refused(bundle, "is damaged")


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_truncated_weight_file_is_named(bundle, share):
    whole = bundle / "whole"
    path = bundle / "image_generator.safetensors"
    if not whole.exists():
        whole.write_bytes(path.read_bytes())
    content = whole.read_bytes()
    replace(bundle, path.name, content[: int(share * len(content))])
    assert path.name in refused(bundle, "is damaged")


def test_a_missing_weight_file_is_named(bundle):
    (bundle / "basis.safetensors").unlink()
    refused(bundle, r"cannot read .*basis.safetensors: No such file")


@pytest.mark.parametrize("name", ["image_generator", "motion_generator", "basis"])
def test_missing_and_left_over_tensors_are_named(bundle, name):
    path = bundle / f"{name}.safetensors"
    tensors = load_file(path)
    gone = sorted(tensors)[0]
    tensors["left over"] = tensors.pop(gone)
    save_file(tensors, path)
    replace(bundle, path.name, path.read_bytes())
    message = refused(bundle, "left over")
    assert path.name in message
    assert gone in message or name == "basis"


def test_a_tensor_of_another_shape_is_named(bundle):
    path = bundle / "image_generator.safetensors"
    save_file(load_file(path) | {"mean_latent": torch.zeros(D + 1)}, path)
    replace(bundle, path.name, path.read_bytes())
    refused(bundle, r"image_generator.safetensors: mean_latent has the wrong shape; given: \[7\]; allowed: \[6\]")
