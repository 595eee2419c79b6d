"""Adversarial losses: how far a discriminator's logits are from where each side wants them. Logits may have any shape."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def logistic_generator(fake_logits: Tensor) -> Tensor:
    """Non-saturating logistic loss of the generator, mean softplus(-D(fake)) (Goodfellow et al. 2014, Sec. 3)."""
    return F.softplus(-fake_logits).mean()


def logistic_discriminator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Logistic loss of the discriminator, mean softplus(-D(real)) + mean softplus(D(fake)) (Goodfellow et al. 2014, Eq. 1)."""
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


def hinge_generator(fake_logits: Tensor) -> Tensor:
    """Hinge loss of the generator, -mean D(fake) (Lim & Ye 2017, "Geometric GAN")."""
    return -fake_logits.mean()


def hinge_discriminator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Hinge loss of the discriminator, mean max(0, 1 - D(real)) + mean max(0, 1 + D(fake)) (Lim & Ye 2017)."""
    return F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()


def relativistic_least_squares(raised: Sequence[Tensor], lowered: Sequence[Tensor]) -> Tensor:
    """Relativistic average least squares (Jolicoeur-Martineau 2019, RaLSGAN), with targets 1 and 0 as MoCoGAN-HD was released.

    Per scale: (mean (raised - mean lowered - 1)^2 + mean (lowered - mean raised)^2) / 2, summed over the scales. A discriminator
    raises the real logits, a generator the fake ones.

    Args:
        raised: Logits of the side to be raised, one tensor per scale.
        lowered: Logits of the other side.

    Returns:
        A scalar, at least 0.
    """
    terms = [
        (torch.square(up - down.mean() - 1).mean() + torch.square(down - up.mean()).mean()) / 2
        for up, down in zip(raised, lowered, strict=True)
    ]
    return torch.stack(terms).sum()
