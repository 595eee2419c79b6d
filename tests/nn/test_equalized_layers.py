"""Folding gains into weights changes no number."""

import math

import pytest
import torch
import torch.nn.functional as F

from latentreel.nn.equalized_layers import EqualizedConv2d, EqualizedLinear, leaky_relu
from latentreel.nn.resample import blur_reference


def reference(layer: EqualizedConv2d, x, weight, bias=None):
    """The layer as the papers write it: scale, filter, convolve, add, activate."""
    weight = weight / math.sqrt(weight[0].numel())
    if layer.down:
        pad = layer.kernel // 2
        y = F.conv2d(blur_reference(x, padding=1 + pad), weight, stride=2)
    else:
        y = F.conv2d(x, weight, padding=layer.kernel // 2)
    y = y if bias is None else y + bias[:, None, None]
    return leaky_relu(y) if layer.activate else y


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("down", [False, True])
@pytest.mark.parametrize(("kernel", "options"), [(3, {}), (1, {}), (1, {"bias": False, "activate": False})])
def test_a_convolution_equals_its_definition(assert_same_derivatives, kernel, options, down, dtype):
    layer = EqualizedConv2d(3, 4, kernel, down=down, **options).to(dtype)
    parameters = dict(layer.named_parameters())
    if "bias" in parameters:
        torch.nn.init.normal_(layer.bias)
    for size in [(8, 8), (5, 7)]:
        x = torch.randn(2, 3, *size, dtype=dtype)
        assert_same_derivatives(
            lambda x, *p: torch.func.functional_call(layer, dict(zip(parameters, p, strict=True)), (x,)),
            lambda x, *p: reference(layer, x, *p),
            x,
            *parameters.values(),
        )


def test_fresh_layers_keep_the_variance():
    x = torch.randn(256, 128)
    assert EqualizedLinear(128, 512)(x).detach().std() == pytest.approx(1, rel=0.05)
    assert EqualizedLinear(128, 512, lr_multiplier=0.01)(x).detach().std() == pytest.approx(1, rel=0.05)
    assert EqualizedConv2d(128, 512, 1)(x[:, :, None, None]).detach().square().mean() == pytest.approx(1, rel=0.1)


def test_the_learning_rate_multiplier_slows_weights_and_biases_alike():
    plain, slow = EqualizedLinear(8, 4, bias_init=1.0), EqualizedLinear(8, 4, bias_init=1.0, lr_multiplier=0.01)
    x = torch.randn(3, 8)
    assert torch.allclose(slow(torch.zeros_like(x)), torch.ones(3, 4))  # the bias that was asked for
    steps = []
    for layer in (plain, slow):
        before = layer(x)
        with torch.no_grad():
            layer.weight += 0.1
            layer.bias += 0.1
        steps.append(layer(x) - before)
    assert torch.allclose(steps[1], 0.01 * steps[0], rtol=1e-2, atol=1e-5)


@pytest.mark.parametrize("options", [{"kernel": 3}, {"kernel": 3, "down": True}, {"kernel": 1, "down": True}], ids=str)
@pytest.mark.parametrize("width", [24, 64])
def test_bf16_gradients_are_right(options, width):
    layer = EqualizedConv2d(width, width, activate=False, **options)  # without the kink, whose side may change by rounding
    x = torch.randn(4, width, 12, 12, requires_grad=True)
    probe = torch.randn_like(layer(x))
    gradients = [
        torch.autograd.grad((layer(x.to(dtype)).float() * probe).sum(), (x, layer.weight, layer.bias))
        for dtype in (torch.float32, torch.bfloat16)
    ]
    for expected, found in zip(*gradients, strict=True):
        assert (found - expected).norm() / expected.norm() < 0.02  # a rounding is 0.004; there are some in a row
