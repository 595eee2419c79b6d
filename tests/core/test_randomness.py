"""Every draw is a function of a seed and of what it is for."""

import numpy as np
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from latentreel.core.randomness import derive_seed, numpy_generator, torch_generator

PURPOSES = st.lists(st.text("abcz_", min_size=1) | st.integers(0), max_size=3).map(tuple)


@example(1, ("a", 2), 1, ("a", 2))
@example(1, (2,), 12, ())
@given(st.integers(), PURPOSES, st.integers(), PURPOSES)
def test_seeds_agree_only_where_all_they_are_for_agrees(seed, purpose, other_seed, other_purpose):
    one, other = derive_seed(seed, *purpose), derive_seed(other_seed, *other_purpose)
    assert 0 <= one < 2**63
    assert (one == other) == ((seed, *purpose) == (other_seed, *other_purpose))


def test_neighbouring_steps_and_seeds_draw_independently():
    draws = [torch.randn(4000, generator=torch_generator(seed, "latents", step)) for seed in range(3) for step in range(8)]
    correlations = torch.corrcoef(torch.stack(draws)) - torch.eye(len(draws))
    assert correlations.abs().max() < 0.08  # five deviations of 1 / sqrt(4000)
    numbers = np.stack([numpy_generator(0, "clips", step).standard_normal(4000) for step in range(8)])
    assert np.abs(np.corrcoef(numbers) - np.eye(8)).max() < 0.08


def test_no_other_draw_is_disturbed():
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    first, again = (torch.rand(5, generator=torch_generator(7, "a")) for _ in range(2))
    assert torch.equal(first, again)
    numpy_generator(7, "a").random(5)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])
