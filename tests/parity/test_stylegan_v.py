"""A pickle of StyleGAN-V's program: its generator and discriminator compute what that program computed, to 1e-4 in float32."""

import json

import pytest
import torch
from safetensors.torch import load_file

import latentreel as lr
from latentreel.checkpoints import stylegan_v_pickle
from latentreel.checkpoints.bundle import save_stylegan_v
from latentreel.checkpoints.key_table import export_state, loaded
from latentreel.checkpoints.pickled_modules import flatten
from latentreel.checkpoints.torch_file import read_checkpoint

pytestmark = pytest.mark.usefixtures("fp32")


@pytest.fixture(scope="module")
def file(fixtures_dir):
    return fixtures_dir / "stylegan_v" / "network-snapshot.pkl"


@pytest.fixture(scope="module")
def expected(file):
    return load_file(file.with_name("expected.safetensors"))


@pytest.fixture(scope="module")
def generator(file):
    return lr.load_video_generator(file)


def test_sizes_and_settings_are_found(generator, file):
    theirs = json.loads(file.with_name("config.json").read_text())
    motion, waves = (theirs["generator_cfg"][name] for name in ("motion", "time_enc"))
    config, judge = generator.config, lr.load_discriminator(file).config
    assert (config.resolution, config.z_dim, config.w_dim) == (theirs["img_resolution"], theirs["z_dim"], theirs["w_dim"])
    assert config.channels == judge.channels == (24, 24, 24, 16)
    assert (config.motion_dim, config.code_dim, config.motion_kernel) == (
        motion["z_dim"],
        motion["v_dim"],
        motion["kernel_size"],
    )
    assert config.anchor_distance == motion["motion_z_distance"]
    periods = (config.num_frequencies, config.min_period, config.max_period)
    assert periods == (waves["dim"], waves["min_period_len"], waves["max_period_len"])
    assert (config.conv_clamp, config.fps, judge.deviation_group) == (256.0, 25.0, 2)
    assert (judge.clip_frames, judge.max_frames, judge.join_resolution, judge.join_divisor) == (3, 64, 8, 2)


def test_frames_are_the_same(generator, expected, hold):
    w = generator.map(expected["z"])
    hold(w, expected["w"], "w")
    hold(generator.motion_codes(expected["motion_z"], expected["t"]), expected["motion_v"], "motion_v")
    video = generator.synthesize(w, motion_z=expected["motion_z"], t=expected["t"])
    hold(video, expected["video"], "video")


def test_the_discriminator_judges_the_same(file, expected, hold):
    discriminator = lr.load_discriminator(file)
    with torch.no_grad():
        hold(discriminator(expected["d_input"], expected["d_t"]), expected["d_logits"], "d_logits")


def test_weights_return_bit_for_bit_by_way_of_a_bundle_and_the_key_tables(generator, file, tmp_path):
    save_stylegan_v(generator, tmp_path / "bundle", origin="a test", licence="CC0-1.0")
    again = lr.load_video_generator(tmp_path / "bundle")
    assert (again.config, again.provenance) == (generator.config, {"origin": "a test", "licence": "CC0-1.0"})
    assert again.state_dict().keys() == generator.state_dict().keys()
    assert all(torch.equal(again.state_dict()[key], value) for key, value in generator.state_dict().items())
    discriminator, content = lr.load_discriminator(file), read_checkpoint(file)
    tables = stylegan_v_pickle.generator_table(again.config), stylegan_v_pickle.discriminator_table(discriminator.config)
    for name, network, table in zip(("G_ema", "D"), (again, discriminator), tables, strict=True):
        theirs, ours = flatten(content[name], where=name)[0], export_state(table, network.state_dict())
        constants = {key for key in theirs if key.endswith(("resample_filter", "fourier_coefs"))}
        assert ours.keys() == theirs.keys() - constants
        assert all(torch.equal(value, loaded(theirs[key])) for key, value in ours.items())
