import numpy as np
import pytest
import torch

from latentreel.metrics.factor_code import FactorCode
from latentreel.worlds.registry import WORLDS
from latentreel.worlds.world import Factor, even_factors

FACTORS = (
    Factor(name="height", low=-2, high=2, meaning="any"),
    Factor(name="bearing", low=-180, high=180, meaning="degrees", circular=True),
    Factor(name="kind", low=0, high=4, levels=3, meaning="any"),
)
CODE = FactorCode(FACTORS)


def even(factors, count):
    generator = np.random.default_rng(0)
    return torch.from_numpy(np.stack([even_factors(factors, generator, rare={}) for _ in range(count)]))


def test_a_position_a_direction_and_a_choice():
    assert CODE.of_values(torch.tensor([1.0, -90.0, 4.0])) == pytest.approx([0.75, 0, 1, 0, 0, 1], abs=1e-6)


LISTS = {
    "mixed": FACTORS,
    **{f"{name}-identity": world.IDENTITY_FACTORS for name, world in WORLDS.items()},
    **{f"{name}-motion": world.MOTION_FACTORS for name, world in WORLDS.items()},
}


@pytest.mark.parametrize("factors", LISTS.values(), ids=LISTS)
def test_values_survive_their_code(factors):
    values, code = even(factors, 50), FactorCode(factors)
    assert code.of_values(values).shape == (50, code.size)
    for factor, found, true in zip(factors, code.values(code.of_values(values)).T, values.T, strict=True):
        difference = (found - true).abs()
        turn = factor.high - factor.low
        if factor.circular:
            difference = torch.minimum(difference, turn - difference)
        assert difference.max() < 1e-3 * turn


def test_two_random_values_are_one_apart_in_every_factor():
    points = CODE.of_values(even(FACTORS, 4000)) * CODE.scales()
    squares = (points[:2000] - points[2000:]).square().mean(dim=0)
    for part in squares.split(CODE.widths):
        assert float(part.sum()) == pytest.approx(1, abs=0.06)


def test_a_network_may_give_any_number():
    outputs = 100 * torch.randn(200, CODE.size, generator=torch.Generator().manual_seed(0))
    code = CODE.of_outputs(outputs)
    position, direction, levels = code.split(CODE.widths, dim=1)
    assert position.min() >= 0 and position.max() <= 1
    assert direction.norm(dim=1).max() <= 1 + 1e-6
    assert levels.sum(dim=1) == pytest.approx(1)
    for factor, value in zip(FACTORS, CODE.values(code).T, strict=True):
        assert value.min() >= factor.low and value.max() <= factor.high


def test_an_unsure_direction_stays_short():
    assert CODE.of_outputs(torch.tensor([[0.5, 0.1, 0.0, 0, 0, 0]]))[0, 1:3] == pytest.approx([0.1, 0])
