"""The fast filters are the plain ones, in values, gradients and gradients of gradients."""

import pytest
import torch

from latentreel.nn.resample import blur, blur_reference, downsample, downsample_reference, upsample, upsample_reference

DTYPES = [torch.float64, torch.float32]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [(4, 4), (5, 7), (8, 3), (2, 2)])
def test_filters_equal_their_references(assert_same_derivatives, size, dtype):
    x = torch.randn(2, 3, *size, dtype=dtype)
    assert_same_derivatives(upsample, upsample_reference, x)
    assert_same_derivatives(downsample, downsample_reference, x)
    for padding in (1, 2):
        assert_same_derivatives(
            lambda x, p=padding: blur(x, padding=p, gain=1.7), lambda x, p=padding: blur_reference(x, padding=p, gain=1.7), x
        )


@pytest.mark.parametrize("operator", [upsample, downsample])
def test_bf16_gradients_are_right(operator):
    x = torch.randn(2, 24, 9, 16, requires_grad=True)
    weight = torch.randn_like(operator(x))
    (expected,) = torch.autograd.grad((operator(x) * weight).sum(), x)
    (found,) = torch.autograd.grad((operator(x.bfloat16()).float() * weight).sum(), x)
    assert (found - expected).norm() / expected.norm() < 0.01  # a rounding is 0.004


def test_a_constant_stays_what_it_is_away_from_the_border():
    x = torch.full([1, 2, 8, 8], 3.0)
    assert torch.allclose(upsample(x)[..., 1:-1, 1:-1], torch.tensor(3.0))
    assert torch.allclose(downsample(x)[..., 1:-1, 1:-1], torch.tensor(3.0))
    assert upsample(x).shape[-2:] == (16, 16)
    assert downsample(x).shape[-2:] == (4, 4)


def test_doubling_shifts_nothing():
    x = torch.randn(1, 1, 8, 8)
    assert torch.allclose(upsample(x.flip(-1)), upsample(x).flip(-1), atol=1e-6)
    assert torch.allclose(downsample(x.flip(-2)), downsample(x).flip(-2), atol=1e-6)
