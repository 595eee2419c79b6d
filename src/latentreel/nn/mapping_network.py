"""The mapping network: normal noise z to the disentangled latents w (Karras et al. 2019, StyleGAN, Sec. 2).

With a condition (a label as one of many, differences of time), its embedding stands beside z (StyleGAN2-ADA, App. D.1); a
discriminator maps the condition alone.
"""

import itertools

import torch
from torch import Tensor, nn

from latentreel.nn.equalized_layers import EqualizedLinear

LR_MULTIPLIER = 0.01  # StyleGAN, App. C


def normalize(z: Tensor) -> Tensor:
    """Scales each row to unit second moment. [N, D] to [N, D]."""
    return z * torch.rsqrt(z.square().mean(dim=1, keepdim=True) + 1e-8)


class MappingNetwork(nn.Module):
    """Normalisation, then equal layers of equalised linear and leaky ReLU, in float32."""

    def __init__(self, *, z_dim: int, w_dim: int, num_layers: int, condition_dim: int = 0) -> None:
        super().__init__()
        self.embed = EqualizedLinear(condition_dim, w_dim) if condition_dim else None
        widths = [z_dim + (w_dim if condition_dim else 0)] + [w_dim] * num_layers
        self.layers = nn.ModuleList(
            EqualizedLinear(i, o, lr_multiplier=LR_MULTIPLIER, activate=True) for i, o in itertools.pairwise(widths)
        )

    def forward(self, z: Tensor | None, condition: Tensor | None = None) -> Tensor:
        """Noise [N, z_dim], or None where the condition is all there is, and conditions [N, condition_dim] to [N, w_dim]."""
        parts = [] if z is None else [normalize(z.float())]
        if self.embed is not None:
            assert condition is not None
            parts.append(normalize(self.embed(condition.float())))
        w = torch.cat(parts, dim=1)
        for layer in self.layers:
            w = layer(w)
        return w
