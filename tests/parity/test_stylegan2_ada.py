"""A network pickle's generator and discriminator compute what StyleGAN2-ADA's program computed, to 1e-4 in float32."""

import json

import pytest
import torch
from safetensors.torch import load_file

from latentreel.checkpoints.bundle import save_image_generator
from latentreel.checkpoints.load import load_discriminator, load_image_generator
from latentreel.checkpoints.stylegan2_state_dict import export_generator
from latentreel.image_generators.stylegan2.generator import StyleGAN2Generator

pytestmark = pytest.mark.usefixtures("fp32")


@pytest.fixture(scope="module")
def folder(fixtures_dir):
    return fixtures_dir / "stylegan2_ada"


@pytest.fixture(scope="module")
def expected(folder):
    return load_file(folder / "expected.safetensors")


@pytest.fixture(scope="module")
def generator(folder) -> StyleGAN2Generator:
    generator = load_image_generator(folder / "network-snapshot.pkl")
    assert isinstance(generator, StyleGAN2Generator)
    return generator


def test_the_variant_is_found(generator, folder):
    theirs = json.loads((folder / "config.json").read_text())
    config = generator.config
    assert (config.resolution, config.z_dim, config.w_dim) == (theirs["img_resolution"], theirs["z_dim"], theirs["w_dim"])
    assert config.channels == (24, 24, 24, 16)
    assert (config.architecture, config.conv_clamp, config.num_classes, config.mapping_layers) == ("skip", 256.0, 0, 3)


def test_latents_are_the_same(generator, expected, hold):
    hold(generator.map(expected["z"]), expected["w"], "w")
    hold(generator.map(expected["z"], truncation=0.6), expected["w_truncated_0p6"], "w_truncated_0p6")


def test_images_are_the_same(generator, expected, hold):
    hold(generator.synthesize(expected["w"], noise="fixed"), expected["image_const_noise"], "image_const_noise")
    hold(generator.synthesize(expected["w"]), expected["image_no_noise"], "image_no_noise")
    truncated = generator.map(expected["z"], truncation=0.6)
    hold(generator.synthesize(truncated), expected["image_truncated_no_noise"], "image_truncated_no_noise")


def test_the_discriminator_judges_the_same(folder, expected, hold):
    discriminator = load_discriminator(folder / "network-snapshot.pkl")
    with torch.no_grad():
        hold(discriminator(expected["d_input"]), expected["d_logits"], "d_logits")


def test_weights_return_bit_for_bit_by_way_of_a_bundle_and_of_a_state_dict(generator, tmp_path):
    save_image_generator(generator, tmp_path / "bundle", origin="a test")
    torch.save(export_generator(generator, drop_clamp=True), tmp_path / "g_ema.pt")
    for name in ("bundle", "g_ema.pt"):
        again = load_image_generator(tmp_path / name).state_dict()
        assert again.keys() == generator.state_dict().keys()
        assert all(torch.equal(again[key], value) for key, value in generator.state_dict().items())
