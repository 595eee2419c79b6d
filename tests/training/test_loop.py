"""The loop that all families share: when it ends, what it keeps when something goes wrong, and whose folder it refuses."""

import dataclasses
import json
import shutil

import pytest
import torch

from latentreel.cli.train import start
from latentreel.core.errors import InputError
from latentreel.training.image import ImageTraining
from latentreel.training.journal import read_journal
from latentreel.training.phase import Outcome
from latentreel.training.presets import IMAGE

DEBUG = dataclasses.replace(IMAGE["debug"], device="cpu", sample_every=1000)


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def half_run(debug_runs, tmp_path):
    """The run of the debug preset as it stood after 5 of 10 steps."""
    shutil.copytree(debug_runs / "image", tmp_path / "half")
    (tmp_path / "half" / "state" / "step-000000010.pt").unlink()
    return tmp_path / "half"


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_last_state(
    half_run, debug_runs, differences, run_cli, monkeypatch
):
    objective, before = ImageTraining.discriminator_objective, files(half_run)

    def broken(self, batch):
        outcome = objective(self, batch)
        return outcome if batch.step < 7 else Outcome(losses={"adversarial": outcome.losses["adversarial"] * torch.nan})

    with monkeypatch.context() as patched:
        patched.setattr(ImageTraining, "discriminator_objective", broken)
        code, _, errors = run_cli("train", "image", "debug", "--device", "cpu", "--out", half_run, "--save-every", 10)
    assert code == 1
    assert len(errors) == 1
    assert all(
        words in errors[0]
        for words in ("step 7, phase D:", "adversarial nan", "the last good state is kept", "lower the learning rate")
    )
    after = files(half_run)
    assert {path for path in before if "samples" not in path.parts and before[path] != after[path]} <= {
        path for path in before if path.suffix in (".jsonl", ".yaml")
    }

    assert run_cli("train", "image", "debug", "--device", "cpu", "--out", half_run)[0] == 0
    assert differences(debug_runs / "image", half_run) == []
    assert [entry["step"] for entry in read_journal(half_run / "journal.jsonl")] == list(range(1, 11))


def test_weights_that_are_no_numbers_are_not_saved(run_cli, tmp_path, monkeypatch):
    after_step = ImageTraining.after_step

    def broken(self):
        after_step(self)
        if self.state.step == 6:
            self.discriminator.output.weight.data.fill_(torch.inf)

    monkeypatch.setattr(ImageTraining, "after_step", broken)
    code, _, errors = run_cli("train", "image", "debug", "--device", "cpu", "--save-every", 3, "--out", tmp_path / "run")
    assert (code, len(errors)) == (1, 1)
    assert "step 6: a weight is not finite; the last good state is kept" in errors[0]
    assert [path.name for path in tmp_path.rglob("*.pt")] == ["step-000000003.pt"]


def test_a_learning_rate_that_is_far_too_high_costs_one_line(run_cli, tmp_path):
    code, _, errors = run_cli(
        "train", "image", "debug", "--device", "cpu", "--learning-rate", "1e30", "--out", tmp_path / "run"
    )
    assert (code, len(errors)) == (1, 1)
    assert "is not finite" in errors[0]


def test_a_run_does_not_go_on_with_another_image_generator(debug_runs, run_cli, tmp_path):
    shutil.copytree(debug_runs / "image", tmp_path / "image")
    words = ["train", "motion", "debug", "--device", "cpu", "--image-generator", tmp_path / "image", "--out", tmp_path / "run"]
    assert run_cli(*words, "--kclips", 0.002)[0] == 0
    assert run_cli("train", "image", "debug", "--device", "cpu", "--out", tmp_path / "image", "--kimg", 0.06)[0] == 0
    code, _, errors = run_cli(*words)
    assert (code, len(errors)) == (2, 1)
    assert "the image generator has changed since the run" in errors[0]


def test_a_run_ends_with_its_items_or_its_minutes_and_can_be_prolonged(tmp_path):
    config = dataclasses.replace(DEBUG, out=tmp_path, kimg=0.008)
    assert start(config).step == 2
    assert start(config).step == 2
    prolonged = start(dataclasses.replace(config, kimg=1000, minutes=1e-6))
    assert prolonged.step == 2  # the minutes of the first two steps count
    assert start(dataclasses.replace(config, kimg=0.012)).step == 3


def test_two_states_are_kept_and_the_older_one_serves_when_the_newer_is_deleted(tmp_path):
    config = dataclasses.replace(DEBUG, out=tmp_path, save_every=2)
    start(config)
    newest = tmp_path / "state" / "step-000000010.pt"
    assert sorted(path.name for path in (tmp_path / "state").iterdir()) == ["step-000000008.pt", newest.name]
    newest.write_bytes(newest.read_bytes()[:1000])
    with pytest.raises(InputError, match=rf"{newest} is damaged; delete it"):
        start(config)
    newest.unlink()
    start(config)
    assert newest.exists()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"batch_size": 8}, "holds a run with another batch_size; given: 8; allowed: 4"),
        ({"seed": 1}, "holds a run with another seed"),
        ({"channels": (8, 8, 4)}, "holds a run with another channels"),
        ({"out": "motion"}, "holds a run of another kind"),
    ],
)
def test_the_folder_of_another_run_is_refused_and_untouched(change, problem, debug_runs):
    out = debug_runs / change.pop("out", "image")
    before = files(out)
    with pytest.raises(InputError, match=f"{out} {problem}.*use another --out"):
        start(dataclasses.replace(DEBUG, out=out, **change))
    assert files(out) == before


def test_what_killed_processes_left_is_cleared_away_and_nothing_else(half_run):
    for name in (".config.yaml.abc.partial", "state/.step-000000010.pt.abc.partial", "samples/.x.png.abc.partial"):
        (half_run / name).mkdir()
        (half_run / name / "half").touch()
    (half_run / ".mine").touch()
    (half_run / "notes.partial").touch()
    start(dataclasses.replace(DEBUG, out=half_run))
    assert {path.name for path in half_run.rglob("*") if "partial" in path.name or path.name == ".mine"} == {
        ".mine",
        "notes.partial",
    }


def test_a_basis_that_a_run_without_a_state_left_is_not_taken_over(debug_runs, run_cli, tmp_path):
    """It may belong to another image generator."""
    shutil.copy(debug_runs / "motion" / "basis.safetensors", tmp_path / "ours")
    (tmp_path / "run").mkdir()
    words = [
        "train",
        "motion",
        "debug",
        "--device",
        "cpu",
        "--image-generator",
        debug_runs / "image",
        "--out",
        tmp_path / "run",
    ]
    assert run_cli(*words, "--seed", 5, "--kclips", 0.002)[0] == 0
    shutil.rmtree(tmp_path / "run" / "state")
    assert run_cli(*words, "--kclips", 0.002)[0] == 0
    assert (tmp_path / "run" / "basis.safetensors").read_bytes() == (tmp_path / "ours").read_bytes()


def test_the_journal_has_the_losses_of_every_phase_that_had_its_turn(debug_runs):
    entries = [json.loads(line) for line in (debug_runs / "image" / "journal.jsonl").read_text().splitlines()]
    assert [entry["items"] for entry in entries] == list(range(4, 44, 4))
    assert {"G/adversarial", "G_path/path_length", "D/adversarial", "D_r1/r1"} <= entries[0].keys()
    assert "D_r1/r1" not in entries[1]
