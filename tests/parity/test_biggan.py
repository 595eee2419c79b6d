"""BigGAN computes what the program that wrote the file computes, to 1e-4 in float32."""

import json

import pytest
import torch
from safetensors.torch import load_file

from latentreel.checkpoints import biggan_pytorch
from latentreel.checkpoints.key_table import loaded
from latentreel.checkpoints.torch_file import read_checkpoint
from latentreel.image_generators.biggan.config import BigGANConfig, default_channels

pytestmark = pytest.mark.usefixtures("fp32")


@pytest.fixture(scope="module")
def content(fixtures_dir):
    return read_checkpoint(fixtures_dir / "biggan_pytorch" / "G_ema.pth")


@pytest.fixture(scope="module")
def generator(content):
    return biggan_pytorch.import_generator(content, where="fixture")


def test_images_are_drawn_the_same(generator, fixtures_dir, hold):
    expected = load_file(fixtures_dir / "biggan_pytorch" / "expected.safetensors")
    with torch.no_grad():
        found = generator(expected["z"], expected["y"].long())
    hold(found, expected["image"], "BigGAN")


def test_the_file_returns_bit_for_bit(generator, content):
    ours = biggan_pytorch.export_generator(generator)
    assert ours.keys() == content.keys()
    assert all(torch.equal(ours[key], loaded(tensor)) for key, tensor in content.items())


def test_the_sizes_are_those_the_file_was_made_with(generator, fixtures_dir):
    sizes = json.loads((fixtures_dir / "biggan_pytorch" / "config.json").read_text())
    assert generator.config == BigGANConfig(
        resolution=sizes["resolution"],
        channels=default_channels(sizes["resolution"], base_width=sizes["G_ch"]),
        z_dim=sizes["dim_z"],
        num_classes=sizes["n_classes"],
        shared_dim=sizes["shared_dim"],
        hierarchical=sizes["hier"],
    )
