"""A clip that a StyleGAN-V made is found again, at least nearly, and its content can be moved otherwise."""

import numpy as np
import pytest

from latentreel.checkpoints.recordings import load_motion, save_motion
from latentreel.core.errors import InputError
from latentreel.pipelines.inversion import picture_psnr
from latentreel.pipelines.projection import project

pytestmark = pytest.mark.usefixtures("fp32")


def test_the_clip_that_is_found_is_nearer_than_any_start(sgv, tmp_path):
    clip, told = sgv.generate(seed=7, motion_seed=7, num_frames=6).frames, []
    one, more = (project(sgv, clip, steps=steps, candidates=8, progress=lambda *now: told.append(now)) for steps in (1, 30))
    assert more.frames.shape == clip.shape
    assert more.distance < one.distance
    assert picture_psnr(more.frames, clip) > picture_psnr(sgv.generate(seed=8, num_frames=6).frames, clip)
    assert [done for done, _, _ in told] == [1, *range(1, 31)]
    again = sgv.generate(latent=more.latent, motion=more.motion, num_frames=6)
    assert (again.frames == more.frames).all()
    save_motion(more.motion, tmp_path / "motion.safetensors")
    longer = sgv.generate(seed=3, motion=load_motion(tmp_path / "motion.safetensors"), motion_seed=2, num_frames=400)
    assert (longer.frames[:6] == sgv.generate(seed=3, motion=more.motion, num_frames=6).frames).all()
    assert (longer.frames[-6:] == sgv.generate(seed=3, motion_seed=2, num_frames=400).frames[-6:]).all()
    moved = sgv.generate(latent=more.latent, motion_seed=3, num_frames=6)
    assert (moved.frames != more.frames).any()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [({"steps": 0}, "steps is out of range"), ({"label": 1}, "labels were given"), ({"clip": "wide"}, "wrong form")],
)
def test_what_cannot_be_projected_costs_one_line(sgv, changes, problem):
    clip = np.zeros((2, 16, 24 if changes.pop("clip", "") else 16, 3), dtype=np.uint8)
    with pytest.raises(InputError, match=problem):
        project(sgv, clip, candidates=1, **{"steps": 1} | changes)


def test_a_search_that_finds_nothing_finite_says_so(sgv, broken_distance):
    clip = sgv.generate(num_frames=2).frames
    with pytest.raises(InputError, match="no picture of the search is at a finite distance"):
        project(sgv, clip, steps=2, candidates=1, distance=broken_distance)
