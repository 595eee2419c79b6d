"""Patch discriminator networks at several scales, for images (2 axes) and for clips (3 axes).

PatchGAN (Isola et al. 2017) with the layers of MoCoGAN-HD, Tab. 6: each output logit judges one patch.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from latentreel.core.precision import compute_dtype

KERNEL, PADDING, SLOPE = 4, 2, 0.2  # Tab. 6
STRIDES = (2, 2, 2, 1, 1)
WEIGHT_DEVIATION = 0.02


class PatchNetwork(nn.Module):
    """Five convolutions; instance norm without affine on the inner three; leaky ReLU but on the last."""

    def __init__(self, *, axes: Literal[2, 3], in_channels: int, base_width: int) -> None:
        super().__init__()
        widths = [in_channels] + [base_width * factor for factor in (1, 2, 4, 8)] + [1]
        convolution = nn.Conv2d if axes == 2 else nn.Conv3d
        self.layers = nn.ModuleList(
            convolution(i, o, KERNEL, stride) for i, o, stride in zip(widths[:-1], widths[1:], STRIDES, strict=True)
        )
        for layer in self._convolutions():
            nn.init.normal_(layer.weight, std=WEIGHT_DEVIATION)
        self.axes = axes

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] or [N, C, T, H, W] to float32 patch logits [N, 1, ...]."""
        x = x.to(compute_dtype(x.device))
        for index, layer in enumerate(self._convolutions()):
            # Padding is written out: PyTorch 2.13's bfloat16 Conv3d gives wrong weight gradients on a CPU where the kernel is
            # deeper than the unpadded clip.
            x = F.pad(x, [PADDING] * 2 * self.axes)
            assert layer.bias is not None
            convolve = F.conv2d if self.axes == 2 else F.conv3d
            x = convolve(x, layer.weight.to(x.dtype), layer.bias.to(x.dtype), stride=STRIDES[index])
            if 0 < index < len(self.layers) - 1:
                x = F.instance_norm(x)
            if index < len(self.layers) - 1:
                x = F.leaky_relu(x, SLOPE)
        return x.float()

    def _convolutions(self) -> list[nn.Conv2d | nn.Conv3d]:
        return [layer for layer in self.layers if isinstance(layer, nn.Conv2d | nn.Conv3d)]


class MultiScalePatchDiscriminator(nn.Module):
    """One patch network for the input as it is, one for the input at half the size."""

    hidden_frames = 0
    """Frames of a clip that its depth does not count, since they are stacked on the channels."""

    def __init__(self, *, axes: Literal[2, 3], in_channels: int, base_width: int) -> None:
        super().__init__()
        self.axes = axes
        self.base_width = base_width
        self.scales = nn.ModuleList(PatchNetwork(axes=axes, in_channels=in_channels, base_width=base_width) for _ in range(2))

    def forward(self, x: Tensor) -> list[Tensor]:
        """[N, C, (T,) H, W] to patch logits, one tensor per scale, full size first."""
        return [self.scales[0](x), self.scales[1](self.shrink(x))]

    def shrink(self, x: Tensor) -> Tensor:
        """Average pooling over 3 pixels each way, every other pixel kept, padding not counted; in time beyond 16 frames."""
        if self.axes == 2:
            return F.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)
        stride = (2 if x.shape[2] + self.hidden_frames > 16 else 1, 2, 2)
        return F.avg_pool3d(x, 3, stride=stride, padding=1, count_include_pad=False)


def shrink_to(images: Tensor, size: int) -> Tensor:
    """Average-pools the last two axes down to `size` if they are larger; [..., H, W]."""
    factor = images.shape[-1] // size
    if factor <= 1:
        return images
    lead = images.shape[:-2]
    flat = images.reshape(-1, 1, *images.shape[-2:])
    return torch.reshape(F.avg_pool2d(flat, factor), (*lead, images.shape[-2] // factor, images.shape[-1] // factor))
