"""The mapping network: normal noise z to the disentangled latents w (Karras et al. 2019, StyleGAN, Sec. 2)."""

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

    def __init__(self, *, z_dim: int, w_dim: int, num_layers: int) -> None:
        super().__init__()
        widths = [z_dim] + [w_dim] * num_layers
        self.layers = nn.ModuleList(
            EqualizedLinear(i, o, lr_multiplier=LR_MULTIPLIER, activate=True) for i, o in itertools.pairwise(widths)
        )

    def forward(self, z: Tensor) -> Tensor:
        """[N, z_dim] to [N, w_dim]."""
        w = normalize(z.float())
        for layer in self.layers:
            w = layer(w)
        return w
