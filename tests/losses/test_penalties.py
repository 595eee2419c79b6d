"""Gradient penalties on networks whose gradients are known."""

import pytest
import torch

from latentreel.losses.penalties import mixture_gradient_penalty, path_length_penalty, r1_penalty

N, C, T, S = 3, 2, 4, 5


def draw(*shape, **options):
    return torch.randn(*shape, dtype=torch.float64, **options)


def test_r1_of_a_linear_discriminator_is_the_square_of_its_weights():
    weight, real = draw(C, S, S, requires_grad=True), draw(N, C, S, S, requires_grad=True)
    penalty = r1_penalty((real * weight).sum(dim=(1, 2, 3))[:, None], real)
    assert penalty.item() == pytest.approx(weight.square().sum().item(), rel=1e-6)
    (gradient,) = torch.autograd.grad(penalty, weight)
    assert torch.allclose(gradient, 2 * weight, rtol=1e-5)


def test_r1_is_a_mean_over_samples_and_a_sum_over_pixels():
    real = draw(N, C, S, S, requires_grad=True)
    penalty = r1_penalty(real.square().sum(dim=(1, 2, 3)) / 2, real)  # the gradient is the sample itself
    assert penalty.item() == pytest.approx(real.square().sum().item() / N, rel=1e-6)


def test_the_mixture_penalty_of_linear_scales():
    """Logits a . x at every pixel: the gradient is a there, its norm over the channels |a|; the mean of (|a| - 1)^2 over scales."""
    scales = [draw(C, requires_grad=True), draw(C, requires_grad=True)]

    def discriminator(x):
        return [torch.einsum("ncthw,c->nthw", x, a) for a in scales]

    penalty = mixture_gradient_penalty(
        discriminator, draw(N, C, T, S, S), draw(N, C, T, S, S), torch.rand(N, dtype=torch.float64)
    )
    expected = sum((a.norm() - 1).square() for a in scales) / 2
    assert penalty.item() == pytest.approx(expected.item(), rel=1e-6)
    found = torch.autograd.grad(penalty, scales)
    for ours, theirs in zip(found, torch.autograd.grad(expected, scales), strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_the_mixture_lies_between_the_sides_in_the_given_shares():
    real, fake, mix = draw(N, C, T, S, S), draw(N, C, T, S, S), torch.tensor([1.0, 0.0, 0.25], dtype=torch.float64)
    seen = []

    def discriminator(x):
        seen.append(x.detach())
        return [x.pow(3).sum(dim=1)]

    penalty = mixture_gradient_penalty(discriminator, real, fake, mix)
    expected = torch.stack([real[0], fake[1], 0.25 * real[2] + 0.75 * fake[2]])
    assert torch.allclose(seen[0], expected)
    assert penalty.item() == pytest.approx((3 * expected.square()).norm(dim=1).sub(1).square().mean().item(), rel=1e-5)


def test_the_mixture_penalty_leaves_the_generator_alone():
    fake, weight = draw(N, C, T, S, S, requires_grad=True), draw(C, requires_grad=True)
    mixture_gradient_penalty(
        lambda x: [x.square().mul(weight[:, None, None, None])], draw(N, C, T, S, S), fake, torch.rand(N, dtype=torch.float64)
    ).backward()
    assert fake.grad is None
    assert weight.grad is not None


def test_path_length_of_a_linear_generator():
    """Images w A: J^T y is A y, the length sqrt(mean over layers |A y|^2) for noise y of variance 1 / (H W)."""
    layers, width = 4, 6
    a, w = draw(layers, width, 3 * S * S, requires_grad=True), draw(N, layers, width, requires_grad=True)
    noise, mean = draw(N, 3, S, S), torch.tensor(2.0, dtype=torch.float64)
    images = torch.einsum("nld,ldp->np", w, a).reshape(N, 3, S, S)
    penalty = path_length_penalty(images, w, noise, mean, decay=0.01)
    products = torch.einsum("ldp,np->nld", a, noise.reshape(N, -1) / S)
    lengths = products.square().sum(dim=2).mean(dim=1).sqrt()
    assert mean.item() == pytest.approx(0.99 * 2 + 0.01 * lengths.mean().item())
    expected = (lengths - mean).square().mean()
    assert penalty.item() == pytest.approx(expected.item())
    (found,), (theirs,) = torch.autograd.grad(penalty, a), torch.autograd.grad(expected, a)
    assert torch.allclose(found, theirs)
