"""Adversarial losses at points where their values are known."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from latentreel.losses.adversarial import (
    hinge_discriminator,
    hinge_generator,
    logistic_discriminator,
    logistic_generator,
    relativistic_least_squares,
)

LOGITS = st.lists(st.floats(-10, 10, width=32), min_size=1, max_size=5).map(lambda v: torch.tensor(v, dtype=torch.float64))


def test_an_undecided_discriminator_costs_log_2_a_side():
    zero = torch.zeros(4, 1)
    assert logistic_generator(zero) == pytest.approx(math.log(2))
    assert logistic_discriminator(zero, zero) == pytest.approx(2 * math.log(2))


def test_each_side_pulls_its_own_way():
    real, fake = torch.randn(4, 1, requires_grad=True), torch.randn(4, 1, requires_grad=True)
    (up,) = torch.autograd.grad(logistic_generator(fake), fake)
    assert (up < 0).all()
    raised, lowered = torch.autograd.grad(logistic_discriminator(real, fake), (real, fake))
    assert (raised < 0).all()
    assert (lowered > 0).all()
    assert torch.allclose(up, -torch.sigmoid(-fake) / 4)


@given(LOGITS, LOGITS, st.floats(-5, 5, width=32))
def test_relativistic_losses_know_differences_alone(raised, lowered, shift):
    loss = relativistic_least_squares([raised], [lowered])
    assert loss >= 0
    assert relativistic_least_squares([raised + shift], [lowered + shift]) == pytest.approx(loss.item(), rel=1e-9, abs=1e-9)
    assert relativistic_least_squares([raised] * 2, [lowered] * 2) == pytest.approx(2 * loss.item())  # a sum over the scales


@pytest.mark.parametrize(("raised", "lowered", "loss"), [(1.0, 0.0, 0.5), (0.5, 0.0, 0.25), (0.0, 0.0, 0.5), (0.0, 1.0, 2.5)])
def test_relativistic_losses_of_constant_logits(raised, lowered, loss):
    """((r - l - 1)^2 + (l - r)^2) / 2: the targets are 1 and 0, so a lead of 1/2 is the cheapest."""
    values = relativistic_least_squares([torch.full([2, 3], raised)], [torch.full([4, 1], lowered)])
    assert values.item() == pytest.approx(loss)


@given(LOGITS, LOGITS)
def test_the_hinge_asks_for_no_more_than_a_margin_of_one(real, fake):
    beyond = (real >= 1).all() and (fake <= -1).all()
    assert (hinge_discriminator(real, fake) == 0) == bool(beyond)
    assert hinge_discriminator(real, fake) >= hinge_discriminator(real + 1, fake - 1)
    assert hinge_generator(fake) == -fake.mean()
