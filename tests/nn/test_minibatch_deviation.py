"""The discriminator is told how varied a group of samples is."""

import pytest
import torch

from latentreel.nn.minibatch_deviation import minibatch_deviation


def test_the_added_channel_is_the_groups_mean_deviation():
    x = torch.randn(8, 3, 2, 2, dtype=torch.float64)
    y = minibatch_deviation(x)
    assert torch.equal(y[:, :3], x)
    for n in range(8):
        group = x[n % 2 :: 2]  # a quarter of the batch apart
        assert torch.allclose(y[n, 3], group.std(dim=0, correction=0).mean(), atol=1e-7)


def test_shares_of_the_channels_are_measured_apart():
    x = torch.randn(8, 6, 2, 2, dtype=torch.float64)
    y = minibatch_deviation(x, num_features=3)
    for share in range(3):
        assert torch.equal(y[:, 6 + share], minibatch_deviation(x[:, 2 * share : 2 * share + 2])[:, 2])


@pytest.mark.parametrize(("count", "size"), [(1, 1), (2, 2), (3, 3), (6, 3), (7, 1), (12, 4)])
def test_any_batch_is_divided_evenly(count, size):
    x = torch.randn(count, 2, 1, 1)
    deviations = minibatch_deviation(x)[:, 2, 0, 0]
    assert len(deviations.unique()) == (1 if size == 1 else count // size)
    assert (deviations < 1e-3).all() == (size == 1)


def test_equal_samples_have_finite_gradients():
    x = torch.zeros(4, 2, 3, 3, requires_grad=True)
    (gradient,) = torch.autograd.grad(minibatch_deviation(x).sum(), x)
    assert torch.isfinite(gradient).all()
