"""A StyleGAN-V in use: any time, any rate, either way, and what it cannot follow is refused by name."""

import gc
import json
import weakref

import numpy as np
import pytest
import torch

from latentreel.checkpoints.bundle import save_stylegan_v
from latentreel.core.digests import weights_digest
from latentreel.core.errors import InputError
from latentreel.pipelines.mocogan_hd_pipeline import MoCoGANHDPipeline
from latentreel.pipelines.stylegan_v_pipeline import StyleGANVPipeline
from latentreel.pipelines.video_pipeline import CHUNK, VideoPipeline
from latentreel.sampling.anchor_noise import AnchorNoise
from latentreel.sampling.latents import StyleMix
from latentreel.sampling.motion import Motion

pytestmark = pytest.mark.usefixtures("fp32")


def apart(one, other):
    """The largest difference of two clips, in levels of 255."""
    return np.abs(one.astype(int) - other).max()


def test_content_and_motion_are_seeds_of_their_own(sgv):
    clip = sgv.generate(seed=1, motion_seed=2, num_frames=12)
    assert (clip.frames.shape, clip.fps) == ((12, 16, 16, 3), 25)
    torch.manual_seed(99)
    np.testing.assert_array_equal(sgv.generate(seed=1, motion_seed=2, num_frames=12).frames, clip.frames)
    assert np.abs(clip.frames[1:].astype(int) - clip.frames[:-1]).mean() > 0.5
    for other in ({"seed": 3, "motion_seed": 2}, {"seed": 1, "motion_seed": 3}):
        assert np.abs(sgv.generate(num_frames=12, **other).frames.astype(int) - clip.frames).mean() > 1


def test_every_form_of_it_is_opened(sgv, tmp_path, fixtures_dir):
    sgv.save(tmp_path / "run" / "bundle", origin="a test", licence="CC0-1.0")
    clip = sgv.generate(seed=1, num_frames=3).frames
    for source in (tmp_path / "run", tmp_path / "run" / "bundle"):
        again = VideoPipeline.load(source)
        assert isinstance(again, StyleGANVPipeline)
        np.testing.assert_array_equal(again.generate(seed=1, num_frames=3).frames, clip)
    assert json.loads((tmp_path / "run" / "bundle" / "card.json").read_text())["licence"] == "CC0-1.0"
    released = VideoPipeline.load(fixtures_dir / "stylegan_v" / "network-snapshot.pkl")
    assert released.generate(num_frames=2).frames.shape == (2, released.resolution, released.resolution, 3)


def test_one_kind_is_not_taken_for_the_other(sgv, tmp_path, fixtures_dir):
    save_stylegan_v(sgv.generator, tmp_path / "bundle", origin="a test")
    with pytest.raises(InputError, match="is a StyleGAN-V, which cannot do this; allowed: a MoCoGAN-HD"):
        MoCoGANHDPipeline.load(tmp_path / "bundle")
    with pytest.raises(InputError, match="is a MoCoGAN-HD, which cannot do this; allowed: a StyleGAN-V"):
        StyleGANVPipeline.load("faces")
    with pytest.raises(InputError, match="is no StyleGAN-V; given: an image generator"):
        VideoPipeline.load(fixtures_dir / "stylegan2_ada" / "network-snapshot.pkl")


def test_a_longer_clip_begins_like_a_shorter_one(sgv):
    long = sgv.generate(num_frames=5 * CHUNK).frames
    np.testing.assert_array_equal(sgv.generate(num_frames=2 * CHUNK).frames, long[: 2 * CHUNK])
    assert apart(sgv.generate(num_frames=CHUNK + 3).frames, long[: CHUNK + 3]) <= 1  # a smaller batch rounds differently
    pieces = list(sgv.stream(num_frames=5 * CHUNK))
    np.testing.assert_array_equal(np.concatenate([piece.frames for piece in pieces]), long)


def test_a_clip_is_the_same_at_all_rates(sgv):
    slow, fast = sgv.generate(num_frames=10, fps=12.5), sgv.generate(num_frames=37, fps=50)
    assert (slow.fps, fast.fps) == (12.5, 50)
    assert apart(fast.frames[::4], slow.frames) <= 1
    plain, dense = sgv.generate(num_frames=10), sgv.generate(num_frames=10, interpolate=4)
    assert (len(dense), dense.fps) == (37, 100)
    assert apart(dense.frames[::4], plain.frames) <= 1
    in_slow_motion = sgv.generate(num_frames=37, speed=0.25)
    assert in_slow_motion.fps == 25
    assert apart(in_slow_motion.frames, dense.frames) <= 1


def test_time_goes_backwards_and_begins_anywhere(sgv):
    forward = sgv.generate(num_frames=30).frames
    assert apart(sgv.generate(num_frames=30, speed=-1).frames[::-1], forward) <= 1
    assert apart(sgv.generate(num_frames=10, start_seconds=20 / 25).frames, forward[20:]) <= 1
    assert apart(sgv.generate(num_frames=10, start_seconds=19 / 25, speed=-2).frames, forward[1:20:2][::-1]) <= 1
    still = sgv.generate(num_frames=5, speed=0).frames
    np.testing.assert_array_equal(still, np.broadcast_to(still[0], still.shape))


@pytest.mark.parametrize("start_seconds", [None, 0.4])
def test_a_loop_closes_and_repeats(sgv, start_seconds):
    told = {"loop": True, "seed": 1, "motion_seed": 2, "start_seconds": start_seconds}
    clip = sgv.generate(num_frames=32, **told).frames.astype(int)
    dense = sgv.generate(num_frames=32, interpolate=10, **told)
    steps = np.abs(np.diff(dense.frames[[*range(-9, 0), *range(9)]].astype(int), axis=0)).mean(axis=(1, 2, 3))
    assert len(dense) == 32 * 10
    assert steps[8] <= 2 * np.delete(steps, 8).max() + 0.1  # across the seam as elsewhere: it is continuous
    assert np.abs(np.diff(clip, axis=0)).mean() > 0.5
    assert apart(sgv.generate(num_frames=64, fps=50, **told).frames[::2], clip) <= 1
    with pytest.raises(InputError, match="a loop of this length does not close; given: 20 frames; allowed: a multiple of 16"):
        sgv.generate(num_frames=20, loop=True)
    with pytest.raises(InputError, match=r"given: 16 frames; allowed: a multiple of 19\.2 frames at this rate"):
        sgv.generate(num_frames=16, loop=True, fps=30)
    with pytest.raises(InputError, match=r"does not close.*a speed other than 0"):
        sgv.generate(num_frames=16, loop=True, speed=0)


def test_truncation_and_class_and_layers_are_those_of_images(build_sgv):
    pipe = build_sgv(num_classes=3, motion_sees_class=True)
    chosen = [pipe.generate(seed=5, num_frames=2, label=label).frames.tobytes() for label in range(3)]
    assert len(set(chosen)) == 3
    assert pipe.generate(seed=5, num_frames=2).frames.tobytes() in chosen
    firsts = [pipe.generate(seed=seed, num_frames=1, truncation=0, label=0).frames for seed in (0, 1)]
    np.testing.assert_array_equal(*firsts)
    top, told = pipe.generator.num_layers - 1, {"num_frames": 3, "label": 1}
    all_layers = pipe.generate(seed=1, style_mix=StyleMix(5, 0, top), **told).frames
    assert apart(all_layers, pipe.generate(seed=5, **told).frames) <= 1
    some, own = pipe.generate(seed=1, style_mix=StyleMix(5, 2, top), **told).frames, pipe.generate(seed=1, **told).frames
    assert np.abs(some.astype(int) - own).mean() > 1


@pytest.mark.parametrize("kind", ["pipe", "sgv"])
def test_one_content_becomes_another_while_the_motion_goes_on(kind, request):
    pipe = request.getfixturevalue(kind)
    clip = pipe.generate(seed=1, to_seed=4, motion_seed=2, num_frames=2 * CHUNK + 1).frames
    own, goal = (pipe.generate(seed=seed, motion_seed=2, num_frames=2 * CHUNK + 1).frames for seed in (1, 4))
    assert apart(clip[0], own[0]) <= 1
    if kind == "sgv":  # a MoCoGAN-HD's motion depends on the content that it starts from
        assert apart(clip[-1], goal[-1]) <= 1
    assert np.abs(clip[-1].astype(int) - own[-1]).mean() > 1
    model = pipe.generator if kind == "sgv" else pipe.image_generator
    layers = torch.randn(model.num_layers, model.w_dim, generator=torch.Generator().manual_seed(0))
    still = {"strength": 0.0} if kind == "pipe" else {}
    came = pipe.generate(latent=layers, to_seed=4, motion_seed=2, num_frames=9, **still).frames
    assert apart(came[-1], pipe.generate(seed=4, motion_seed=2, num_frames=9, **still).frames[-1]) <= 1
    assert apart(came[0], pipe.generate(latent=layers, motion_seed=2, num_frames=9, **still).frames[0]) <= 1
    with pytest.raises(InputError, match="a loop ends where it begins; given: to_seed 4"):
        pipe.generate(seed=1, to_seed=4, num_frames=16, loop=True)


@torch.no_grad()
def test_a_stream_takes_the_same_memory_however_long(sgv):
    seen, tensors = [], []
    for piece in sgv.stream(num_frames=40 * CHUNK, to_seed=3):
        seen.append(weakref.ref(piece.frames))
        del piece
        if len(seen) % 10 == 0:
            tensors.append(sum(type(item) is torch.Tensor for item in gc.get_objects()))
        assert sum(frames() is not None for frames in seen) <= 2
    assert len(seen) == 40
    assert len(set(tensors)) == 1


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"hold": 0.5}, "hold means nothing to a StyleGAN-V; given: 0.5; leave it out: no frame depends on"),
        ({"strength": 2.0}, "strength means nothing to a StyleGAN-V.*speed"),
        ({"motion": Motion(torch.zeros(3, 2), "a basis", 25.0)}, "this motion belongs to a MoCoGAN-HD"),
        ({"motion": AnchorNoise(torch.zeros(3, 2), 0, "another", 5)}, "this motion belongs to another model"),
        ({"interpolation": "linear"}, "interpolation means nothing.*drawn, not interpolated"),
        ({"noise": "fixed"}, "noise means nothing to a StyleGAN-V"),
        ({"directions": ()}, "directions means nothing to a StyleGAN-V.*no latent basis"),
        ({"num_frames": 0}, "a clip needs frames; given: num_frames 0"),
        ({"fps": 0}, "the frame rate is out of range; given: 0"),
        ({"fps": 0.01}, "too far apart in time; given: 2500 frames of the training videos apart; allowed: up to 1000"),
        ({"speed": float("nan")}, "too far apart in time; given: nan"),
        ({"speed": float("inf"), "loop": True}, "too far apart in time; given: inf"),
        ({"interpolate": 0}, "interpolation factor is out of range; given: 0"),
        ({"interpolate": 2, "fps": 5}, "either of them says how many.*given: interpolate 2, fps 5; leave one out"),
        ({"start_seconds": -1}, "nothing before time 0; given: frames from time -25 to -10"),
        ({"start_seconds": 0.4, "speed": -1}, "nothing before time 0; given: frames from time 10 to -5"),
        ({"start_seconds": 1e9}, "time ends before; given: .*; allowed: below 1e"),
        ({"truncation": 3}, "truncation is out of range"),
        ({"label": 0}, "labels were given to a network without classes"),
        ({"style_mix": StyleMix(1, 2, 99)}, "no such layers to mix; given: 2 to 99"),
    ],
)
def test_what_cannot_be_generated_is_refused(sgv, settings, problem):
    with pytest.raises(InputError, match=problem):
        sgv.generate(**settings)


def test_a_motion_of_another_width_is_refused_though_it_names_this_model(sgv):
    motion = AnchorNoise(torch.zeros(3, 2), 0, weights_digest(sgv.generator.state_dict()), 5)
    with pytest.raises(InputError, match=r"the motion noise has the wrong shape; given: \[3, 2\]"):
        sgv.generate(motion=motion)


def test_what_a_mocogan_hd_cannot_follow_is_refused(pipe):
    for setting in ({"speed": 2.0}, {"start_seconds": 1.0}):
        with pytest.raises(InputError, match=r"means nothing to a MoCoGAN-HD; given: .*leave it out"):
            pipe.generate(**setting)
