"""Training a StyleGAN-V: what its batches hold, what it can start from, and that it resumes with the same bits."""

import dataclasses

import numpy as np
import pytest
import torch
from accelerate import Accelerator

from latentreel.checkpoints.bundle import read_card
from latentreel.checkpoints.load import load_image_generator, load_video_generator
from latentreel.cli.train import build, start
from latentreel.core.errors import InputError
from latentreel.core.video import Video
from latentreel.media.encode import save_video
from latentreel.training.journal import read_journal
from latentreel.training.presets import STYLEGAN_V

DEBUG = dataclasses.replace(STYLEGAN_V["debug"], device="cpu", sample_every=1000)


def test_both_sides_show_frames_at_the_same_distances(tmp_path, monkeypatch):
    family, asked = build(dataclasses.replace(DEBUG, batch_size=16, out=tmp_path), Accelerator(cpu=True)), {}
    synthesize = family.generator.synthesize
    monkeypatch.setattr(family.generator, "synthesize", lambda w, **told: asked.update(told) or synthesize(w, **told))
    batch = family.batch(0)
    clips = family.generate(batch)
    assert clips.shape == batch.real.shape == (16, 3, 3, 16, 16)
    times = asked["t"]
    assert torch.equal(times - times[:, :1], batch.times.double())
    assert (times[:, 0] != times[:, 0].round()).any()
    assert times.max() > 100  # far beyond the 32 frames of the videos


def test_a_stopped_run_ends_with_the_bits_of_one_that_was_not(debug_runs, differences, tmp_path):
    start(dataclasses.replace(DEBUG, out=tmp_path / "run", kclips=0.024))
    start(dataclasses.replace(DEBUG, out=tmp_path / "run"))
    assert differences(debug_runs / "stylegan-v", tmp_path / "run") == []


def test_the_bundle_draws_any_frame_and_samples_show_clips(debug_runs):
    run = debug_runs / "stylegan-v"
    generator = load_video_generator(run)
    assert generator.config.fps == 25.0
    frames = generator(torch.randn(1, 16), torch.randn(1, 23, 8), torch.tensor([[0.5, 17.25]]))
    assert frames.shape == (1, 2, 3, 16, 16)
    assert {path.suffix for path in (run / "samples").iterdir()} == {".png", ".mp4"}


def test_what_starts_from_an_image_generator_begins_with_its_pictures(debug_runs, tmp_path, fp32):
    source = tmp_path / "images"
    source.symlink_to(debug_runs / "image")
    config = dataclasses.replace(DEBUG, image_generator=str(source), out=tmp_path / "run")
    family, images = build(config, Accelerator(cpu=True)), load_image_generator(source)
    z = torch.randn(2, images.z_dim)
    with torch.no_grad():
        clips = family.average(z, torch.randn(2, 23, config.motion_dim), torch.tensor([[0.0, 20.0], [3.5, 4.0]]))
        expected = images(z)
    torch.testing.assert_close(clips, expected[:, None].expand_as(clips), rtol=1e-4, atol=1e-5)
    judge = torch.load(debug_runs / "image" / "state" / "step-000000010.pt", weights_only=True)["modules"]["discriminator"]
    assert torch.equal(family.discriminator.state_dict()["blocks.0.conv0.weight"], judge["blocks.0.conv0.weight"])
    still = {key: value.clone() for key, value in family.generator.state_dict().items()}
    config = dataclasses.replace(config, head_start=2)
    waiting = start(dataclasses.replace(config, kclips=0.008))
    assert all(torch.equal(value, still[key]) for key, value in waiting.modules["generator"].state_dict().items())
    assert not torch.equal(
        waiting.modules["discriminator"].state_dict()["blocks.0.conv0.weight"], judge["blocks.0.conv0.weight"]
    )
    source.unlink()
    moved = start(dataclasses.replace(config, kclips=0.012))
    assert ", from trained by latentreel for 0 kimg on world:faces" in read_card(tmp_path / "run" / "bundle")["origin"]
    assert moved.step == 3
    assert not torch.equal(moved.modules["generator"].state_dict()["blocks.0.constant"], still["blocks.0.constant"])


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"image_generator": "nowhere"}, "there is no such image generator; given: nowhere"),
        ({"image_generator": "faces"}, "faces: .* does not fit the preset"),
        (
            {"image_generator": "images", "mapping_layers": 4},
            r"has no mapping\.layers\.2\.bias, which .*; given: 16 px, 2 mapping",
        ),
        ({"image_generator": "images", "resolution": 32, "channels": (8, 8, 8, 8)}, r"has no blocks\.3\."),
        ({"resolution": 48}, "the resolution does not fit"),
        ({"conditional": True}, "training by class needs classes"),
        ({"stream": True}, "sparse frames need the data on disk"),
        ({"num_frames": 33, "max_distance": 40}, "no video is long enough.*33 frames or more for --num-frames 33"),
    ],
)
def test_what_cannot_be_trained_costs_one_line(changes, problem, debug_runs, tmp_path):
    if changes.get("image_generator") == "images":
        changes = changes | {"image_generator": str(debug_runs / "image")}
    with pytest.raises(InputError, match=problem):
        build(dataclasses.replace(DEBUG, out=tmp_path, **changes), Accelerator(cpu=True))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"num_frames": 1}, "num_frames is out of range; given: 1; allowed: at least 2"),
        ({"max_distance": 1}, r"max_distance is out of range; given: 1; allowed: 2 \(num_frames - 1\) to 1023"),
        ({"motion_sees_class": True}, "motion_sees_class is out of range"),
        ({"head_start": -1}, "head_start is out of range"),
    ],
)
def test_settings_out_of_range_are_refused(changes, problem):
    with pytest.raises(InputError, match=problem):
        dataclasses.replace(DEBUG, **changes)


def test_folders_become_classes_that_both_networks_are_told(tmp_path, monkeypatch):
    for label, name in enumerate(("bright", "dark")):
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(2):
            frames = np.full((8, 16, 16, 3), 250 - 240 * label, np.uint8)
            save_video(Video(frames, fps=12.5), tmp_path / "data" / name / f"{number}.mp4")
    config = dataclasses.replace(
        DEBUG, data=str(tmp_path / "data"), conditional=True, motion_sees_class=True, out=tmp_path / "run"
    )
    family = build(config, Accelerator(cpu=True))
    batch = family.batch(0)
    assert torch.equal(batch.labels, (batch.real.mean(dim=(1, 2, 3, 4)) < 0).long())
    family.discriminator = judge = Recorder()
    drawn = []
    synthesize = family.generator.synthesize
    monkeypatch.setattr(family.generator, "synthesize", lambda w, **told: drawn.append(told["labels"]) or synthesize(w, **told))
    family.generator_objective(batch)
    family.discriminator_objective(batch)
    assert all(torch.equal(labels, batch.labels) for labels in [*drawn, *(labels for _, labels in judge.seen)])
    start(dataclasses.replace(config, kclips=0.008))
    generator = load_video_generator(tmp_path / "run")
    assert generator.num_classes == 2
    assert generator.config.fps == 12.5
    assert "classes: 0 bright, 1 dark" in (tmp_path / "run" / "bundle" / "card.json").read_text()


class Recorder(torch.nn.Module):
    """A discriminator that keeps what it is shown; its logits are a known function of the pixels."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, clips, t, labels):
        self.seen.append((clips.detach(), labels))
        return 0.1 * clips.sum(dim=(1, 2, 3, 4))


def test_every_side_is_judged_augmented_alike_over_a_clip(tmp_path):
    family = build(dataclasses.replace(DEBUG, r1_gamma=3.0, out=tmp_path), Accelerator(cpu=True))
    family.discriminator = judge = Recorder()
    family.augment.strength.fill_(1)
    batch = family.batch(0)
    batch = dataclasses.replace(batch, real=batch.real[:, :1].expand(-1, 3, -1, -1, -1))
    family.generator_objective(batch)
    family.discriminator_objective(batch)
    penalty = family.r1_objective(batch).losses["r1"]
    (for_generator, _), (fake, _), (real, _), (penalised, _) = judge.seen
    for seen, given in ((for_generator, family._fakes), (fake, family._fakes), (real, batch.real)):
        assert all((seen[n] - given[n]).abs().max() > 0.1 for n in range(len(seen)))
    assert torch.equal(real, penalised)
    torch.testing.assert_close(real[:, 0], real[:, 2])
    # The gradient is 0.1 at each of a clip's numbers: its square, the mean over three frames, half of gamma, for 16 steps.
    assert float(penalty) == pytest.approx(0.1**2 * real[0].numel() / 3 * 3.0 / 2 * 16, rel=1e-5)


def test_lazy_penalties_slow_the_optimiser_and_the_average_lags(tmp_path):
    config = dataclasses.replace(DEBUG, discriminator_learning_rate=1e-3, out=tmp_path, ema_kclips=0.5)
    family = build(config, Accelerator(cpu=True))
    generator, *judges = (phase.optimizer.param_groups[0] for phase in family.phases)
    assert (generator["lr"], generator["betas"]) == (DEBUG.learning_rate, (0.0, 0.99))
    assert all((group["lr"], group["betas"]) == (1e-3 * 16 / 17, (0.0, 0.99 ** (16 / 17))) for group in judges)
    name, constant = "blocks.0.constant", family.generator.state_dict()["blocks.0.constant"]
    before = constant.clone()
    constant += 1
    family.state.items = 10_000
    family.after_step()
    moved = 1 - 0.5 ** (DEBUG.batch_size / 500)
    torch.testing.assert_close(family.average.state_dict()[name], before + moved)


def test_scores_are_of_clips_of_consecutive_frames(tmp_path):
    config = dataclasses.replace(DEBUG, out=tmp_path / "run", kclips=0.008, world_videos=16)
    start(dataclasses.replace(config, score_kclips=0.008, score_frames=9, score_clips=16, score_network="worlds-clips"))
    scores = [entry for entry in read_journal(tmp_path / "run" / "journal.jsonl") if "score/frechet_distance" in entry]
    assert [entry["step"] for entry in scores] == [1, 2]
    assert load_video_generator(tmp_path / "run" / "best").resolution == 16
