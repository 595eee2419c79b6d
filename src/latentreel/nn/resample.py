"""Changing the size of feature maps and images without aliasing, with the filter [1, 3, 3, 1] of StyleGAN2.

Every filter is a depthwise convolution: on a CPU that is some ten times faster than folding channels into the batch.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

_TAPS = (1.0, 3.0, 3.0, 1.0)


def blur(x: Tensor, *, padding: int, stride: int = 1, gain: float = 1.0) -> Tensor:
    """Convolves every channel with the 4x4 filter, whose sum is `gain`.

    Args:
        x: [N, C, H, W].
        padding: Zeros on each side.
        stride: 2 keeps every other pixel.
        gain: What a constant is multiplied by.

    Returns:
        [N, C, (H + 2 padding - 4) // stride + 1, ...].
    """
    return F.conv2d(x, _filter(x, gain), padding=padding, stride=stride, groups=x.shape[1])


def upsample(x: Tensor) -> Tensor:
    """Doubles the size: zeros between pixels, then the filter with gain 4. [N, C, H, W] to [N, C, 2H, 2W]."""
    return F.conv_transpose2d(x, _filter(x, 4.0), stride=2, padding=1, groups=x.shape[1])


def downsample(x: Tensor) -> Tensor:
    """Halves the size: the filter, then every other pixel. [N, C, H, W] to [N, C, H/2, W/2]."""
    return blur(x, padding=1, stride=2)


def upsample_reference(x: Tensor) -> Tensor:
    """What `upsample` computes, spelt out: insert zeros, pad, correlate channel by channel."""
    n, c, h, w = x.shape
    stuffed = x.new_zeros(n, c, h, 2, w, 2)
    stuffed[:, :, :, 0, :, 0] = x
    padded = F.pad(stuffed.reshape(n, c, 2 * h, 2 * w), (2, 1, 2, 1))
    return blur_reference(padded, padding=0, gain=4.0)


def blur_reference(x: Tensor, *, padding: int, stride: int = 1, gain: float = 1.0) -> Tensor:
    """What `blur` computes, spelt out as a one-channel convolution over N * C maps."""
    n, c, h, w = x.shape
    kernel = _filter(x[:, :1], gain)
    y = F.conv2d(x.reshape(n * c, 1, h, w), kernel, padding=padding, stride=stride)
    return y.reshape(n, c, *y.shape[2:])


def _filter(x: Tensor, gain: float) -> Tensor:
    taps = torch.tensor(_TAPS, dtype=torch.float32, device=x.device)
    kernel = torch.outer(taps, taps) * (gain / taps.sum().square())
    return kernel.to(x.dtype).expand(x.shape[1], 1, 4, 4)
