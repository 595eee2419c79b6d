"""Convolution whose weights are scaled by a style, per sample (Karras et al. 2020, StyleGAN2, Eq. 1-3).

The paper scales the input side of the weights by the style s (Eq. 1) and the output side by d, so that outputs have unit
variance (Eq. 3): y = d * ((s * W) conv x). Both scalings commute with the sum over input channels, hence
y = d * (W conv (s * x)): one kernel shared by the whole batch instead of one per sample, the same numbers, far faster.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from latentreel.nn.resample import blur, blur_reference

EPSILON = 1e-8  # Eq. 3


def modulated_conv2d(
    x: Tensor,
    weight: Tensor,
    style: Tensor,
    *,
    demodulate: bool = True,
    up: bool = False,
    addend: Tensor | None = None,
    gain: float = 1.0,
) -> Tensor:
    """Modulates, convolves, demodulates, adds.

    Args:
        x: Features [N, I, H, W]; their dtype is that of the convolution.
        weight: Kernel [O, I, k, k], float32.
        style: Scale of each input channel [N, I], float32.
        demodulate: Scale the outputs to unit variance (Eq. 3).
        up: Double the size by a transposed convolution and the low-pass filter.
        addend: Bias and noise, anything that broadcasts to the output; not multiplied by `gain`.
        gain: What the convolution's result is multiplied by, at no cost when demodulating.

    Returns:
        [N, O, H, W] or, with `up`, [N, O, 2H, 2W].
    """
    dtype = x.dtype
    y = _convolve(x * _per_channel(style, dtype), weight.to(dtype), up=up)
    if demodulate:
        scale = demodulation(weight, style) * gain
    elif gain != 1.0:
        scale = torch.full_like(style[:1, :1], gain)
    else:
        return y if addend is None else y + addend
    scale = _per_channel(scale, dtype)
    return y * scale if addend is None else torch.addcmul(addend, y, scale)


def demodulation(weight: Tensor, style: Tensor) -> Tensor:
    """d of Eq. 3, without building a kernel per sample: weight [O, I, k, k], style [N, I] to [N, O]."""
    energy = weight.square().sum([2, 3])  # [O, I]
    return torch.rsqrt(style.square() @ energy.T + EPSILON)


def modulated_conv2d_reference(
    x: Tensor,
    weight: Tensor,
    style: Tensor,
    *,
    demodulate: bool = True,
    up: bool = False,
    addend: Tensor | None = None,
    gain: float = 1.0,
) -> Tensor:
    """What `modulated_conv2d` computes, as the paper writes it: one kernel per sample, a grouped convolution."""
    n, _, h, w = x.shape
    kernels = weight * style[:, None, :, None, None]  # [N, O, I, k, k], Eq. 1
    if demodulate:
        kernels = kernels * torch.rsqrt(kernels.square().sum([2, 3, 4], keepdim=True) + EPSILON)  # Eq. 3
    o, i, k = kernels.shape[1:4]
    flat = x.reshape(1, n * i, h, w)
    if up:
        kernels = kernels.transpose(1, 2).reshape(n * i, o, k, k)
        y = F.conv_transpose2d(flat, kernels.to(x.dtype), stride=2, groups=n)
        y = blur_reference(y, padding=1, gain=4.0)
    else:
        y = F.conv2d(flat, kernels.reshape(n * o, i, k, k).to(x.dtype), padding=k // 2, groups=n)
    y = y.reshape(n, o, *y.shape[2:]) * gain
    return y if addend is None else y + addend


def _convolve(x: Tensor, weight: Tensor, *, up: bool) -> Tensor:
    if not up:
        return F.conv2d(x, weight, padding=weight.shape[-1] // 2)
    return blur(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2), padding=1, gain=4.0)


def _per_channel(scale: Tensor, dtype: torch.dtype) -> Tensor:
    return scale.to(dtype)[:, :, None, None]
