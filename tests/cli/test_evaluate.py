"""`latentreel evaluate`: a table and a file; results side by side; one line for what cannot be."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from latentreel.cli.evaluate import published_lines
from latentreel.worlds.registry import open_world

FEW = ("--network", "worlds-frames", "--clips", 24, "--num-frames", 4, "--device", "cpu", "--no-interval")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    world = open_world("faces", resolution=32, num_frames=8, seed=3)
    clips = np.stack([world.video(index).video.frames for index in range(36)])
    frozen = np.repeat(clips[24:, :1], 8, axis=1)
    for name, some in (("real", clips[:12]), ("alike", clips[12:24]), ("noisy", 255 - frozen)):
        np.save(folder / f"{name}.npy", some)
    return folder


def test_scores_are_shown_saved_and_compared(files, run_cli, tmp_path):
    for name in ("alike", "noisy"):
        words = ["--real", files / "real.npy", "--fake", files / f"{name}.npy", "--out", tmp_path / f"{name}.json"]
        code, output, errors = run_cli("evaluate", *words, *FEW)
        assert (code, errors) == (0, [])
        for word in (
            "Fréchet distance",
            "kernel distance",
            "average content distance",
            "covariances lack rank",
            f"{name}.json",
        ):
            assert word in output
    alike, noisy = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("alike", "noisy"))
    assert alike["protocol"]["name"] == "latentreel[num_clips=24,num_frames=4]"
    assert alike["real"] == noisy["real"]
    assert alike["scores"]["Fréchet distance"]["value"] < noisy["scores"]["Fréchet distance"]["value"]
    assert noisy["scores"]["average content distance"]["value"] == 0
    code, output, _ = run_cli("evaluate", "compare", tmp_path / "alike.json", tmp_path / "noisy.json")
    assert code == 0
    assert "alike.npy" in output
    assert "noisy.npy" in output


def test_a_stylegan_v_is_scored(files, debug_runs, run_cli, tmp_path):
    words = [
        "--real",
        files / "real.npy",
        "--fake",
        debug_runs / "stylegan-v",
        "--out",
        tmp_path / "scores.json",
        "--size",
        16,
        *FEW,
    ]
    code, output, errors = run_cli("evaluate", *words)
    assert (code, errors) == (0, [])
    assert "motion diversity" in output
    assert json.loads((tmp_path / "scores.json").read_text())["variance"] is None


def test_published_rows_stand_beside_the_networks_that_they_are_of():
    i3d, theirs = SimpleNamespace(name="i3d"), SimpleNamespace(name="torchscript:i3d.pt", call="i3d")
    for extractor in (i3d, theirs):
        lines = published_lines("mocogan_hd_fvd", extractor)
        assert "published: UCF-101, MoCoGAN-HD: FVD 700 ± 24 (Tian et al. 2021, Tab. 2)" in lines
    assert published_lines("mocogan_hd_fvd[num_clips=24]", i3d) == []
    assert published_lines("mocogan_hd_fvd", SimpleNamespace(name="worlds-clips")) == []


def test_a_precision_without_effect_is_said(files, run_cli, tmp_path):
    words = ["--real", files / "real.npy", "--fake", files / "alike.npy", "--out", tmp_path / "a.json", *FEW]
    code, output, _ = run_cli("evaluate", *words, "--precision", "bf16")
    assert code == 0
    assert "--precision bf16 changes nothing in worlds-frames: float32" in output
    assert json.loads((tmp_path / "a.json").read_text())["network"]["precision"] == "float32"


def test_what_cannot_be_compared_costs_one_line(files, run_cli, tmp_path):
    words = ["--real", files / "real.npy", "--fake", files / "alike.npy", *FEW]
    assert run_cli("evaluate", *words, "--out", tmp_path / "a.json")[0] == 0
    assert run_cli("evaluate", *words, "--seed", 1, "--out", tmp_path / "b.json")[0] == 0
    (tmp_path / "c.json").write_text("nothing")
    cases = {
        ("compare", tmp_path / "a.json", tmp_path / "b.json"): "these results cannot be compared: seeds differ",
        ("compare", tmp_path / "a.json"): "comparing takes two results or more",
        ("compare", tmp_path / "a.json", tmp_path / "c.json"): "c.json is no result of an evaluation",
        ("--real", files / "real.npy", "--fake", tmp_path / "nowhere"): "there is nothing to evaluate",
        (*words, "--protocol", "fvd"): "there is no such protocol; given: fvd",
        (*words[:4], "--network", "i3d"): "there is no such feature network; given: i3d",
        (*words[:4], "--network", "worlds-frames", "--num-frames", 9): "no video is long enough",
        (*words, "--size", -5): "size is out of range; given: -5",
        (*words, "--batch-size", 0): "batch_size is out of range; given: 0",
    }
    for given, problem in cases.items():
        code, _, errors = run_cli("evaluate", *given)
        assert code == 2, given
        assert len(errors) == 1
        assert problem in errors[0]


@pytest.mark.slow
def test_two_processes_score_as_one(files, tmp_path):
    results = []
    for processes in (1, 2):
        launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)] if processes > 1 else []
        words = ["evaluate", "--real", files / "real.npy", "--fake", "faces", "--size", 32, *FEW]
        command = [sys.executable, *launcher, "-m", "latentreel.cli.main", *words, "--out", tmp_path / f"{processes}.json"]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "LATENTREEL_CACHE": str(tmp_path / f"cache {processes}")}
        for _ in range(2):  # the second time from what was kept
            ended = subprocess.run(
                list(map(str, command)), env=environment, capture_output=True, text=True, timeout=300, check=False
            )
            assert ended.returncode == 0, ended.stderr
            results.append(json.loads((tmp_path / f"{processes}.json").read_text()))
    assert results[1:] == results[:1] * 3
