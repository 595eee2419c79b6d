"""Scores while a run trains: the best bundle is kept, the journal has them, and the run is the same as without."""

import dataclasses
import json
import random
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import Accelerator

from latentreel.checkpoints.bundle import check_bundle
from latentreel.cli.train import build, start
from latentreel.core import precision
from latentreel.core.config import load_yaml
from latentreel.training import loop
from latentreel.training.image_config import ImageTrainingConfig
from latentreel.training.journal import read_journal
from latentreel.training.loop import Interrupted, train
from latentreel.training.presets import IMAGE, MOTION
from latentreel.training.scores import read_best, untouched

# 10 steps of 4 images. Scores come after step 1, which shows that they can be had, then 2, 4, 6, 8 and 10.
IMAGES = dataclasses.replace(IMAGE["debug"], device="cpu", sample_every=1000, save_every=1000, score_kimg=0.008)
STEPS = [1, 2, 4, 6, 8, 10]


def scripted(*values, name="frechet_distance", bundles=None):
    """A scorer that gives these values in turn, and stirs up whatever a scorer might."""
    left = list(values)

    def scorer(bundle: Path) -> dict[str, float]:
        if bundles is not None:
            check_bundle(bundle)
            bundles.append((bundle / "image_generator.safetensors").read_bytes())
        for stir in (torch.manual_seed, np.random.seed, random.seed):
            stir(len(left))
        precision.set_precision("fp32")
        return {name: left.pop(0), "other": 0.5}

    return scorer


def scored(run):
    return [
        (entry["step"], entry["score/frechet_distance"])
        for entry in read_journal(run / "journal.jsonl")
        if "score/frechet_distance" in entry
    ]


def go(config, scorer=None):
    return train(build(config, Accelerator(cpu=True)), scorer=scorer)


@pytest.mark.parametrize(("score", "best_step"), [("frechet_distance", 4), ("inception_score", 2)])
def test_the_best_bundle_is_kept_and_replaced_by_better_ones_only(score, best_step, tmp_path):
    config, bundles = dataclasses.replace(IMAGES, out=tmp_path, score=score), []
    state = go(config, scripted(7.0, 9.0, 3.0, 3.0, float("nan"), 5.0, name=score, bundles=bundles))
    entries = [entry for entry in read_journal(tmp_path / "journal.jsonl") if f"score/{score}" in entry]
    assert [entry["step"] for entry in entries] == STEPS
    assert [entry["items"] for entry in entries] == [4 * step for step in STEPS]
    assert entries[0]["score/other"] == 0.5
    assert state.scores == {score: 5.0, "other": 0.5}

    best = tmp_path / "best"
    assert (best / "image_generator.safetensors").read_bytes() == bundles[STEPS.index(best_step)]
    assert len(set(bundles)) == len(STEPS)
    assert json.loads((best / "score.json").read_text()) == {
        "score": score,
        "value": 3.0 if score == "frechet_distance" else 9.0,
        "step": best_step,
        "items": 4 * best_step,
        "network": "worlds-frames",
        "clips": 2048,
    }
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["best", "bundle", "samples", "state"]


def test_scoring_changes_no_bit_of_a_run(debug_runs, differences, tmp_path):
    go(dataclasses.replace(IMAGES, out=tmp_path), scripted(*range(6)))
    assert differences(debug_runs / "image", tmp_path) == []


def test_scoring_leaves_random_states_and_number_format_alone(tmp_path, set_precision):
    set_precision("bf16")
    before = (torch.get_rng_state().tolist(), random.getstate(), np.random.get_state()[1].tolist())
    with untouched(torch.device("cpu")):
        scripted(1.0)(None)
        assert precision.get_precision() == "fp32"
    assert precision.get_precision() == "bf16"
    assert (torch.get_rng_state().tolist(), random.getstate(), np.random.get_state()[1].tolist()) == before


@pytest.mark.parametrize("stop", ["signalled before it is scored", "while it is scored"])
def test_a_run_that_was_stopped_has_the_scores_and_the_best_of_one_that_was_not(stop, tmp_path, monkeypatch, differences):
    values = [7.0, 6.0, 3.0, 4.0, 8.0, 5.0]
    go(dataclasses.replace(IMAGES, out=tmp_path / "whole"), scripted(*values))
    config = dataclasses.replace(IMAGES, out=tmp_path / "broken")
    if stop == "while it is scored":
        with pytest.raises(IndexError):
            go(config, scripted(*values[:2]))  # the third one fails, after step 4
    else:
        agree = loop.agree
        with monkeypatch.context() as patched, pytest.raises(Interrupted):
            turns = iter(range(1, 10))
            patched.setattr(loop, "agree", lambda *given: (agree(*given)[0], signal.SIGTERM if next(turns) == 4 else 0))
            go(config, scripted(*values))
    assert scored(tmp_path / "broken") == [(1, 7.0), (2, 6.0)]
    go(config, scripted(*values[2:]))
    assert scored(tmp_path / "broken") == scored(tmp_path / "whole") == list(zip(STEPS, values, strict=True))
    assert differences(tmp_path / "whole", tmp_path / "broken") == []
    for name in ("score.json", "image_generator.safetensors"):
        assert (tmp_path / "broken" / "best" / name).read_bytes() == (tmp_path / "whole" / "best" / name).read_bytes()


def test_a_finished_run_is_not_scored_again_and_its_best_outlives_worse_ones(tmp_path):
    config = dataclasses.replace(IMAGES, out=tmp_path, kimg=0.016)
    go(config, scripted(7.0, 3.0, 4.0))
    go(config, scripted())
    go(dataclasses.replace(config, kimg=0.024), scripted(5.0))
    assert (read_best(tmp_path).step, read_best(tmp_path).value) == (2, 3.0)


@pytest.mark.parametrize("damage", ["no JSON", '{"score": "frechet_distance"}', "[]", "weights", "another network"])
def test_a_damaged_best_or_one_of_other_scores_costs_a_warning_and_is_replaced(damage, tmp_path, caplog):
    config = dataclasses.replace(IMAGES, out=tmp_path, kimg=0.008)
    go(config, scripted(7.0, 3.0))
    if damage == "weights":
        weights = tmp_path / "best" / "image_generator.safetensors"
        weights.write_bytes(weights.read_bytes()[:-1])
    elif damage == "another network":
        config = dataclasses.replace(config, score_network="i3d.pt")
    else:
        (tmp_path / "best" / "score.json").write_text(damage)
    go(config, scripted(8.0))
    assert len(caplog.records) == 1
    assert "the best is sought anew" in caplog.text
    assert read_best(tmp_path).value == 8.0
    check_bundle(tmp_path / "best")


def test_the_best_of_a_run_whose_states_are_gone_is_not_taken_over(tmp_path):
    config = dataclasses.replace(IMAGES, out=tmp_path, kimg=0.008)
    go(config, scripted(7.0, 3.0))
    for state in (tmp_path / "state").iterdir():
        state.unlink()
    go(dataclasses.replace(config, seed=1), scripted(8.0, 9.0))
    assert read_best(tmp_path).value == 8.0
    assert scored(tmp_path) == [(1, 8.0), (2, 9.0)]


def test_a_motion_generator_is_scored_by_clips_of_its_own_data(debug_runs, differences, tmp_path, capsys):
    debug = dataclasses.replace(MOTION["debug"], image_generator=str(debug_runs / "image"), out=tmp_path, device="cpu")
    start(dataclasses.replace(debug, score_kclips=0.01, score_clips=16))
    assert differences(debug_runs / "motion", tmp_path) == []
    values = dict(scored(tmp_path))
    assert list(values) == [1, 5, 10]
    best = read_best(tmp_path)
    assert best.value == min(values.values()) == values[best.step]
    assert any("score/kernel_distance" in entry for entry in read_journal(tmp_path / "journal.jsonl"))
    check_bundle(tmp_path / "best")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--score-kimg", "0"], "score_kimg is out of range; given: 0.0; allowed: 0.001 (one image) or more"),
        (["--score-kimg", "1", "--score-clips", "15"], "score_clips is out of range; given: 15; allowed: at least 16"),
        (["--score-kimg", "1", "--score", "beauty"], "frechet_distance"),
        (["--score-kimg", "1", "--score-network", "nowhere.pt"], "there is no such feature network; given: nowhere.pt"),
        (["--score-kimg", "1", "--score-network", "worlds-clips"], "score_network looks at clips"),
        (["--score-kimg", "1", "--score", "inception_score", "--score-clips", "16"], "does not give the score that decides"),
    ],
)
def test_settings_that_cannot_be_scored_by_cost_one_line_at_the_start(words, problem, run_cli, tmp_path):
    code, _, errors = run_cli("train", "image", "debug", "--device", "cpu", "--out", tmp_path / "run", *words)
    assert (code, len(errors)) == (2, 1)
    assert problem in errors[0]


def test_scores_may_be_asked_for_later(tmp_path):
    config = dataclasses.replace(IMAGES, out=tmp_path, kimg=0.012, score_kimg=None)
    go(config)
    go(dataclasses.replace(config, score_kimg=1.0, score="kernel_distance"), scripted(2.0, name="kernel_distance"))
    assert read_best(tmp_path).step == 3
    assert load_yaml(ImageTrainingConfig, tmp_path / "config.yaml").score_kimg == 1.0
