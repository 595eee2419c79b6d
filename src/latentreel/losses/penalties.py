"""Penalties on gradients: they keep discriminators smooth and the generator's latent space even."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def r1_penalty(real_logits: Tensor, real: Tensor) -> Tensor:
    """Mean squared norm of the logits' gradient at real samples (Mescheder et al. 2018, Eq. 9, without gamma / 2).

    Args:
        real_logits: [N, ...], computed from `real`.
        real: [N, ...], requires a gradient.

    Returns:
        A scalar with a graph.
    """
    (gradient,) = torch.autograd.grad(real_logits.sum(), real, create_graph=True)
    return gradient.float().square().sum(dim=list(range(1, gradient.ndim))).mean()


def mixture_gradient_penalty(
    discriminator: Callable[[Tensor], Sequence[Tensor]], real: Tensor, fake: Tensor, mix: Tensor
) -> Tensor:
    """Gradient penalty on random mixtures of a real and a fake sample (Gulrajani et al. 2017, Eq. 3), per pixel.

    For each scale, the gradient of the summed patch logits is taken, its norm over the channel axis at each pixel, and the
    squared distance of that norm to 1; then the mean, averaged over the scales. This is the form of MoCoGAN-HD's released program.

    Args:
        discriminator: Gives a list of logits, one per scale.
        real: [N, C, ...].
        fake: The same shape.
        mix: Weight of the real sample, uniform in [0, 1), shape [N].

    Returns:
        A scalar with a graph.
    """
    weight = mix.reshape(-1, *[1] * (real.ndim - 1))
    mixture = torch.lerp(fake.detach(), real.detach(), weight).requires_grad_()
    penalties = []
    for logits in discriminator(mixture):
        (gradient,) = torch.autograd.grad(logits.sum(), mixture, create_graph=True)
        penalties.append((gradient.float().norm(dim=1) - 1).square().mean())
    return torch.stack(penalties).mean()


def path_length_penalty(
    images: Tensor,
    w: Tensor,
    noise: Tensor,
    mean_length: Tensor,
    *,
    decay: float = 0.01,
    average: Callable[[Tensor], Tensor] = lambda mean: mean,
) -> Tensor:
    """Path length regularisation (Karras et al. 2020, StyleGAN2, Eq. 4): equal steps in w shall change images equally much.

    Args:
        images: [N, 3, H, W], computed from `w`.
        w: [N, L, D], requires a gradient.
        noise: Normal, the shape of `images`.
        mean_length: Scalar buffer, the running mean a of the lengths; updated in place.
        decay: Weight of the new mean (App. B: 0.01).
        average: Averages a mean over the processes that share the batch.

    Returns:
        A scalar with a graph.
    """
    noise = noise / math.sqrt(images.shape[2] * images.shape[3])
    (gradient,) = torch.autograd.grad((images * noise).sum(), w, create_graph=True)
    lengths = gradient.square().sum(dim=2).mean(dim=1).sqrt()  # [N]
    mean_length.lerp_(average(lengths.detach().mean()), decay)
    return (lengths - mean_length).square().mean()
