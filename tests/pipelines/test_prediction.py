"""What a video does is found along the basis; what it will do is the motion generator's guess, held against what came."""

from typing import ClassVar

import numpy as np
import pytest
import torch

from latentreel.core.errors import InputError
from latentreel.metrics.factor_measures import read_clips
from latentreel.metrics.factor_reader import legible_motion, load_factor_reader
from latentreel.mocogan_hd.latent_basis import LatentBasis
from latentreel.mocogan_hd.motion_generator import MotionGenerator
from latentreel.pipelines.driving import DrivenMotion, driving_motion
from latentreel.pipelines.inversion import Inversion, InversionSettings
from latentreel.pipelines.mimicry import mimicked_motion
from latentreel.pipelines.picture_distance import PictureDistance
from latentreel.pipelines.prediction import Lookahead, Prediction, continued, extrapolated, fitted_noise, predict
from latentreel.pipelines.prediction_scores import (
    BEST,
    BOUND,
    FIRST,
    LINEAR,
    MEAN,
    PREDICTION,
    REPEAT,
    REPEAT_INVERTED,
    compare_prediction,
)
from latentreel.pipelines.video_pipeline import CHUNK
from latentreel.sampling.given_latent import GivenLatent
from latentreel.sampling.motion import Motion
from latentreel.sampling.rollout import HOLD, rollout
from latentreel.worlds.registry import open_world

QUICK = InversionSettings(steps=6, starts=1, candidates=4)


@pytest.fixture
def pipe(pipe):
    """Its pictures stay within the range of pixels."""
    with torch.no_grad():
        for block in pipe.image_generator.blocks:
            block.to_rgb.weight.mul_(0.2)
    return pipe


@pytest.fixture
def clip(pipe) -> np.ndarray:
    """A clip that the model can draw."""
    return pipe.generate(seed=1, motion_seed=2, num_frames=5, strength=0.3).frames


def test_the_motion_of_a_video_moves_the_same_content_as_the_video(pipe, clip):
    first = GivenLatent.of(pipe.content(seed=1).w, pipe.image_generator)
    found = driving_motion(pipe, clip, first, steps=30, smoothness=0)
    assert not found.motion.offsets[0].any()
    again = pipe.generate(latent=found.first, motion=found.motion).frames.astype(int)
    assert np.abs(again - found.pictures).max() <= 1
    error = np.square(again - clip.astype(int)).mean()
    assert error < 0.3 * np.square(clip[:1].astype(int) - clip).mean()
    still = driving_motion(pipe, clip, first, steps=10, smoothness=1e3).motion
    assert still.offsets.square().mean() < found.motion.offsets.square().mean()
    with pytest.raises(InputError, match="needs frames to move; given: 1"):
        driving_motion(pipe, clip[:1], first)


def test_with_one_given_latent_motion_is_that_of_the_seed(pipe):
    w = pipe.content(seed=3).w
    courses = continued(pipe.motion_generator, w, 6, [4, 5])
    motion = pipe.motion(seed=3, motion_seed=4, num_frames=6)
    torch.testing.assert_close(courses[0], motion.moved(w, pipe.basis), atol=1e-4, rtol=1e-4)
    assert not torch.equal(courses[0], courses[1])


@pytest.mark.parametrize("hold", [0.0, HOLD])
def test_it_is_held_as_the_clip_of_the_seed_is_whatever_the_width(hold):
    basis = LatentBasis(torch.linalg.qr(torch.randn(6, 4))[0].T, torch.rand(4) + 1, torch.randn(6), torch.rand(4))
    motion, w = MotionGenerator(basis=basis, latent_dim=6, hidden_dim=5, step_size=0.5), torch.randn(1, 6)
    torch.nn.init.normal_(motion.to_components.weight, std=3)
    for course, seed in zip(continued(motion, w, 40, [4, 5], hold=hold), (4, 5), strict=True):
        walked = torch.cat(list(rollout(motion, w, num_frames=40, motion_seed=seed, chunk=CHUNK, hold=hold)))
        torch.testing.assert_close(course, walked)


def test_with_several_given_latents_motion_goes_on_as_it_was(pipe):
    w = pipe.content(seed=3).w
    true = continued(pipe.motion_generator, w, 8, [4])[0]
    onward = continued(pipe.motion_generator, true[:6], 8, [0, 1, 2])
    torch.testing.assert_close(onward[:, :6], true[:6].expand(3, -1, -1))
    step = (onward[:, 6] - true[5]).norm(dim=1)
    assert (step > 0).all()
    line = extrapolated(true[:2], 5)
    torch.testing.assert_close(line[4] - line[3], true[1] - true[0], atol=1e-5, rtol=1e-4)


def test_the_noise_found_takes_the_given_steps(pipe):
    motion = pipe.motion_generator
    true = continued(motion, pipe.content(seed=3).w, 6, [4])[0]
    drawn = torch.randn(2, 5, motion.config.latent_dim)

    def misses(noise: torch.Tensor) -> float:
        state, total = motion.begin(true[:1].expand(2, -1)), 0.0
        for step, eps in enumerate(noise.unbind(dim=1), start=1):
            state = motion.advance(state._replace(latent=true[step - 1].expand(2, -1)), eps)
            total += float((state.latent - true[step]).square().mean())
        return total

    assert misses(fitted_noise(motion, true, drawn)) < 0.1 * misses(drawn)


def test_the_best_of_the_steps_is_kept(pipe, clip):
    class Worse(PictureDistance):
        """The longer it is asked, the farther everything is."""

        asked: ClassVar[list[int]] = []

        def __call__(self, pictures, target, *, finest=None):
            self.asked.append(1)
            return super().__call__(pictures, target, finest=finest) + len(self.asked)

    first = GivenLatent.of(pipe.content(seed=1).w, pipe.image_generator)
    assert not driving_motion(pipe, clip, first, steps=3, distance=Worse()).motion.offsets.any()


class Grey:
    """A pipeline whose latents are brightness, 0 to 255."""

    def content(self, *, latent):
        return latent

    def draw(self, content, latents):
        return (latents / 127.5 - 1)[:, :, None, None].expand(-1, 3, 11, 11)


@pytest.mark.parametrize(
    ("given", "errors"),  # of each predicted frame
    [
        (1, {REPEAT: (10, 30, 60), REPEAT_INVERTED: (13, 33, 63), LINEAR: (4, 10, 26), BOUND: (4, 8, 16)}),
        (2, {REPEAT: (20, 50), REPEAT_INVERTED: (24, 54), LINEAR: (10, 26), BOUND: (8, 16)}),
    ],
)
def test_every_baseline_shows_what_it_says(given, errors):
    def shown(*levels):
        return np.broadcast_to(np.array(levels, np.uint8)[:, None, None, None], (len(levels), 11, 11, 3))

    real, found = shown(100, 110, 130, 160), (98, 106, 122, 144)
    latents = torch.tensor([[92.0], [106.0], [122.0], [144.0]])
    followed = DrivenMotion(Motion(torch.zeros(4, 1), "", 25.0), shown(*found), latents, GivenLatent(torch.zeros(1), ""))
    first = Inversion(followed.first, shown(97)[0], 0.0, 1)
    samples = np.stack([shown(97, 100, 100, 100), shown(97, 112, 134, 168)])
    told = compare_prediction(Grey(), Prediction(first, samples), real, followed, given_frames=given)
    errors = errors | {BEST: (2, 4, 8)[given - 1 :], FIRST: (3,)}
    for name, levels in errors.items():
        np.testing.assert_allclose(told.scores.psnr[name], 20 * np.log10(255 / np.array(levels)), rtol=1e-4, err_msg=name)
    assert told.clips["real"][0, 0, 0, 0] == (110, 130)[given - 1]


def test_a_prediction_is_scored_beside_baselines_and_the_bound(pipe, clip):
    made = predict(pipe, clip, Lookahead(5, [0, 1, 2]), QUICK)
    assert made.samples.shape == (3, 5, 16, 16, 3)
    assert (made.samples[:, 0] == made.samples[:1, 0]).all()
    followed = driving_motion(pipe, clip, made.first.latent, steps=5)
    told = compare_prediction(pipe, made, clip, followed)
    means = told.scores.means()
    assert all(len(told.scores.psnr[name]) == 4 for name in (PREDICTION, BEST, MEAN, REPEAT, LINEAR, BOUND))
    assert means[BEST][0] >= means[PREDICTION][0]
    error = np.square(clip[1:].astype(float) - clip[0]).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(told.scores.psnr[REPEAT], 10 * np.log10(255**2 / error), rtol=1e-4)
    more = predict(pipe, clip, Lookahead(5, [0], 2), QUICK)
    two = compare_prediction(pipe, more, clip, followed, given_frames=2)
    assert len(two.scores.psnr[PREDICTION]) == 3
    for given in (0, 5):
        with pytest.raises(InputError, match="number of given frames is out of range"):
            predict(pipe, clip, Lookahead(5, [0], given), QUICK)
    with pytest.raises(InputError, match="differ in length; given: 4"):
        compare_prediction(pipe, made, clip[:4], followed)


def test_a_content_turns_the_way_that_the_clip_is_seen_to(pipe):
    frames = open_world("faces", resolution=16, num_frames=12).video(0).video.frames[[0, -1]]
    motion = mimicked_motion(pipe, pipe.content(seed=1), frames, world="creatures", clip_world="faces")
    ways = []
    for world, clip in (("faces", frames), ("creatures", pipe.generate(seed=1, motion=motion).frames)):
        seen = read_clips(load_factor_reader(world), clip[None]).motion[0]
        ways.append((seen[1] - seen[0])[sorted(set(legible_motion("faces")) & set(legible_motion("creatures")))])
    assert np.dot(*ways) > 0


def test_a_content_mimics_a_clip_of_another_world(pipe):
    frames = open_world("faces", resolution=16, num_frames=3).video(0).video.frames
    motion = mimicked_motion(pipe, pipe.content(seed=1), frames, world="creatures", clip_world="faces", steps=2)
    assert pipe.generate(seed=1, motion=motion).frames.shape == (3, 16, 16, 3)
    assert motion.offsets[1:].any()
    with pytest.raises(InputError, match="different motion factors; given: skies, faces"):
        mimicked_motion(pipe, pipe.content(seed=1), frames, world="skies", clip_world="faces")
