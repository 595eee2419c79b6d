"""A clip that a StyleGAN-V made is found again, at least nearly, and its content can be moved otherwise."""

import numpy as np
import pytest
import torch

from latentreel.core.errors import InputError
from latentreel.core.pixels import to_uint8
from latentreel.pipelines.inversion import picture_psnr
from latentreel.pipelines.projection import project

pytestmark = pytest.mark.usefixtures("fp32")


def test_the_clip_that_is_found_is_nearer_than_any_start(sgv):
    clip, told = sgv.generate(seed=7, motion_seed=7, num_frames=6).frames, []
    one, more = (project(sgv, clip, steps=steps, candidates=8, progress=lambda *now: told.append(now)) for steps in (1, 30))
    assert more.frames.shape == clip.shape
    assert more.distance < one.distance
    assert picture_psnr(more.frames, clip) > picture_psnr(sgv.generate(seed=8, num_frames=6).frames, clip)
    assert [done for done, _, _ in told] == [1, *range(1, 31)]
    t, w = torch.arange(6, dtype=torch.float64)[None], more.latent.w[None]
    again = sgv.generator.synthesize(w, motion_z=more.motion_z[None], t=t, first_anchor=more.first_anchor)
    assert (to_uint8(again[0]) == more.frames).all()
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
