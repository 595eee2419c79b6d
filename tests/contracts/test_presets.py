"""Every preset builds, and every network of it learns in every phase.

Motion generators and discriminators have their true widths, on clips of a few frames; image generators that are too wide for a
laptop are made narrower, StyleGAN-Vs smaller, too, and videos are few. All else is as the preset has it. (`latentreel bench
frames_in_groups` steps one at 1024 px.)
"""

import dataclasses
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator

from latentreel.checkpoints.bundle import save_image_generator
from latentreel.checkpoints.load import load_image_generator, load_video_generator
from latentreel.cli.train import build
from latentreel.core.config import from_dict, load_yaml, save_yaml, to_dict
from latentreel.image_generators.build import build_image_generator
from latentreel.image_generators.stylegan2.discriminator import StyleGAN2Discriminator
from latentreel.image_generators.stylegan2.generator import StyleGAN2Generator
from latentreel.pipelines.video_pipeline import VideoPipeline
from latentreel.stylegan_v.discriminator import StyleGANVDiscriminator
from latentreel.stylegan_v.generator import StyleGANVGenerator
from latentreel.training.image import network_config
from latentreel.training.image_config import ImageTrainingConfig
from latentreel.training.loop import run_phase
from latentreel.training.presets import FAMILIES, all_presets, default_out
from latentreel.training.stylegan_v import discriminator_config, generator_config
from latentreel.training.stylegan_v_config import StyleGANVTrainingConfig

PRESETS = all_presets()
NAMES = [f"{family} {name}" for family, name, _ in PRESETS]
WIDEST = 64  # feature maps
TINY_CLIP = 5  # frames
SIZES_OF_STYLEGAN_V = ("resolution", "latent_dim", "motion_dim", "code_dim", "num_frequencies")  # at most 32


def reduced(config, generators: Path, out: Path):
    """As the preset has it, but on a few small videos of a world, with two items in a step, short clips and narrow generators."""
    config = dataclasses.replace(config, data=config.data or "world:faces", world_videos=2, batch_size=2, device="cpu", out=out)
    if isinstance(config, ImageTrainingConfig):
        channels = tuple(min(width, WIDEST) for width in network_config(config).channels)
        return dataclasses.replace(config, channels=channels, latent_dim=min(config.latent_dim, 32))
    if isinstance(config, StyleGANVTrainingConfig):
        sizes = {name: min(getattr(config, name), 32) for name in SIZES_OF_STYLEGAN_V}
        channels = tuple(min(width, 32) for width in generator_config(config).channels)[: sizes["resolution"].bit_length() - 2]
        return dataclasses.replace(config, channels=channels, world_frames=4, **sizes)
    samples, frames = min(config.basis_samples, 10_000), min(config.num_frames, TINY_CLIP)
    return dataclasses.replace(config, image_generator=str(generators), basis_samples=samples, num_frames=frames)


@pytest.fixture(scope="module")
def image_generator(tmp_path_factory) -> Path:
    """The bundle of an image generator at 64 px, in place of the one that ships or that the user brings."""
    generator = build_image_generator(
        "stylegan2", resolution=64, channels=(8, 8, 8, 8, 8), z_dim=512, w_dim=512, mapping_layers=2
    )
    folder = tmp_path_factory.mktemp("generator") / "bundle"
    save_image_generator(generator, folder, origin="a test")
    return folder


def test_every_family_has_a_debug_preset_that_takes_seconds():
    for family, presets in FAMILIES.items():
        assert presets["debug"].total_items <= 100, family
    assert len({default_out(family, name) for family, name, _ in PRESETS}) == len(PRESETS)


@pytest.mark.parametrize(("family", "name", "config"), PRESETS, ids=NAMES)
def test_a_preset_survives_the_file(family, name, config, tmp_path):
    save_yaml(config, tmp_path / "config.yaml")
    assert load_yaml(type(config), tmp_path / "config.yaml") == config
    assert from_dict(type(config), to_dict(config), where=name) == config


@pytest.mark.parametrize("name", FAMILIES["image"])
def test_an_image_preset_has_possible_networks(name):
    sizes = network_config(FAMILIES["image"][name])
    with torch.device("meta"):  # at full width, without the memory
        generator, discriminator = StyleGAN2Generator(sizes), StyleGAN2Discriminator(sizes)
        logits = discriminator(generator(torch.zeros(4, sizes.z_dim)))
    assert logits.shape == (4, 1)


@pytest.mark.parametrize("name", FAMILIES["stylegan-v"])
def test_a_stylegan_v_preset_has_possible_networks(name):
    config = FAMILIES["stylegan-v"][name]
    with torch.device("meta"):  # at full width, without the memory
        generator, discriminator = (
            StyleGANVGenerator(generator_config(config)),
            StyleGANVDiscriminator(discriminator_config(config)),
        )
    assert generator.config.channels == discriminator.config.channels


@pytest.mark.parametrize(("family", "name", "config"), PRESETS, ids=NAMES)
def test_every_network_learns_in_every_phase(family, name, config, image_generator, tmp_path):
    config = reduced(config, image_generator, tmp_path / "run")
    training = build(config, Accelerator(cpu=True))
    batch, unmoved = training.batch(0), {}
    for phase in training.phases:
        before = {key: parameter.detach().clone() for key, parameter in phase.module.named_parameters()}
        losses = run_phase(phase, batch, training.accelerator)
        assert all(torch.isfinite(loss).all() for loss in losses.values()), phase.name
        same = {key for key, parameter in phase.module.named_parameters() if torch.equal(parameter, before[key])}
        assert same < before.keys(), phase.name
        unmoved[phase.module] = unmoved.get(phase.module, same) & same
    idle = ["encoder.weight_hh"]  # the encoder's hidden state begins, and ends, at 0
    # A hinge loss pulls D_I's last bias up and down alike, until the first logit leaves the hinge.
    idle += ["output.bias"] if family == "motion" and config.contrastive else []
    idle += ["noise_strength"] if family == "image" and not config.noise else []
    for module, same in unmoved.items():
        assert [key for key in same if not key.endswith(tuple(idle))] == [], type(module).__name__

    training.after_step()
    training.save_bundle(tmp_path / "bundle")
    if family == "stylegan-v":
        trained = load_video_generator(tmp_path / "bundle")
        assert trained.resolution == config.resolution
        assert all(torch.equal(value, trained.state_dict()[key]) for key, value in training.average.state_dict().items())
    elif family == "image":
        assert load_image_generator(tmp_path / "bundle").resolution == config.resolution
    else:
        trained, given = load_image_generator(tmp_path / "bundle"), load_image_generator(image_generator)
        assert all(torch.equal(value, trained.state_dict()[key]) for key, value in given.state_dict().items())
        assert len(VideoPipeline.load(tmp_path / "bundle").generate(num_frames=3)) == 3
