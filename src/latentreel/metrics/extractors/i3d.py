"""I3D, the feature network of the Fréchet video distance: an Inception-v1 whose kernels are inflated over time.

Carreira & Zisserman 2017, "Quo Vadis, Action Recognition?", Fig. 3; widths from Szegedy et al. 2015, Tab. 1. Trained on Kinetics.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from latentreel.core.digests import weights_digest
from latentreel.core.errors import InputError
from latentreel.core.precision import compute_dtype
from latentreel.core.shapes import check_shape
from latentreel.metrics.extractors.extractor import LooksAt, Seen, check_clips, resized

SIZE = 224
"""Height and width that the network looks at, in pixels."""

NUM_CLASSES = 400  # of Kinetics
MIN_FRAMES = 9
"""Time is halved three times, rounding up, and the last average is over two steps."""

EPSILON = 1e-3  # of the normalisation


class Widths(NamedTuple):
    """Channels of the layers of a mixed block: Szegedy et al. 2015, Tab. 1, one row."""

    single: int
    before_wide: int
    wide: int
    before_narrow: int
    narrow: int
    pooled: int

    @property
    def total(self) -> int:
        """Channels that come out."""
        return self.single + self.wide + self.narrow + self.pooled


MIXED = {
    "3b": Widths(64, 96, 128, 16, 32, 32),
    "3c": Widths(128, 128, 192, 32, 96, 64),
    "4b": Widths(192, 96, 208, 16, 48, 64),
    "4c": Widths(160, 112, 224, 24, 64, 64),
    "4d": Widths(128, 128, 256, 24, 64, 64),
    "4e": Widths(112, 144, 288, 32, 64, 64),
    "4f": Widths(256, 160, 320, 32, 128, 128),
    "5b": Widths(256, 160, 320, 32, 128, 128),
    "5c": Widths(384, 192, 384, 48, 128, 128),
}


class I3D(nn.Module):
    """Three convolutions, nine mixed blocks, an average, a classifier. It is not trained here: it normalises by fixed statistics.

    Channels stay last in memory, without which max pooling took sixteen times as long on a CPU, and the first convolution a quarter
    more.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv_1a = ConvolutionUnit(3, 64, kernel=7, stride=2)
        self.conv_2b = ConvolutionUnit(64, 64, kernel=1)
        self.conv_2c = ConvolutionUnit(64, 192, kernel=3)
        channels = 192
        for name, widths in MIXED.items():
            self.add_module(f"mixed_{name}", MixedBlock(channels, widths))
            channels = widths.total
        self.logits = nn.Conv3d(channels, NUM_CLASSES, 1)

    def forward(self, clips: Tensor) -> Tensor:
        """Logits for every step of time.

        Args:
            clips: [N, 3, T, 224, 224] in [-1, 1], T at least 9.

        Returns:
            float32 [N, 400, T'], where T' is an eighth of T, rounded up, less one.

        Raises:
            InputError: The shape is another, or the clips are too short.
        """
        check_shape(clips, "N 3 T H W", name="clips", H=SIZE, W=SIZE)
        if clips.shape[2] < MIN_FRAMES:
            raise InputError("I3D needs longer clips", given=f"{clips.shape[2]} frames", allowed=f"{MIN_FRAMES} or more")
        x = clips.to(compute_dtype(clips.device), memory_format=torch.channels_last_3d)
        x = max_pool(self.conv_1a(x), (1, 3, 3), (1, 2, 2))  # [N, 64, T/2, 56, 56]
        x = max_pool(self.conv_2c(self.conv_2b(x)), (1, 3, 3), (1, 2, 2))  # [N, 192, T/2, 28, 28]
        x = max_pool(self._mixed("3", x), (3, 3, 3), (2, 2, 2))  # [N, 480, T/4, 14, 14]
        x = max_pool(self._mixed("4", x), (2, 2, 2), (2, 2, 2))  # [N, 832, T/8, 7, 7]
        x = self._mixed("5", x).float()
        x = F.avg_pool3d(x, (2, 7, 7), stride=1)  # [N, 1024, T', 1, 1]
        logits: Tensor = self.logits(x)
        return logits[..., 0, 0]

    def _mixed(self, level: str, x: Tensor) -> Tensor:
        for name in MIXED:
            if name.startswith(level):
                x = self.get_submodule(f"mixed_{name}")(x)
        return x


class MixedBlock(nn.Module):
    """Four ways side by side over the same input, their channels joined: [N, C, T, H, W] to [N, C', T, H, W]."""

    def __init__(self, channels: int, widths: Widths) -> None:
        super().__init__()
        self.single = ConvolutionUnit(channels, widths.single, kernel=1)
        self.before_wide = ConvolutionUnit(channels, widths.before_wide, kernel=1)
        self.wide = ConvolutionUnit(widths.before_wide, widths.wide, kernel=3)
        self.before_narrow = ConvolutionUnit(channels, widths.before_narrow, kernel=1)
        self.narrow = ConvolutionUnit(widths.before_narrow, widths.narrow, kernel=3)
        self.pooled = ConvolutionUnit(channels, widths.pooled, kernel=1)

    def forward(self, x: Tensor) -> Tensor:
        """Joins what one, two and two convolutions see, and one after max pooling."""
        ways = [self.single(x), self.wide(self.before_wide(x)), self.narrow(self.before_narrow(x))]
        return torch.cat([*ways, self.pooled(max_pool(x, (3, 3, 3), (1, 1, 1)))], dim=1)


class ConvolutionUnit(nn.Module):
    """Convolution, normalisation by fixed statistics, ReLU. The normalisation is folded into the kernel and costs no pass."""

    def __init__(self, in_channels: int, out_channels: int, *, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, kernel, kernel, kernel))
        nn.init.kaiming_normal_(self.weight)
        self.gain = nn.Parameter(torch.ones(out_channels))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.register_buffer("mean", torch.zeros(out_channels))
        self.register_buffer("variance", torch.ones(out_channels))
        self.mean: Tensor
        self.variance: Tensor
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, T, H, W] to [N, C', T / stride, H / stride, W / stride], rounded up."""
        scale = self.gain * torch.rsqrt(self.variance + EPSILON)
        weight = self.weight * scale[:, None, None, None, None]
        bias = (self.bias - self.mean * scale).to(x.dtype)
        if (
            self.kernel == 1
        ):  # as a linear layer: on a CPU PyTorch's float32 convolution of this size puts the channels first again
            return F.relu_(F.linear(x.movedim(1, -1), weight.flatten(1).to(x.dtype), bias)).movedim(-1, 1)
        weight = weight.to(x.dtype, memory_format=torch.channels_last_3d)
        paddings = [same_padding(size, self.kernel, self.stride) for size in x.shape[2:]]
        if self.stride > 1:  # the two ends may differ
            x = F.pad(x, [end for padding in reversed(paddings) for end in (padding // 2, padding - padding // 2)])
            paddings = [0, 0, 0]
        halves = [padding // 2 for padding in paddings]
        x = F.relu_(F.conv3d(x, weight, bias, stride=self.stride, padding=halves))
        return x.contiguous(memory_format=torch.channels_last_3d)  # which it is but for small ones of one clip and one thread


def max_pool(x: Tensor, kernel: tuple[int, int, int], stride: tuple[int, int, int]) -> Tensor:
    """Largest values of windows: [N, C, T, H, W] to sizes divided by the stride, rounded up."""
    before = [same_padding(*axis) // 2 for axis in zip(x.shape[2:], kernel, stride, strict=True)]
    return F.max_pool3d(x, kernel, stride, before, ceil_mode=True)  # which pads the end as far as the last window needs


def same_padding(size: int, kernel: int, stride: int) -> int:
    """TensorFlow's "SAME" along one axis: padding at both ends together, for an output of `size / stride`, rounded up.

    Half of it, rounded down, goes to the beginning.
    """
    return max((-(-size // stride) - 1) * stride + kernel - size, 0)


class I3DExtractor:
    """I3D as the Fréchet video distance uses it: features are the logits of the 400 classes, averaged over time."""

    name = "i3d"
    looks_at: LooksAt = "clips"
    width = NUM_CLASSES

    def __init__(self, network: I3D) -> None:
        self.network = network
        self.digest = weights_digest(network.state_dict())

    @property
    def dtype(self) -> torch.dtype:
        """The number format it computes in, which follows the precision chosen."""
        return compute_dtype(self.network.logits.weight.device)

    @torch.no_grad()
    def __call__(self, clips: Tensor) -> Seen:
        """Looks at clips, which are brought to 224 x 224 pixels: bilinear, not antialiased.

        Args:
            clips: uint8 [N, T, H, W, 3], T at least 9.

        Returns:
            Features [N, 400]; no logits apart from them: an inception score of videos is C3D's.

        Raises:
            InputError: The clips have another shape or number format, or too few frames.
        """
        check_clips(clips)
        clips = clips.to(self.network.logits.weight.device)
        pixels = resized(clips.flatten(0, 1), (SIZE, SIZE)).div_(127.5).sub_(1)
        logits = self.network(pixels.unflatten(0, clips.shape[:2]).transpose(1, 2)).mean(dim=2)
        return Seen(features=logits, logits=None)
