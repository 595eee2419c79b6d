"""Scores of collections: the same clips give the same number, however stored, batched, ordered; bad input costs one line."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from accelerate import Accelerator

from latentreel.core.errors import InputError
from latentreel.core.pixels import to_float
from latentreel.core.video import Video
from latentreel.media.contact_sheet import save_image
from latentreel.media.encode import save_video
from latentreel.metrics import inception_score as inception
from latentreel.metrics import moments
from latentreel.metrics.clip_choice import ClipRef
from latentreel.metrics.extractors.extractor import Seen
from latentreel.metrics.perceptual_distance import PerceptualDistance
from latentreel.metrics.protocols import Protocol
from latentreel.pipelines import clip_features, evaluation
from latentreel.pipelines.clip_collections import open_clips
from latentreel.pipelines.evaluation import CONTENT, FRECHET, INCEPTION, KERNEL, evaluate
from latentreel.pipelines.evaluation_result import compare_results
from latentreel.pipelines.model_clips import ModelClips
from latentreel.worlds.registry import open_world

PROTOCOL = Protocol(name="a test", num_clips=32, num_frames=4)


class Plain:
    """A network that can be checked by hand: mean colours and mean changes of a clip, or colours of its frames."""

    name, digest, width, dtype = "plain", "0", None, torch.float32

    def __init__(self, looks_at="clips"):
        self.looks_at = looks_at
        self.calls = 0

    def __call__(self, clips):
        self.calls += 1
        pixels = to_float(clips)
        frames = pixels.mean(dim=(-1, -2))  # [N, T, 3]
        if self.looks_at == "frames":
            return Seen(frames.flatten(0, 1), frames.flatten(0, 1) * 9)
        return Seen(torch.cat([frames.mean(dim=1), (pixels[:, 1:] - pixels[:, :-1]).abs().mean(dim=(1, 3, 4))], dim=1), None)


@pytest.fixture(scope="module")
def clips():
    world = open_world("faces", resolution=16, num_frames=9, seed=5)
    return np.stack([world.video(index).video.frames for index in range(24)])


def score(real, fake, tmp_path, extractor=None, protocol=PROTOCOL, **more):
    collections = [open_clips(some, protocol) for some in (real, fake)]
    return run(*collections, protocol, tmp_path, extractor, **more)


def run(real, fake, protocol, cache, extractor=None, **more):
    return evaluate(real, fake, protocol, extractor or Plain(), cache=cache, accelerator=Accelerator(cpu=True), **more)


def written(clips, folder, order):
    folder.mkdir()
    for index in order:
        save_video(Video(clips[index], 25.0), folder / f"{index:03d}")
    return folder


def test_a_result_says_all_that_it_depends_on(clips, tmp_path):
    result = score(clips[:12], clips[12:], tmp_path)
    assert {FRECHET, KERNEL} == result.scores.keys()
    for told in result.scores.values():
        assert told.low < told.value < told.high
        assert (told.clips, told.real_clips) == (24, 12)
    assert result.scores[FRECHET].real > 0
    assert result.real.num_clips == result.fake.num_clips == 24
    assert result.warnings[0].startswith("24 clips on either side instead of the protocol's 32")
    result.save(tmp_path / "result.json")
    saved = json.loads((tmp_path / "result.json").read_text())
    assert saved["protocol"]["num_frames"] == 4
    assert len(saved["real"]["manifest"]) == 24
    assert {"torch", "numpy", "scipy", "latentreel"} <= saved["versions"].keys()


def test_neither_batches_nor_order_nor_storage_change_a_score(clips, tmp_path):
    first = score(clips[:12], clips[12:], tmp_path / "a", with_interval=False)
    batched = score(clips[:12], clips[12:], tmp_path / "b", batch_size=7, with_interval=False)
    np.save(tmp_path / "clips.npy", clips[:12])
    stored = score(tmp_path / "clips.npy", torch.from_numpy(clips[12:]), tmp_path / "c", with_interval=False)
    floats = score(to_float(clips[:12]).numpy(), clips[12:], tmp_path / "d", with_interval=False)
    for other in (batched, stored, floats):
        assert other.real.digest == first.real.digest
        assert other.scores[FRECHET].value == pytest.approx(first.scores[FRECHET].value, rel=1e-6)
        assert other.scores[KERNEL].value == pytest.approx(first.scores[KERNEL].value, rel=1e-6)
    forward = written(clips, tmp_path / "forward", range(24))
    backward = written(clips, tmp_path / "backward", reversed(range(24)))
    one, other = (score(folder, clips, tmp_path / "e", with_interval=False) for folder in (forward, backward))
    assert one.scores == other.scores


def test_rounds_and_blocks_change_nothing(clips, tmp_path, monkeypatch):
    """What is in memory at once is no part of a score: features of frames, logits and all."""
    whole = score(clips[:12], clips[12:], tmp_path / "a", Plain("frames"), batch_size=2, with_interval=False)
    monkeypatch.setattr(clip_features, "ROUND", 5)
    for module in (moments, inception, evaluation):
        monkeypatch.setattr(module, "BLOCK", 7)
    parts = score(clips[:12], clips[12:], tmp_path / "b", Plain("frames"), batch_size=2, with_interval=False)
    assert parts.scores.keys() == whole.scores.keys() == {FRECHET, KERNEL, CONTENT, INCEPTION}
    for name, told in parts.scores.items():
        assert told.value == pytest.approx(whole.scores[name].value, rel=1e-9)
    assert parts.fake.digest == whole.fake.digest


def test_intervals_that_would_take_much_memory_are_left_out_and_said(clips, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluation, "MOST_RESAMPLED", 100)
    result = score(clips[:12], clips[12:], tmp_path)
    assert result.scores[FRECHET].low is None
    assert result.warnings[0].startswith("no intervals: more than 100 numbers")


def test_what_was_seen_of_real_clips_is_kept(clips, tmp_path):
    seeing, again = Plain(), Plain()
    first = score(clips[:12], clips[12:], tmp_path, seeing, with_interval=False)
    second = score(clips[:12], clips[12:], tmp_path, again, with_interval=False)
    assert first == second
    assert (seeing.calls, again.calls) == (48, 0)
    changed = clips[:12].copy()
    changed[0, 0] = 255 - changed[0, 0]
    assert score(changed, clips[12:], tmp_path, Plain(), with_interval=False).scores != first.scores


def test_networks_of_frames_and_classes_give_their_own_scores(clips, tmp_path):
    result = score(clips[:12], clips[12:], tmp_path, Plain("frames"))
    assert {FRECHET, KERNEL, CONTENT, INCEPTION} == result.scores.keys()
    frozen = np.repeat(clips[12:, :1], 9, axis=1)
    assert score(clips[:12], frozen, tmp_path, Plain("frames")).scores[CONTENT].value == 0


def test_repeats_give_a_deviation(clips, tmp_path):
    protocol = dataclasses.replace(PROTOCOL, repeats=3, choice="random_clips", num_clips=20)
    told = score(clips[:12], clips[12:], tmp_path, protocol=protocol).scores[FRECHET]
    assert told.deviation > 0
    assert told.low is None


def test_the_order_of_scores_makes_sense(clips, tmp_path):
    """Frozen and shaken clips cost more than other clips of the same world."""
    real, same, frozen = clips[:12], clips[12:], np.repeat(clips[12:, :1], 9, axis=1)
    noisy = np.clip(clips[12:].astype(int) + np.random.default_rng(0).integers(-60, 60, clips[12:].shape), 0, 255).astype(
        np.uint8
    )
    values = [score(real, some, tmp_path, with_interval=False).scores[FRECHET].value for some in (same, frozen, noisy)]
    assert values[0] < values[1] < values[2]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_pairs_are_compared_frame_by_frame(clips, tmp_path):
    pytest.importorskip("torchmetrics")
    real = written(clips, tmp_path / "real", range(16))
    darker = written((clips * 0.9).astype(np.uint8), tmp_path / "fake", range(16))
    lpips = PerceptualDistance(scripted(Squares(), tmp_path / "lpips.pt"))
    scores = score(real, darker, tmp_path, paired=True, lpips=lpips, with_interval=False).scores
    assert 15 < scores["PSNR"].value < 35
    assert 0.5 < scores["SSIM"].value < 1
    # the mean square in [-1, 1], of which PSNR is the logarithm, frame by frame
    assert scores["LPIPS"].by_frame == pytest.approx(
        [4 * 10 ** (-decibel / 10) for decibel in scores["PSNR"].by_frame], rel=0.1
    )
    for told in (scores[name] for name in ("PSNR", "SSIM", "LPIPS")):
        assert told.clips == 16
        assert len(told.by_frame) == 4
        assert told.low < told.value < told.high
    with pytest.raises(InputError, match="share no videos to be paired"):
        score(real, written(clips, tmp_path / "others", range(16, 24)), tmp_path, paired=True, with_interval=False)


class Squares(torch.nn.Module):
    """Mean squared differences, as if they were LPIPS."""

    def forward(self, a, b):
        return (a - b).square().mean(dim=(1, 2, 3))


class Embedding(torch.nn.Module):
    """Pixels over the root of their number, called as NVIDIA's VGG-16 is."""

    def forward(self, img: torch.Tensor, resize_images: bool = True, return_lpips: bool = False) -> torch.Tensor:
        assert return_lpips
        assert not resize_images
        return (img / 127.5 - 1).flatten(1) / img[0].numel() ** 0.5


def scripted(network, path):
    torch.jit.script(network).save(path)
    return path


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_lpips_of_either_form_and_what_is_none(clips, tmp_path):
    distances = [
        PerceptualDistance(scripted(network, tmp_path / f"{index}.pt"))(clips[0], clips[1])
        for index, network in enumerate((Squares(), Embedding()))
    ]
    np.testing.assert_allclose(*distances, rtol=1e-5)
    assert PerceptualDistance(tmp_path / "1.pt")(clips[0], clips[0]).max() == 0
    (tmp_path / "broken.pt").write_bytes(b"nothing")
    scripted(torch.nn.Identity(), tmp_path / "other.pt")
    for name, problem in {
        "no.pt": "no such file",
        "broken.pt": "no TorchScript",
        "other.pt": "is no LPIPS; given: it takes",
    }.items():
        with pytest.raises(InputError, match=problem):
            PerceptualDistance(tmp_path / name)
    with pytest.raises(InputError, match="LPIPS compares pairs of frames"):
        score(clips[:12], clips[12:], tmp_path, lpips=PerceptualDistance(tmp_path / "0.pt"))


def test_real_and_real_share_no_video_and_have_as_many_clips_if_they_are_there(clips, tmp_path):
    looked = []

    class Watching(Plain):
        def __call__(self, some):
            looked.append(some)
            return super().__call__(some)

    protocol = dataclasses.replace(PROTOCOL, num_clips=16, choice="first_videos")
    told = score(clips, clips[8:], tmp_path, Watching(), protocol, with_interval=False)
    assert told.real.num_clips == told.fake.num_clips == 16
    assert told.scores[FRECHET].real_clips == 12  # of 24 videos, each clip from another one
    assert len(looked) == 24 + 16
    long = np.tile(clips[:1], (1, 3, 1, 1, 1))  # two long videos, and many clips of either
    protocol = dataclasses.replace(PROTOCOL, num_clips=20, choice="random_clips")
    two = score(np.concatenate([long, 255 - long]), clips, tmp_path, protocol=protocol, with_interval=False).scores[FRECHET]
    assert 16 <= two.real_clips <= 20
    assert two.real > 0.3


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda c: c[:3], r"too few clips for a score; given: 6 in clips in memory; allowed: 16 or more of 4 frames"),
        (lambda c: c[:, :3], "no video is long enough for a clip of this protocol; given: 3 frames in the longest"),
        (lambda c: c[:, :, :8, :8], "two sides have different sizes; given: 16 x 16 px in clips in memory, 8 x 8 px"),
        (lambda c: to_float(c).numpy() * np.nan, "some values are not finite"),
        (lambda c: c.transpose(0, 1, 4, 2, 3).astype(float), r"values are out of range; given: \d+ to 2\d\d"),
        (lambda c: c[..., :2], r"clips have the wrong form; given: uint8 \[24, 9, 16, 16, 2\]"),
        (lambda c: c[:0], "nothing empty"),
    ],
)
def test_clips_that_give_no_score_are_named(change, problem, clips, tmp_path):
    with pytest.raises(InputError, match=problem):
        score(clips, change(clips), tmp_path, with_interval=False)


def test_folders_that_give_no_score_are_named(clips, tmp_path):
    (tmp_path / "empty").mkdir()
    mixed = written(clips, tmp_path / "mixed", range(3))
    save_video(Video(clips[0, :, :8, :8], 25.0), mixed / "small")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.mp4").write_bytes(b"nothing")
    (tmp_path / "a.npy").write_bytes(b"nothing")
    cases = {
        "empty": "can be used; given: an empty folder",
        "mixed": "the videos have several sizes; given: 000.* is 16 x 16 px, small.* is 8 x 8 px",
        "broken": "none of 1 items can be decoded",
        "a.npy": "cannot read clips from",
        "nowhere": "there is nothing to evaluate; given: .*nowhere",
    }
    for name, problem in cases.items():
        with pytest.raises(InputError, match=problem):
            open_clips(tmp_path / name, PROTOCOL)


def test_results_of_different_protocols_do_not_stand_side_by_side(clips, tmp_path):
    results = []
    for number, protocol in enumerate((PROTOCOL, dataclasses.replace(PROTOCOL, name="another"))):
        score(clips[:12], clips[12:], tmp_path, protocol=protocol, with_interval=False).save(tmp_path / f"{number}.json")
        results.append(json.loads((tmp_path / f"{number}.json").read_text()))
    compare_results(results[:1] * 2)
    with pytest.raises(InputError, match="these results cannot be compared: protocols differ"):
        compare_results(results)


def test_a_damaged_file_of_what_was_seen_is_made_anew(clips, tmp_path, caplog):
    first = score(clips[:12], clips[12:], tmp_path, with_interval=False)
    kept = next((tmp_path / "features").glob("*.safetensors"))
    kept.write_bytes(b"nothing")
    assert score(clips[:12], clips[12:], tmp_path, with_interval=False) == first
    assert "is looked at anew" in caplog.text


def test_an_image_generator_is_held_against_pictures(debug_runs, tmp_path):
    """Its own pictures, saved, are at no distance."""
    protocol = dataclasses.replace(PROTOCOL, num_frames=1, num_clips=20, choice="random_clips")
    fake = open_clips(debug_runs / "image", protocol)
    assert (len(fake.names), set(fake.lengths)) == (20, {1})
    for seed in range(20):
        save_image(tmp_path / "pictures" / f"{seed}.png", fake.clip(ClipRef(seed, 0), protocol)[0])
    result = score(tmp_path / "pictures", debug_runs / "image", tmp_path, Plain("frames"), protocol, with_interval=False)
    assert result.scores[FRECHET].value == pytest.approx(0, abs=1e-9)
    assert CONTENT not in result.scores
    with pytest.raises(InputError, match=r"image makes pictures, not clips; given: a protocol of 4 frames; .*fid50k"):
        open_clips(debug_runs / "image", PROTOCOL)


def test_other_speeds_are_noted(pipe, tmp_path):
    protocol = Protocol(name="a test", num_clips=16, num_frames=4, size=16)
    model = ModelClips("a model", pipe, 16, 4)
    real = open_clips("world:faces", protocol)
    pipe.fps = real.fps / 2
    (note,) = [text for text in run(real, model, protocol, tmp_path).warnings if "a second" in text]
    assert note.endswith("--frame-step 2 brings them together")
    stepped = dataclasses.replace(protocol, frame_step=2)
    assert not [
        text for text in run(open_clips("world:faces", stepped), model, stepped, tmp_path).warnings if "a second" in text
    ]


def test_no_step_brings_a_model_of_any_time_to_another_rate(sgv, tmp_path):
    protocol = Protocol(name="a test", num_clips=16, num_frames=4, size=16)
    sgv.fps = 50
    (note,) = [
        text
        for text in run(*(open_clips(some, protocol) for some in ("world:faces", sgv)), protocol, tmp_path).warnings
        if "a second" in text
    ]
    assert note.endswith("other speeds are part of the distance")
