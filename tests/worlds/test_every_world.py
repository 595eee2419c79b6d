"""What every world promises, whatever it draws."""

import dataclasses

import numpy as np
import pytest

from latentreel.core.errors import InputError
from latentreel.worlds.registry import WORLDS


@pytest.fixture(params=WORLDS)
def world(request):
    return WORLDS[request.param](resolution=64, num_frames=8, seed=3)


def test_a_clip_is_a_function_of_seed_and_index(world):
    first, again = world.video(7), dataclasses.replace(world).video(7)
    assert np.array_equal(first.video.frames, again.video.frames)
    assert np.array_equal(first.motion, again.motion)
    for other in (world.video(8), dataclasses.replace(world, seed=4).video(7)):
        assert not np.array_equal(first.identity, other.identity)
        assert np.abs(first.video.frames.astype(float) - other.video.frames).mean() > 5
    with pytest.raises(InputError, match="no clip before the first; given: -1"):
        world.video(-1)


def test_a_clip_has_the_documented_form(world):
    clip = world.video(0)
    assert clip.video.frames.shape == (8, 64, 64, 3) and clip.video.fps == 25
    assert clip.identity.shape == (len(world.identity_names),) and clip.motion.shape == (8, len(world.motion_names))
    assert clip.identity.dtype == clip.motion.dtype == np.float32
    assert np.array_equal(clip.video.frames, world.render(clip.identity, clip.motion))


def test_a_longer_clip_continues_the_shorter_and_a_higher_rate_refines_it(world):
    def motion(num_frames, fps):
        return dataclasses.replace(world, num_frames=num_frames, fps=fps).sample_motion(np.random.default_rng(11))

    assert np.allclose(motion(64, 25.0)[:16], motion(16, 25.0), atol=1e-5)
    assert np.allclose(motion(63, 50.0)[::2], motion(32, 25.0), atol=1e-5)
