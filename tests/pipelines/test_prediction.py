"""What a video does is found along the basis; what it will do is the motion generator's guess, held against what came."""

import numpy as np
import pytest
import torch

from latentreel.core.errors import InputError
from latentreel.mocogan_hd.latent_basis import LatentBasis
from latentreel.mocogan_hd.motion_generator import MotionGenerator
from latentreel.pipelines.driving import driving_motion
from latentreel.pipelines.inversion import InversionSettings
from latentreel.pipelines.mimicry import mimicked_motion
from latentreel.pipelines.prediction import Lookahead, continued, extrapolated, predict
from latentreel.pipelines.prediction_scores import BEST, BOUND, LINEAR, MEAN, PREDICTION, REPEAT, compare_prediction
from latentreel.pipelines.video_pipeline import CHUNK
from latentreel.sampling.given_latent import GivenLatent
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


def test_a_content_mimics_a_clip_of_another_world(pipe):
    frames = open_world("faces", resolution=16, num_frames=3).video(0).video.frames
    motion = mimicked_motion(pipe, pipe.content(seed=1), frames, world="creatures", clip_world="faces", steps=2)
    assert pipe.generate(seed=1, motion=motion).frames.shape == (3, 16, 16, 3)
    assert motion.offsets[1:].any()
    with pytest.raises(InputError, match="different motion factors; given: skies, faces"):
        mimicked_motion(pipe, pipe.content(seed=1), frames, world="skies", clip_world="faces")
