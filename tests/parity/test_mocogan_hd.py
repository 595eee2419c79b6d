"""Every network of MoCoGAN-HD computes what the released program's computes, to 1e-4 in float32."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from latentreel.checkpoints import mocogan_hd_release, stylegan2_state_dict
from latentreel.checkpoints.key_table import loaded
from latentreel.checkpoints.load import load_discriminator
from latentreel.checkpoints.torch_file import read_checkpoint
from latentreel.losses.adversarial import relativistic_least_squares
from latentreel.losses.contrastive import info_nce
from latentreel.mocogan_hd.video_generator import render

pytestmark = pytest.mark.usefixtures("fp32")


@pytest.fixture(scope="module")
def read(fixtures_dir) -> Callable[[str], Any]:
    return lambda name: read_checkpoint(fixtures_dir / "mocogan_hd" / name)


@pytest.fixture(scope="module")
def expected(fixtures_dir):
    return load_file(fixtures_dir / "mocogan_hd" / "expected.safetensors")


@pytest.fixture(scope="module")
def generator(read):
    return stylegan2_state_dict.import_generator(read("image_generator_rosinality.pt"), where="fixture")


@pytest.fixture(scope="module")
def motion(read, fixtures_dir):
    components, stdev = (
        torch.from_numpy(np.load(fixtures_dir / "mocogan_hd" / f"pca_{part}.npy")) for part in ("comp", "stdev")
    )
    state = read("modelR_epoch_0.pth")
    return mocogan_hd_release.import_motion_generator(state, components=components, stdev=stdev, step_size=0.2, where="fixture")


def test_noise_is_mapped_to_the_same_latents(generator, expected, hold):
    hold(generator.map(expected["z"]), expected["w0"], "w0")


@pytest.mark.parametrize(("noise", "name"), [("none", "video_no_noise"), ("fixed", "video_fixed_noise")])
def test_trajectories_are_drawn_the_same(generator, expected, noise, name, hold):
    hold(render(generator, expected["w"], noise), expected[name], name)


def test_truncated_trajectories_are_drawn_the_same(generator, expected, hold):
    hold(generator.mean_latent, expected["w_mean"], "w_mean")
    hold(render(generator, generator.truncate(expected["w"], 0.7)), expected["video_truncated_0p7"], "video_truncated_0p7")


def test_midpoints_are_drawn_the_same(generator, expected, hold):
    """T latents to 2 T - 1, as the released program interpolates."""
    w = expected["w"]
    between = torch.stack([w[:, :-1], (w[:, :-1] + w[:, 1:]) / 2], dim=2).flatten(1, 2)
    hold(render(generator, torch.cat([between, w[:, -1:]], dim=1)), expected["video_interpolated"], "video_interpolated")


def test_the_image_generators_file_returns_bit_for_bit(generator, read):
    theirs, ours = read("image_generator_rosinality.pt"), stylegan2_state_dict.export_generator(generator)
    assert ours["g_ema"].keys() == theirs["g_ema"].keys()
    assert all(torch.equal(ours["g_ema"][key], loaded(tensor)) for key, tensor in theirs["g_ema"].items())
    assert torch.equal(ours["latent_avg"].reshape(-1), loaded(theirs["latent_avg"]).reshape(-1))


def test_the_motion_generator_walks_the_same_way(motion, expected, hold):
    trajectory = motion(expected["w0"], 6, expected["e"].transpose(0, 1))
    hold(trajectory.latents, expected["w"], "w")
    hold(trajectory.reconstructed_noise, expected["e_reconstructed"], "e_reconstructed")


def test_noise_to_video_in_one_go(generator, motion, expected, hold):
    latents = motion(generator.map(expected["z"]), 6, expected["e"].transpose(0, 1)).latents
    hold(render(generator, latents), expected["video_no_noise"], "z to video")


def test_the_motion_generators_file_returns_bit_for_bit(motion, read):
    theirs, ours = read("modelR_epoch_0.pth"), mocogan_hd_release.export_motion_generator(motion)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], loaded(tensor)) for key, tensor in theirs.items())


@pytest.mark.parametrize(
    ("file", "load", "inputs"),
    [
        ("modelD_3d_in_domain.pth", mocogan_hd_release.import_video_discriminator, "d3_in"),
        ("modelD_3d_cross_domain.pth", mocogan_hd_release.import_video_discriminator, "d3_cross"),
        ("modelD_img_in_domain.pth", mocogan_hd_release.import_pair_discriminator, "d2_in"),
    ],
)
def test_discriminators_judge_the_same(read, expected, file, load, inputs, hold):
    theirs = read(file)
    discriminator = load(theirs, where=file)
    with torch.no_grad():
        logits = discriminator(expected[f"{inputs}_input"].float())
    for scale, found in enumerate(logits):
        hold(found, expected[f"{inputs}_logits_scale{scale}"], f"{inputs}, scale {scale}")
    ours = mocogan_hd_release.export_patch_discriminator(discriminator)
    assert {key: t.shape for key, t in ours.items()} == {key: t.shape for key, t in theirs.items()}
    assert {key: t.dtype for key, t in ours.items()} == {key: t.dtype for key, t in theirs.items()}
    assert all(
        torch.equal(ours[key], loaded(tensor)) for key, tensor in theirs.items() if ".0." in key
    )  # the rest is unused statistics


def test_relativistic_losses_are_the_same(expected, hold):
    real, fake = ([expected[f"ra_{side}{scale}"] for scale in (0, 1)] for side in ("real", "fake"))
    hold(relativistic_least_squares(real, fake).reshape(1), expected["ra_d_loss"], "discriminator's relativistic loss")
    hold(relativistic_least_squares(fake, real).reshape(1), expected["ra_g_loss"], "generator's relativistic loss")


def test_the_contrastive_discriminator_judges_the_same(fixtures_dir, read, expected, hold):
    file = "bigganD_cross_domain.pth"
    discriminator = load_discriminator(fixtures_dir / "mocogan_hd" / file)
    with torch.no_grad():
        found = discriminator(expected["d2_cross_input"])
    hold(found.logits, expected["d2_cross_logit"], "d2_cross_logit")
    hold(found.projections, expected["d2_cross_projection"], "d2_cross_projection")
    theirs, ours = read(file), mocogan_hd_release.export_contrastive_discriminator(discriminator)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], loaded(tensor)) for key, tensor in theirs.items())


def test_contrastive_losses_are_the_same(expected, hold):
    sides = [[expected[f"cntr_{part}_{side}"] for part in ("anchor", "positive", "bank")] for side in ("real", "fake")]
    hold(sum(info_nce(*side) for side in sides).reshape(1), expected["cntr_loss"], "contrastive loss")
