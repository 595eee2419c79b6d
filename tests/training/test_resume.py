"""A run that was stopped, in whatever way, ends with the same bits as one that was not; the same command resumes it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from latentreel.training.journal import read_journal

LATENTREEL = [str(Path(sys.executable).with_name("latentreel"))]

# Path length, R1, noise and mirroring have their turns on both sides of the break at step 10; augmentation sets in at step 16.
IMAGE_WORDS = [
    *("train", "image", "debug", "--device", "cpu", "--batch-size", "64", "--kimg", "1.536", "--save-every", "10"),
    *("--ada-kimg", "1", "--r1-every", "3", "--noise", "--mirror", "--log-every", "4", "--sample-every", "1000"),
]
MOTION_WORDS = [
    "train",
    "motion",
    "debug",
    "--device",
    "cpu",
    "--save-every",
    "4",
    "--sample-every",
    "1000",
    "--kclips",
    "0.022",
]

KILLED_IN_THE_SECOND_STATE = """
import io, os, signal, torch
from latentreel.cli.main import main

save, saved = torch.save, []

def save_half(content, file):
    saved.append(content)
    whole = io.BytesIO()
    save(content, whole)
    file.write(whole.getvalue()[: None if len(saved) == 1 else len(whole.getvalue()) // 2])
    file.flush()
    if len(saved) == 2:
        os.kill(os.getpid(), signal.SIGKILL)

torch.save = save_half
main()
"""
KILLED_IN_THE_SECOND_BUNDLE = """
import os, signal
from latentreel.checkpoints import bundle
from latentreel.cli.main import main

write, written = bundle.write_tensors, []

def write_half(tensors, path):
    write(tensors, path)
    written.append(path)
    if len(written) == 5:
        os.truncate(path, path.stat().st_size // 2)
        os.kill(os.getpid(), signal.SIGKILL)

bundle.write_tensors = write_half
main()
"""
SIGNALLED = """
import os, signal, sys
from latentreel.cli.main import main
from latentreel.training import loop

number, average_gradients, turns = getattr(signal, sys.argv.pop(1)), loop.average_gradients, []

def signalled(accelerator, module):
    turns.append(module)
    if len(turns) == 14:
        os.kill(os.getpid(), number)
    average_gradients(accelerator, module)

loop.average_gradients = signalled
main()
"""


def run(program: list[str], words: list[object]) -> subprocess.CompletedProcess[str]:
    command = [*program, *map(str, words)]
    return subprocess.run(
        command, env=os.environ | {"COLUMNS": "120"}, capture_output=True, text=True, timeout=300, check=False
    )


def partials(folder: Path) -> list[Path]:
    return list(folder.rglob("*.partial"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "killed", "left"),
    [("image", KILLED_IN_THE_SECOND_STATE, "step-000000010.pt"), ("motion", KILLED_IN_THE_SECOND_BUNDLE, "step-000000004.pt")],
)
def test_killed_in_the_middle_of_a_save(family, killed, left, debug_runs, differences, tmp_path):
    words = IMAGE_WORDS if family == "image" else [*MOTION_WORDS, "--image-generator", debug_runs / "image"]
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert run(LATENTREEL, [*words, "--out", whole]).returncode == 0

    assert run([sys.executable, "-c", killed], [*words, "--out", broken]).returncode == -9
    assert [path.name for path in (broken / "state").glob("*.pt")] == [left]
    assert partials(broken)

    resumed = run(LATENTREEL, [*words, "--out", broken])
    assert (resumed.returncode, resumed.stderr) == (0, "")
    assert differences(whole, broken) == []
    assert not partials(broken)
    if family == "image":
        assert any(entry["D/augment"] > 0 for entry in read_journal(broken / "journal.jsonl") if entry["step"] > 10)
    assert (whole / "journal.jsonl").read_text().count("\n") == (broken / "journal.jsonl").read_text().count("\n")


@pytest.mark.slow
@pytest.mark.parametrize(("family", "name", "code", "step"), [("image", "SIGTERM", 143, 6), ("motion", "SIGINT", 130, 7)])
def test_a_signal_saves_and_says_how_to_go_on(family, name, code, step, debug_runs, differences, run_cli, tmp_path):
    words = ["train", family, "debug", "--device", "cpu", "--out", tmp_path / "run"]
    words += ["--image-generator", debug_runs / "image"] if family == "motion" else []

    stopped = run([sys.executable, "-c", SIGNALLED, name], words)
    assert stopped.returncode == code
    state = tmp_path / "run" / "state" / f"step-{step:09d}.pt"
    assert state.exists()
    assert stopped.stderr == f"latentreel: stopped by {name}; state saved: {state}; the same command resumes\n"

    assert run_cli(*words)[0] == 0
    assert differences(debug_runs / family, tmp_path / "run") == []
