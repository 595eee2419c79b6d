"""Seeds in, videos out: the same ones from the same seeds, of any length, in constant memory."""

import gc
import json
import weakref
from pathlib import Path

import numpy as np
import pytest
import torch

import latentreel
from latentreel.core.errors import InputError
from latentreel.image_generators.build import build_image_generator
from latentreel.pipelines.mocogan_hd_pipeline import MoCoGANHDPipeline
from latentreel.pipelines.video_pipeline import CHUNK, VideoPipeline
from latentreel.sampling.directions import Direction
from latentreel.sampling.latents import StyleMix
from latentreel.sampling.motion import Motion

SHIPPED = Path(latentreel.__file__).parent / "weights"


def test_the_same_seeds_give_the_same_clip_and_others_another(pipe):
    clip = pipe.generate(seed=1, motion_seed=2, num_frames=12)
    assert clip.frames.shape == (12, 16, 16, 3)
    torch.manual_seed(99)
    np.testing.assert_array_equal(pipe.generate(seed=1, motion_seed=2, num_frames=12).frames, clip.frames)
    other_content = pipe.generate(seed=3, motion_seed=2, num_frames=12).frames
    assert np.abs(other_content[0].astype(int) - clip.frames[0]).mean() > 1
    other_motion = pipe.generate(seed=1, motion_seed=3, num_frames=12).frames
    np.testing.assert_array_equal(other_motion[0], clip.frames[0])
    assert np.abs(other_motion[1:].astype(int) - clip.frames[1:]).mean() > 1


def test_what_is_saved_makes_the_same_clips(pipe, tmp_path):
    pipe.fps = 12.5
    pipe.save(tmp_path / "bundle", origin="a test", licence="CC0-1.0")
    again = VideoPipeline.load(tmp_path / "bundle")
    assert again.fps == 12.5
    assert torch.equal(again.basis.components, pipe.basis.components)
    for settings in ({"seed": 4, "motion_seed": 5}, {"truncation": 0.5, "noise": "fixed"}):
        clips = [one.generate(num_frames=20, **settings) for one in (pipe, again)]
        np.testing.assert_array_equal(*(clip.frames for clip in clips))
        assert {clip.fps for clip in clips} == {12.5}
    card = json.loads((tmp_path / "bundle" / "card.json").read_text())
    assert (card["origin"], card["licence"]) == ("a test", "CC0-1.0")


@pytest.mark.parametrize("num_frames", [1, CHUNK, CHUNK + 1, 3 * CHUNK - 1])
def test_a_stream_is_the_clip_in_pieces(pipe, num_frames):
    pieces = list(pipe.stream(seed=2, num_frames=num_frames, fps=7))
    assert [len(piece) for piece in pieces[:-1]] == [CHUNK] * (len(pieces) - 1)
    clip = pipe.generate(seed=2, num_frames=num_frames, fps=7)
    np.testing.assert_array_equal(np.concatenate([piece.frames for piece in pieces]), clip.frames)
    assert len(clip) == num_frames
    assert {piece.fps for piece in [clip, *pieces]} == {7}


def test_a_longer_clip_begins_like_a_shorter_one(pipe):
    long = pipe.generate(num_frames=4 * CHUNK).frames
    np.testing.assert_array_equal(pipe.generate(num_frames=2 * CHUNK).frames, long[: 2 * CHUNK])
    short = pipe.generate(num_frames=CHUNK + 3).frames  # its last piece is drawn in a smaller batch, which rounds differently
    assert np.abs(short.astype(int) - long[: CHUNK + 3]).max() <= 1


def test_a_stream_takes_the_same_memory_however_long(pipe):
    seen, tensors = [], []
    for piece in pipe.stream(num_frames=60 * CHUNK):
        seen.append(weakref.ref(piece.frames))
        del piece
        if len(seen) % 20 == 0:
            tensors.append(sum(type(item) is torch.Tensor for item in gc.get_objects()))
        assert sum(frames() is not None for frames in seen) <= 2
    assert len(seen) == 60
    assert len(set(tensors)) == 1


def test_noise_is_the_same_in_every_frame(pipe):
    with torch.no_grad():
        for layer in pipe.image_generator.styled_layers():
            layer.noise_strength.fill_(2)
        pipe.motion_generator.to_components.weight.zero_()
        pipe.motion_generator.to_components.bias.zero_()
    still, plain = (pipe.generate(num_frames=2 * CHUNK, noise=noise).frames for noise in ("fixed", "none"))
    np.testing.assert_array_equal(still, np.broadcast_to(still[0], still.shape))
    assert np.abs(still[0].astype(int) - plain[0]).mean() > 1


def test_truncation_moves_contents_toward_the_mean(pipe):
    def spread(truncation):
        firsts = np.stack([pipe.generate(seed=seed, num_frames=1, truncation=truncation).frames[0] for seed in range(6)])
        return firsts.astype(float).std(axis=0).mean()

    assert spread(0) == 0
    assert 0 < spread(0.5) < spread(1)


def test_a_recorded_motion_is_the_motion(pipe):
    own = pipe.generate(seed=1, motion_seed=2, num_frames=9).frames
    again = pipe.generate(seed=1, motion=pipe.motion(seed=1, motion_seed=2, num_frames=9)).frames
    assert np.abs(own.astype(int) - again).max() <= 1
    other = pipe.generate(seed=5, motion=pipe.motion(seed=1, motion_seed=2, num_frames=9)).frames
    np.testing.assert_array_equal(other[0], pipe.generate(seed=5, num_frames=1).frames[0])
    assert np.abs(other[1:].astype(int) - other[:-1]).mean() > 0.5


def test_strength_scales_motion(pipe):
    def moved(strength):
        offsets = pipe.motion(seed=1, strength=strength).offsets
        assert float(offsets[0].abs().max()) == 0
        return offsets

    torch.testing.assert_close(moved(0.5), moved(1.0) / 2, rtol=1e-4, atol=1e-5)
    still = pipe.generate(strength=0.0).frames
    np.testing.assert_array_equal(still, np.broadcast_to(still[0], still.shape))


def test_more_frames_show_the_same_in_the_same_time(pipe):
    plain, dense = pipe.generate(num_frames=5), pipe.generate(num_frames=5, interpolate=4)
    assert (len(dense), dense.fps) == (17, 4 * plain.fps)
    assert np.abs(dense.frames[::4].astype(int) - plain.frames).max() <= 1


def test_a_denser_loop_has_no_seam(pipe):
    dense = pipe.generate(num_frames=8, loop=True, interpolate=4).frames.astype(int)
    assert len(dense) == 32
    steps = np.abs(dense - np.roll(dense, 1, axis=0)).mean(axis=(1, 2, 3))
    assert steps[0] < 2 * np.median(steps)  # the step from the last frame to the first


def test_directions_change_the_content_and_the_motion_stays(pipe):
    direction = Direction.component(pipe.basis, 0)
    changed = {"seed": 1, "directions": [(direction, 2.0)]}
    assert np.abs(pipe.generate(**changed).frames[0].astype(int) - pipe.generate(seed=1).frames[0]).mean() > 1
    back = pipe.generate(seed=1, directions=[(direction, 2.0), (direction, -2.0)]).frames
    assert np.abs(back.astype(int) - pipe.generate(seed=1).frames).max() <= 1


def test_layers_follow_another_content(pipe):
    top = pipe.image_generator.num_layers - 1
    all_layers = pipe.generate(seed=1, num_frames=1, style_mix=StyleMix(5, 0, top)).frames
    assert np.abs(all_layers.astype(int) - pipe.generate(seed=5, num_frames=1).frames).max() <= 1
    some, own = pipe.generate(seed=1, style_mix=StyleMix(5, 2, top)).frames, pipe.generate(seed=1).frames
    assert np.abs(some.astype(int) - own).mean() > 1
    assert np.abs(some[1:].astype(int) - some[:-1]).mean() > 0.5


def test_a_motion_of_another_model_is_refused(pipe):
    motion = pipe.motion()
    strange = Motion(motion.offsets, "0" * 64, motion.fps)
    with pytest.raises(InputError, match=r"belongs to a model with another latent basis.*record it anew"):
        pipe.generate(motion=strange)
    with pytest.raises(InputError, match="the motion's offsets has the wrong shape"):
        pipe.generate(motion=Motion(motion.offsets[:, 1:], motion.basis, motion.fps))
    with pytest.raises(InputError, match="the direction's coefficients has the wrong shape"):
        pipe.generate(directions=[(Direction(torch.ones(2), motion.basis), 1.0)])


def test_a_motion_keeps_its_rate_and_is_long_enough_for_a_loop(pipe):
    motion = pipe.motion(num_frames=3)
    slow = Motion(motion.offsets, motion.basis, 5.0)
    assert pipe.generate(motion=slow).fps == 5
    assert pipe.generate(motion=slow, interpolate=2).fps == 10
    assert pipe.generate(motion=slow, fps=7).fps == 7
    with pytest.raises(InputError, match="a loop needs a motion of two frames or more; given: 1 frame"):
        pipe.generate(motion=pipe.motion(num_frames=1), loop=True)


@pytest.mark.parametrize("strength", [float("nan"), 1e30, -21])
def test_a_direction_goes_no_farther_than_latents_are_known(pipe, strength):
    with pytest.raises(InputError, match=r"a direction's strength is out of range; given: .*; allowed: -20 to 20"):
        pipe.generate(directions=[(Direction.component(pipe.basis, 0), strength)])


def test_an_argument_that_there_is_not_is_refused_as_python_does(pipe):
    with pytest.raises(TypeError, match="no such argument: frames; there are seed, motion_seed"):
        pipe.generate(frames=3)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"strength": 11}, "strength is out of range; given: 11; allowed: -10 to 10"),
        ({"interpolate": 0}, "interpolation factor is out of range; given: 0"),
        ({"style_mix": StyleMix(1, 2, 99)}, "no such layers to mix; given: 2 to 99; allowed: 0 to"),
        ({"truncation": -0.1}, "truncation is out of range; given: -0.1; allowed: 0 to 2"),
        ({"label": 10**25}, "labels were given to a network without classes"),
        ({"loop": True, "start_seconds": 1.0, "speed": 2.0}, "start_seconds means nothing"),
        ({"truncation": 2.5}, "truncation is out of range"),
        ({"num_frames": 0}, "a clip needs frames; given: num_frames 0"),
        ({"fps": 0}, "the frame rate is out of range; given: 0"),
        ({"noise": "loud"}, "unknown noise; given: loud"),
    ],
)
def test_what_cannot_be_generated_is_refused(pipe, settings, problem):
    with pytest.raises(InputError, match=problem):
        pipe.generate(**settings)


def test_parts_that_do_not_fit_are_refused(pipe):
    other = build_image_generator("stylegan2", resolution=8, channels=(4, 4), z_dim=8, w_dim=8, mapping_layers=1)
    with pytest.raises(InputError, match="for another image generator; given: latents of width 16; allowed: 8"):
        MoCoGANHDPipeline(image_generator=other, basis=pipe.basis, motion_generator=pipe.motion_generator)


@pytest.mark.parametrize("name", ["faces", "creatures", "skies"])
def test_a_model_that_ships_moves_and_has_a_card(name):
    pipe = VideoPipeline.load(name)
    clips = [pipe.generate(seed=seed, motion_seed=seed, num_frames=17).frames.astype(float) for seed in range(4)]
    assert clips[0].shape == (17, 64, 64, 3)
    assert all(0.5 < np.abs(clip[1:] - clip[:-1]).mean() < 20 for clip in clips)
    assert min(np.abs(one[0] - other[0]).mean() for i, one in enumerate(clips) for other in clips[:i]) > 5
    card = json.loads((SHIPPED / name / "card.json").read_text())
    assert "not stated" not in (card["licence"], card["origin"])
