"""Linear and convolution layers with equalised learning rate, and the activation that goes with them.

Weights are kept at unit variance and scaled on use by 1/sqrt(fan_in), so that Adam moves every layer at the same relative speed
(Karras et al. 2018, "Progressive Growing of GANs", Sec. 4.1).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from latentreel.nn.resample import blur, downsample

SLOPE = 0.2
GAIN = math.sqrt(2)  # keeps the variance of a normal input through the leaky ReLU, as StyleGAN2 rounds it


def leaky_relu(x: Tensor) -> Tensor:
    """sqrt(2) times the leaky ReLU with slope 0.2; any shape."""
    return F.leaky_relu(x, SLOPE).mul(GAIN)


class EqualizedLinear(nn.Module):
    """y = x W^T / sqrt(in) * lr_multiplier + b * lr_multiplier, then the activation if asked for."""

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        bias: bool = True,
        bias_init: float = 0.0,
        lr_multiplier: float = 1.0,
        activate: bool = False,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features) / lr_multiplier)
        self.bias = nn.Parameter(torch.full([out_features], bias_init / lr_multiplier)) if bias else None
        self.weight_gain = lr_multiplier / math.sqrt(in_features)
        self.bias_gain = lr_multiplier
        self.activate = activate

    def forward(self, x: Tensor) -> Tensor:
        """[..., in] to [..., out], in the precision of x."""
        weight = (self.weight * self.weight_gain).to(x.dtype)
        bias = None if self.bias is None else (self.bias * self.bias_gain).to(x.dtype)
        y = F.linear(x, weight, bias)
        return leaky_relu(y) if self.activate else y


class EqualizedConv2d(nn.Module):
    """A square convolution that keeps the size, or halves it behind a low-pass filter; then activation and clamp if asked for."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        *,
        bias: bool = True,
        down: bool = False,
        activate: bool = True,
        clamp: float | None = None,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        self.weight_gain = 1 / math.sqrt(in_channels * kernel**2)
        self.kernel = kernel
        self.down = down
        self.activate = activate
        self.clamp = clamp

    def forward(self, x: Tensor) -> Tensor:
        """[N, in, H, W] to [N, out, H, W], or to half the size, in the precision of x."""
        # The gains are folded into weight and bias, since sqrt(2) lrelu(y) = lrelu(sqrt(2) y): one pass over the pixels fewer.
        gain = GAIN if self.activate else 1.0
        weight = (self.weight * (self.weight_gain * gain)).to(x.dtype)
        bias = None if self.bias is None else (self.bias * gain).to(x.dtype)
        if self.down and self.kernel == 1:  # filter and decimate at once: only the kept pixels are computed
            y = F.conv2d(downsample(x), weight, bias)
        elif self.down:
            y = F.conv2d(blur(x, padding=2), weight, bias, stride=2)
        else:
            y = F.conv2d(x, weight, bias, padding=self.kernel // 2)
        y = F.leaky_relu(y, SLOPE) if self.activate else y
        return y if self.clamp is None else y.clamp(-self.clamp, self.clamp)


class EqualizedConv1d(nn.Module):
    """A convolution along time without padding, then the leaky ReLU as it is, without the gain of sqrt(2)."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, *, lr_multiplier: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kernel) / lr_multiplier)
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.weight_gain = lr_multiplier / math.sqrt(in_channels * kernel)
        self.bias_gain = lr_multiplier

    def forward(self, x: Tensor) -> Tensor:
        """[N, in, T] to [N, out, T - kernel + 1], in the precision of x."""
        y = F.conv1d(x, (self.weight * self.weight_gain).to(x.dtype), (self.bias * self.bias_gain).to(x.dtype))
        return F.leaky_relu(y, SLOPE)
