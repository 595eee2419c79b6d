"""Two processes train what one trains: they share the batch, its randomness and their gradients."""

import os
import re
import subprocess
import sys
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch

from latentreel.core.errors import InputError
from latentreel.training.distribution import require_same_start
from latentreel.training.journal import read_journal

# StyleGAN2's minibatch deviation is each process's own (see `latentreel.training.distribution`): here it is taken per sample.
# The augmentation is strong from the start, and follows the sign that it is told of.
PER_SAMPLE = """
import torch
from latentreel.augment.adaptive import AdaptiveAugment
from latentreel.cli.main import main
from latentreel.image_generators.stylegan2 import discriminator
from latentreel.stylegan_v import discriminator as of_clips

for module in (discriminator, of_clips):
    module.minibatch_deviation = lambda x, **_: torch.cat([x, x.mean(dim=1, keepdim=True)], dim=1)
AdaptiveAugment.observe = lambda self, sign, *, num_images: self.strength.copy_(0.5 + sign / 4)
main()
"""
PLAIN = "from latentreel.cli.main import main; main()"
SIGNALLED = """
import os, signal
from latentreel.cli.main import main
from latentreel.training.image import ImageTraining

after_step = ImageTraining.after_step

def signalled(self):
    after_step(self)
    if self.state.step == 3 and self.accelerator.process_index == 1:
        os.kill(os.getpid(), signal.SIGTERM)

ImageTraining.after_step = signalled
main()
"""
IMAGE = ["train", "image", "debug", "--batch-size", "8", "--kimg", "0.032", "--path-length-every", "1", "--r1-every", "2"]
MOTION = ["train", "motion", "debug", "--batch-size", "4", "--kclips", "0.024"]
STYLEGAN_V = ["train", "stylegan-v", "debug", "--batch-size", "8", "--kclips", "0.032", "--r1-every", "2"]
TWENTY_STEPS = ["--batch-size", "4", "--kclips", "0.08", "--save-every", "8", "--precision", "fp32"]
KILLED = """
import os, signal
from latentreel.cli.main import main
from latentreel.training.mocogan_hd import MotionTraining

after_step = MotionTraining.after_step

def killed(self):
    after_step(self)
    if self.state.step == 11 and self.accelerator.process_index == 1:
        os.kill(os.getpid(), signal.SIGKILL)

MotionTraining.after_step = killed
main()
"""


def weights(run):
    modules = torch.load(max((run / "state").glob("*.pt")), weights_only=True)["modules"]
    return {f"{name}.{key}": tensor for name, module in modules.items() for key, tensor in module.items()}


def losses(run):
    return {
        line["step"]: {name: value for name, value in line.items() if "/" in name}
        for line in read_journal(run / "journal.jsonl")
    }


def run(program, words, *, processes, folder):
    (folder / "program.py").write_text(program)
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)] if processes > 1 else []
    device = "cpu" if torch.accelerator.is_available() else "auto"  # without a GPU, what a user leaves as it is must do
    command = [sys.executable, *launcher, str(folder / "program.py"), *words, "--device", device, "--sample-every", "1000"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("words", [IMAGE, MOTION, STYLEGAN_V], ids=["image", "motion", "stylegan-v"])
def test_two_processes_train_what_one_trains(words, debug_runs, tmp_path):
    words = [*words, "--precision", "fp32"]
    words += ["--image-generator", str(debug_runs / "image")] if words[1] == "motion" else []
    for processes in (1, 2):
        ended = run(PER_SAMPLE, [*words, "--out", str(tmp_path / str(processes))], processes=processes, folder=tmp_path)
        assert ended.returncode == 0, ended.stderr
        assert ended.stdout.count("done:") == 1
    one, two = weights(tmp_path / "1"), weights(tmp_path / "2")
    assert one.keys() == two.keys()
    for name, expected in one.items():
        if re.search(r"scales\.\d\.layers\.[1-4]\.bias", name):
            continue  # instance norm, or a loss of differences, takes it away again: its gradient is nothing but rounding
        torch.testing.assert_close(two[name], expected, rtol=1e-3, atol=1e-4, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.slow
def test_a_signal_to_one_process_stops_all_after_the_same_step(tmp_path):
    ended = run(
        SIGNALLED, ["train", "image", "debug", "--kimg", "1000", "--out", str(tmp_path / "run")], processes=2, folder=tmp_path
    )
    assert ended.returncode != 0
    assert ended.stderr.count("stopped by SIGTERM; state saved") == 1
    assert [path.name for path in (tmp_path / "run" / "state").iterdir()] == ["step-000000003.pt"]


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["debug", "debug-cross", "debug-paper"])
def test_twenty_steps_of_two_processes_have_the_losses_of_one(preset, tmp_path):
    words = ["train", "motion", preset, *TWENTY_STEPS, "--image-generator", "faces"]
    for processes in (1, 2):
        ended = run(PLAIN, [*words, "--out", str(tmp_path / str(processes))], processes=processes, folder=tmp_path)
        assert ended.returncode == 0, ended.stderr
    one, two = losses(tmp_path / "1"), losses(tmp_path / "2")
    assert len(one) == 20
    assert one.keys() == two.keys()
    errors = [max(abs(one[step][name] - two[step][name]) / (1 + abs(one[step][name])) for name in one[step]) for step in one]
    print(f"\n{preset}: largest difference of a loss {errors[0]:.1e} in the first step, {max(errors):.1e} in 20")
    assert errors[0] < 1e-5
    assert max(errors) < 1e-3


@pytest.mark.slow
def test_one_process_goes_on_where_one_of_two_was_killed(tmp_path):
    words = ["train", "motion", "debug-cross", *TWENTY_STEPS, "--image-generator", "faces"]
    assert run(PLAIN, [*words, "--out", str(tmp_path / "whole")], processes=1, folder=tmp_path).returncode == 0
    ended = run(KILLED, [*words, "--out", str(tmp_path / "killed")], processes=2, folder=tmp_path)
    assert ended.returncode != 0
    assert [path.name for path in (tmp_path / "killed" / "state").iterdir()] == ["step-000000008.pt"]
    ended = run(PLAIN, [*words, "--out", str(tmp_path / "killed")], processes=1, folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    whole, resumed = losses(tmp_path / "whole"), losses(tmp_path / "killed")
    assert whole.keys() == resumed.keys()
    for step in whole:
        assert resumed[step] == pytest.approx(whole[step], rel=1e-3, abs=1e-3), step


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([[4, 7], [4, 7]], None),
        ([[4, 7], [0, 7]], "do not have the same state; given: steps 0, 4"),
        ([[4, 7], [4, 8]], "do not have the same data; give all machines the same files"),
    ],
)
def test_processes_that_would_part_ways_are_stopped(rows, problem, tmp_path):
    accelerator = SimpleNamespace(num_processes=2, device="cpu", gather=lambda _: torch.tensor(rows))
    expectation = pytest.raises(InputError, match=problem) if problem else nullcontext()
    with expectation:
        require_same_start(accelerator, step=4, inputs={"data": "a digest"}, folder=tmp_path)
