"""One shared kernel gives what a kernel per sample gives."""

import itertools

import pytest
import torch

from latentreel.nn.modulated_convolution import modulated_conv2d, modulated_conv2d_reference

N, IN, OUT = 3, 5, 4
VARIANTS = [
    {"kernel": kernel, "demodulate": demodulate, "up": up, "gain": gain}
    for kernel, demodulate, up, gain in itertools.product([3, 1], [True, False], [False, True], [1.0, 2**0.5])
    if not (up and kernel == 1)  # the to-RGB layer never doubles
]


def draw(kernel, up, size, dtype):
    height, width = (2 * side if up else side for side in size)
    x, weight = torch.randn(N, IN, *size, dtype=dtype), torch.randn(OUT, IN, kernel, kernel, dtype=dtype)
    style, addend = torch.randn(N, IN, dtype=dtype) + 1, torch.randn(1, OUT, height, width, dtype=dtype)
    return x, weight, style, addend


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("variant", VARIANTS, ids=lambda v: " ".join(f"{key}={value:.3g}" for key, value in v.items()))
def test_it_equals_its_reference(assert_same_derivatives, variant, dtype):
    options = dict(variant)
    kernel = options.pop("kernel")
    for size in [(4, 4), (5, 7)]:
        *inputs, addend = draw(kernel, options["up"], size, dtype)
        fast, reference = (
            lambda x, w, s, a=None, f=f: f(x, w, s, addend=a, **options) for f in (modulated_conv2d, modulated_conv2d_reference)
        )
        assert_same_derivatives(fast, reference, *inputs)
        assert_same_derivatives(fast, reference, *inputs, addend)


@pytest.mark.parametrize("up", [False, True])
def test_demodulated_outputs_have_unit_variance(up):
    """Eq. 3 assumes independent inputs of unit variance; the filter behind the doubling averages some of it away."""
    x, weight, style = torch.randn(64, IN, 16, 16), 7 * torch.randn(OUT, IN, 3, 3), 5 * torch.randn(64, IN)
    deviation = modulated_conv2d(x, weight, style, up=up)[..., 2:-2, 2:-2].std()
    assert deviation == pytest.approx(1.0, rel=0.05) if not up else 0.4 < deviation < 1.6


@pytest.mark.parametrize("variant", [{}, {"up": True}, {"demodulate": False, "kernel": 1}], ids=["plain", "up", "to-RGB"])
@pytest.mark.parametrize("width", [24, 64])
def test_bf16_gradients_are_right(variant, width):
    options = dict(variant)
    weight = torch.randn(width, width, *[options.pop("kernel", 3)] * 2, requires_grad=True)
    x, style = torch.randn(4, width, 9, 9, requires_grad=True), (torch.rand(4, width) + 0.5).requires_grad_()
    probe = torch.randn_like(modulated_conv2d(x, weight, style, **options))
    gradients = [
        torch.autograd.grad((modulated_conv2d(x.to(dtype), weight, style, **options).float() * probe).sum(), (x, weight, style))
        for dtype in (torch.float32, torch.bfloat16)
    ]
    for expected, found in zip(*gradients, strict=True):
        assert (found - expected).norm() / expected.norm() < 0.02  # a rounding is 0.004; there are some in a row
