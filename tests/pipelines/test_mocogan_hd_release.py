"""A released model, file by file: it generates as it did, goes out again bit for bit, and says what does not fit."""

import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import latentreel as lr
from latentreel.checkpoints.key_table import loaded
from latentreel.checkpoints.torch_file import read_checkpoint
from latentreel.core.errors import InputError
from latentreel.mocogan_hd.video_generator import render
from latentreel.pipelines.mocogan_hd_release import export_mocogan_hd, read_numbers


@pytest.fixture
def release(fixtures_dir, tmp_path):
    return shutil.copytree(fixtures_dir / "mocogan_hd", tmp_path / "release")


def opened(folder, **changes):
    parts = {
        "image_generator": folder / "image_generator_rosinality.pt",
        "motion": folder / "modelR_epoch_0.pth",
        "basis": folder,
    }
    return lr.import_mocogan_hd(**(parts | changes))


def test_a_released_model_generates_as_it_did(release, fp32):
    pipe, expected = opened(release), load_file(release / "expected.safetensors")
    latents = pipe.motion_generator(pipe.image_generator.map(expected["z"]), 6, expected["e"].transpose(0, 1)).latents
    assert (render(pipe.image_generator, latents) - expected["video_no_noise"]).abs().max() < 1e-4
    video = pipe.generate(seed=1, num_frames=5)
    assert video.frames.shape == (5, 32, 32, 3)
    assert video.fps == 12.5


def test_the_basis_is_a_folder_a_file_of_it_or_both_files(release):
    components, stdev = release / "pca_comp.npy", release / "pca_stdev.npy"
    latents = [
        opened(release, basis=basis).generate(num_frames=4).frames for basis in (release, components, (components, stdev))
    ]
    assert all(np.array_equal(frames, latents[0]) for frames in latents)


def test_step_size_and_frame_rate_are_the_users(release):
    pipe = opened(release, step_size=0.5, frame_step=1, video_fps=30)
    assert (pipe.motion_generator.config.step_size, pipe.generate(num_frames=2).fps) == (0.5, 30)


def test_it_becomes_a_bundle_and_goes_out_again_bit_for_bit(release, tmp_path):
    opened(release).save(tmp_path / "bundle")
    pipe = lr.VideoPipeline.load(tmp_path / "bundle")
    assert np.array_equal(pipe.generate(seed=3).frames, opened(release).generate(seed=3).frames)
    files = export_mocogan_hd(pipe, tmp_path / "out")
    assert {path.name for path in files} == {"image_generator.pt", "modelR_epoch_0.pth", "pca_comp.npy", "pca_stdev.npy"}
    again = opened(tmp_path / "out", image_generator=tmp_path / "out" / "image_generator.pt")
    assert all(torch.equal(t, again.motion_generator.state_dict()[k]) for k, t in pipe.motion_generator.state_dict().items())
    assert all(torch.equal(t, again.image_generator.state_dict()[k]) for k, t in pipe.image_generator.state_dict().items())
    theirs = {
        name: read_checkpoint(folder / "modelR_epoch_0.pth") for name, folder in (("a", release), ("b", tmp_path / "out"))
    }
    assert all(torch.equal(loaded(t), loaded(theirs["b"][k])) for k, t in theirs["a"].items())
    with pytest.raises(InputError, match="is in use"):
        export_mocogan_hd(pipe, tmp_path / "out")


def test_every_key_may_carry_the_prefix_of_a_spread_model(release):
    for name in ("modelR_epoch_0.pth", "image_generator_rosinality.pt", "modelD_3d_in_domain.pth", "bigganD_cross_domain.pth"):
        content = {k: v for k, v in torch.load(release / name, weights_only=True).items() if k not in ("g", "d")}
        state = content.get("g_ema", content)
        spread = {f"module.{key}": value for key, value in state.items()}
        torch.save(content | {"g_ema": spread} if "g_ema" in content else spread, release / name)
    assert len(opened(release).generate(num_frames=3)) == 3
    for name in ("modelD_3d_in_domain.pth", "bigganD_cross_domain.pth"):
        assert not lr.load_discriminator(release / name).training


def test_a_wrapped_image_discriminator_is_taken_out_of_its_wrapping(release, fixtures_dir, fp32):
    path = release / "bigganD_cross_domain.pth"
    state = torch.load(path, weights_only=True)
    copy = {f"modelD_ema.{key}": value + 1 for key, value in state.items()}
    banks = {"q_real": torch.zeros(32, 8), "q_fake": torch.zeros(32, 8), "q_ptr": torch.zeros(1).long()}
    torch.save({f"modelD.{key}": value for key, value in state.items()} | copy | banks, path)
    expected = load_file(release / "expected.safetensors")
    assert (lr.load_discriminator(path)(expected["d2_cross_input"]).logits - expected["d2_cross_logit"]).abs().max() < 1e-4


WRONG = {
    "motion missing": ({"motion": "nowhere.pth"}, "no such motion generator; given: nowhere.pth"),
    "motion of another kind": (
        {"motion": "modelD_3d_in_domain.pth"},
        "is no released motion generator; given: a discriminator",
    ),
    "no basis": ({"basis": "nowhere"}, "cannot read .*pca_comp.npy: No such file"),
    "step size": ({"step_size": 0}, "out of range"),
    "frame rate": ({"video_fps": -3}, "video_fps is out of range"),
    "frame step": ({"frame_step": 0}, "frame_step is out of range"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_named(name, release, monkeypatch):
    changes, problem = WRONG[name]
    monkeypatch.chdir(release)
    with pytest.raises(InputError, match=problem):
        opened(release, **changes)


def test_a_basis_for_other_latents_is_refused(release):
    np.save(release / "pca_comp.npy", np.eye(30, dtype=np.float32))
    np.save(release / "pca_stdev.npy", np.ones(30, dtype=np.float32))
    with pytest.raises(
        InputError, match=r"the principal components do not fit; given: \[30, 30\]; allowed: \[20 or more, 32\]"
    ):
        opened(release)


@pytest.mark.parametrize("content", [b"", b"text", b"\x93NUMPY\x01\x00", "integers", "objects", "lie"])
def test_damaged_numbers_are_refused(content, tmp_path):
    path = tmp_path / "a.npy"
    if content == "integers":
        np.save(path, np.arange(3))
    elif content == "objects":
        np.save(path, np.array([{}, {}], dtype=object), allow_pickle=True)
    elif content == "lie":
        with path.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (10**13,)})
            file.write(bytes(12))
    else:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"a.npy"):
        read_numbers(path)
