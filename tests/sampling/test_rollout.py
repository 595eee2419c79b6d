"""A rollout in chunks walks the trajectory of the motion generator."""

import pytest
import torch

from latentreel.core.errors import InputError
from latentreel.core.randomness import torch_generator
from latentreel.sampling.rollout import rollout


def walk(motion, w, **settings):
    return torch.cat(list(rollout(motion, w, **({"motion_seed": 1, "chunk": 4} | settings))))


def test_it_is_the_trajectory_of_the_seeds_noise(motion):
    w, draws = torch.randn(1, 6), torch_generator(1, "motion")
    noise = torch.stack([torch.randn(1, 6, generator=draws) for _ in range(10)], dim=1)
    latents = walk(motion, w, num_frames=11)
    torch.testing.assert_close(latents, motion(w, 11, noise).latents[0])
    assert (latents[1:] - latents[:-1]).norm(dim=1).min() > 0.1
    assert not latents.requires_grad


@pytest.mark.parametrize("chunk", [1, 3, 11, 100])
def test_chunks_change_nothing_and_a_longer_clip_begins_like_a_shorter_one(motion, chunk):
    w = torch.randn(1, 6)
    pieces = list(rollout(motion, w, num_frames=11, motion_seed=1, chunk=chunk))
    assert [len(piece) for piece in pieces[:-1]] == [chunk] * (len(pieces) - 1)
    assert torch.equal(torch.cat(pieces), walk(motion, w, num_frames=50)[:11])
    assert not torch.equal(torch.cat(pieces)[1], walk(motion, w, num_frames=2, motion_seed=2)[1])


@pytest.mark.parametrize("wrong", [{"num_frames": 0}, {"num_frames": -3}, {"num_frames": 5, "chunk": 0}])
def test_no_frames_are_refused_at_once(motion, wrong):
    with pytest.raises(InputError, match="a clip needs frames"):
        rollout(motion, torch.randn(1, 6), **({"motion_seed": 1, "chunk": 4} | wrong))


def test_long_clips_stay_near_their_content_and_go_on_moving(motion):
    w = torch.randn(1, 6)
    torch.nn.init.constant_(motion.to_components.bias, 1)  # plain recursion walks off to one side
    plain, held = (walk(motion, w, num_frames=400, hold=hold) for hold in (0, 1 / 16))
    assert torch.equal(plain[:16], held[:16])
    away = [(latents[-100:] - w).norm(dim=1).mean() for latents in (plain, held)]
    assert away[1] < away[0] / 10
    steps = held.diff(dim=0).norm(dim=1)
    assert steps[-100:].mean() > steps[:15].mean() / 3


@pytest.mark.parametrize("hold", [-0.1, 1.5])
def test_hold_is_a_share(motion, hold):
    with pytest.raises(InputError, match=r"hold is out of range.*allowed: 0"):
        rollout(motion, torch.randn(1, 6), num_frames=3, motion_seed=0, chunk=4, hold=hold)
