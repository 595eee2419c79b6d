"""Changing the size of feature maps and images without aliasing, with the filter [1, 3, 3, 1] of StyleGAN2.

Three identities make training fast on a CPU (`latentreel bench resampling_speed` measures the last two):
a filter on every channel is one depthwise convolution, not N * C small ones; inserting zeros and filtering with [1, 3, 3, 1] is
repeating every pixel and filtering with [1, 2, 1], since [1, 3, 3, 1] = [1, 1] * [1, 2, 1]; and, read backwards, filtering with
[1, 3, 3, 1] and keeping every other pixel is filtering with [1, 2, 1] and averaging 2 x 2 pixels. Strided depthwise convolutions,
whose gradients are slow, are never needed; halving without a gradient would be faster with one.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

_WIDE = (1.0, 3.0, 3.0, 1.0)
_NARROW = (1.0, 2.0, 1.0)


def blur(x: Tensor, *, padding: int, gain: float = 1.0) -> Tensor:
    """Convolves every channel with the 4x4 filter, whose sum is `gain`.

    Args:
        x: [N, C, H, W].
        padding: Zeros on each side.
        gain: What a constant is multiplied by.

    Returns:
        [N, C, H + 2 padding - 3, W + 2 padding - 3].
    """
    return F.conv2d(x, _filter(_WIDE, x, gain), padding=padding, groups=x.shape[1])


def upsample(x: Tensor) -> Tensor:
    """Doubles the size: zeros between pixels, then the filter with gain 4. [N, C, H, W] to [N, C, 2H, 2W]."""
    return F.conv2d(F.interpolate(x, scale_factor=2), _filter(_NARROW, x, 1.0), padding=1, groups=x.shape[1])


def downsample(x: Tensor) -> Tensor:
    """Halves the size: the filter, then every other pixel. [N, C, H, W] to [N, C, H/2, W/2]."""
    return F.avg_pool2d(F.conv2d(x, _filter(_NARROW, x, 1.0), padding=1, groups=x.shape[1]), 2)


def blur_reference(x: Tensor, *, padding: int, stride: int = 1, gain: float = 1.0) -> Tensor:
    """The 4x4 filter spelt out, as a one-channel convolution over N * C maps; `stride` 2 keeps every other pixel."""
    n, c, h, w = x.shape
    y = F.conv2d(x.reshape(n * c, 1, h, w), _filter(_WIDE, x[:, :1], gain), padding=padding, stride=stride)
    return y.reshape(n, c, *y.shape[2:])


def upsample_reference(x: Tensor) -> Tensor:
    """What `upsample` computes, spelt out: insert zeros, pad, filter."""
    n, c, h, w = x.shape
    stuffed = x.new_zeros(n, c, h, 2, w, 2)
    stuffed[:, :, :, 0, :, 0] = x
    padded = F.pad(stuffed.reshape(n, c, 2 * h, 2 * w), (2, 1, 2, 1))
    return blur_reference(padded, padding=0, gain=4.0)


def downsample_reference(x: Tensor) -> Tensor:
    """What `downsample` computes, spelt out: filter, keep every other pixel."""
    return blur_reference(x, padding=1, stride=2)


def _filter(taps: tuple[float, ...], x: Tensor, gain: float) -> Tensor:
    """The square filter of the given taps, one per channel of x, [C, 1, k, k]."""
    line = torch.tensor(taps, dtype=torch.float32, device=x.device)
    kernel = torch.outer(line, line) * (gain / line.sum().square())
    return kernel.to(x.dtype).expand(x.shape[1], 1, len(taps), len(taps))
