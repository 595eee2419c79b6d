"""Self-attention over the positions of a feature map.

Zhang et al. 2019, "Self-Attention Generative Adversarial Networks" (SAGAN), Sec. 3, with pooled keys as in BigGAN.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from latentreel.nn.spectral_norm import SpectralConv2d

MIN_CHANNELS = 8  # queries and keys have an eighth of the channels


class SelfAttention(nn.Module):
    """y = gamma o(softmax(theta(x) phi(x)^T) g(x)) + x; keys and values are max-pooled by 2 (SAGAN, Eq. 1-3)."""

    def __init__(self, channels: int, *, spectral: bool = True) -> None:
        super().__init__()
        narrow, half = channels // 8, channels // 2
        self.theta = SpectralConv2d(channels, narrow, 1, bias=False, spectral=spectral)
        self.phi = SpectralConv2d(channels, narrow, 1, bias=False, spectral=spectral)
        self.g = SpectralConv2d(channels, half, 1, bias=False, spectral=spectral)
        self.o = SpectralConv2d(half, channels, 1, bias=False, spectral=spectral)
        self.gamma = nn.Parameter(torch.zeros([]))

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] to the same shape, in the precision of x; H and W are even."""
        queries = _rows(self.theta(x))  # [N, 1, HW, C/8]
        keys = _rows(F.max_pool2d(self.phi(x), 2))  # [N, 1, HW/4, C/8]
        values = _rows(F.max_pool2d(self.g(x), 2))  # [N, 1, HW/4, C/2]
        y = F.scaled_dot_product_attention(queries, keys, values, scale=1.0)  # SAGAN does not scale
        y = self.o(y.squeeze(1).transpose(1, 2).unflatten(2, x.shape[2:]))
        return torch.addcmul(x, y, self.gamma.to(x.dtype))


def _rows(x: Tensor) -> Tensor:
    return x.flatten(2).transpose(1, 2)[:, None]  # one head
