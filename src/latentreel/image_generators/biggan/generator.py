"""BigGAN's generator: a residual network whose norms are steered by the class and by chunks of the noise.

Brock et al. 2019, "Large Scale GAN Training for High Fidelity Natural Image Synthesis", Sec. 3 and App. B. For use, not for
training: the norms always take their stored statistics, and nothing stored changes.
"""

from collections.abc import Sequence
from typing import get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from latentreel.core.errors import InputError
from latentreel.core.image_generator import UNSTATED, NoiseMode
from latentreel.core.labels import check_labels
from latentreel.core.precision import compute_dtype
from latentreel.core.shapes import check_shape
from latentreel.image_generators.biggan.config import BigGANConfig
from latentreel.nn.attention import SelfAttention
from latentreel.nn.recomputation import run_block
from latentreel.nn.spectral_norm import SpectralConv2d, SpectralLinear

EPSILON = 1e-5  # of the norms' variances
START = 4  # pixels at which the blocks begin


class StoredNorm(nn.Module):
    """Batch norm with stored statistics, and the ReLU behind it: one scale and one shift per sample and channel."""

    stored_mean: Tensor
    stored_var: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("stored_mean", torch.zeros(channels))
        self.register_buffer("stored_var", torch.ones(channels))

    def normalize(self, x: Tensor, gain: Tensor, bias: Tensor) -> Tensor:
        """ReLU(gain (x - mean) / deviation + bias); x [N, C, H, W], gain and bias [1 or N, C] in float32."""
        scale = gain * torch.rsqrt(self.stored_var + EPSILON)
        shift = bias - self.stored_mean * scale
        scale, shift = (part.to(x.dtype)[:, :, None, None] for part in (scale, shift))
        return F.relu(torch.addcmul(shift, x, scale), inplace=True)


class ConditionalNorm(StoredNorm):
    """Gain and bias are linear in the block's condition, or looked up by class."""

    def __init__(self, channels: int, config: BigGANConfig) -> None:
        super().__init__(channels)
        self.gain = _steering(channels, config)
        self.bias = _steering(channels, config)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """[N, C, H, W] and a condition, [N, D] or labels [N], to [N, C, H, W], not negative."""
        return self.normalize(x, 1 + self.gain(condition), self.bias(condition))


class PlainNorm(StoredNorm):
    """Gain and bias are learned numbers."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.gain = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] to the same shape, not negative."""
        return self.normalize(x, self.gain[None], self.bias[None])


class GeneratorBlock(nn.Module):
    """Doubles the size: two convolutions behind conditional norms, beside a 1x1 shortcut (Fig. 15b)."""

    def __init__(self, in_channels: int, out_channels: int, config: BigGANConfig, *, attention: bool) -> None:
        super().__init__()
        spectral = config.spectral_norm
        self.norm1 = ConditionalNorm(in_channels, config)
        self.conv1 = SpectralConv2d(in_channels, out_channels, 3, spectral=spectral)
        self.norm2 = ConditionalNorm(out_channels, config)
        self.conv2 = SpectralConv2d(out_channels, out_channels, 3, spectral=spectral)
        self.shortcut = SpectralConv2d(in_channels, out_channels, 1, spectral=spectral)
        self.attention = SelfAttention(out_channels, spectral=spectral) if attention else None

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """[N, I, H, W] and a condition, [N, D] or labels [N], to [N, O, 2H, 2W]."""
        y: Tensor = self.conv1(_double(self.norm1(x, condition)))
        y = self.conv2(self.norm2(y, condition))
        y = y + _double(self.shortcut(x))  # 1x1 and repetition of pixels commute: a quarter of the work in this order
        return y if self.attention is None else self.attention(y)


class BigGANGenerator(nn.Module):
    """z, in chunks, and the class -> image. An `ImageGenerator` whose latents are z itself.

    N images, D = w_dim = z_dim, H = W = resolution.
    """

    def __init__(self, config: BigGANConfig) -> None:
        super().__init__()
        self.config = config
        self.resolution = config.resolution
        self.z_dim = self.w_dim = config.z_dim
        self.num_classes = 0 if config.num_classes == 1 else config.num_classes
        """How many classes a label chooses from; 0 for a network with a single class, which takes no labels."""
        first, *outputs = config.channels
        self.shared = nn.Embedding(config.num_classes, config.shared_dim) if config.shared_dim else None
        self.linear = SpectralLinear(config.chunk_dim, first * START**2, spectral=config.spectral_norm)
        self.blocks = nn.ModuleList(
            GeneratorBlock(i, o, config, attention=size in config.attention)
            for size, i, o in zip(config.sizes, config.channels, outputs, strict=False)
        )
        self.output_norm = PlainNorm(outputs[-1])
        self.to_rgb = SpectralConv2d(outputs[-1], 3, 3, spectral=config.spectral_norm)
        self.provenance = {"origin": "random weights", "licence": UNSTATED}
        """Where the weights come from and under which terms they stand; goes with them into every bundle."""
        self.recompute = False
        """Whether blocks are run again in backward, which takes less memory and more time; the gradients are the same."""

    def map(self, z: Tensor, labels: Tensor | None = None, truncation: float = 1.0) -> Tensor:
        """Noise [N, z_dim] as it is: the latents are z.

        Args:
            z: Normal noise.
            labels: Class numbers [N] or None; they play no part here, but are checked if given.
            truncation: 1 leaves the latents, 0 gives their mean, zero.

        Raises:
            InputError: z has another width, or labels do not fit.
        """
        check_shape(z, "N Z", name="z", Z=self.z_dim)
        if labels is not None:
            check_labels(labels, num_images=len(z), num_classes=self.num_classes)
        return self.truncate(z, truncation)

    def truncate(self, w: Tensor, truncation: float) -> Tensor:
        """Latents [..., D] moved toward their mean, zero."""
        return w if truncation == 1.0 else w * truncation

    def synthesize(self, w: Tensor, labels: Tensor | None = None, noise: NoiseMode | Sequence[Tensor] = "none") -> Tensor:
        """Latents to images, in the precision of `set_precision`.

        Args:
            w: [N, D].
            labels: Class numbers [N]; None where there are no classes.
            noise: "none", "fixed" or "random": all the same, for BigGAN has no per-layer noise.

        Returns:
            float32 [N, 3, H, W], within [-1, 1].

        Raises:
            InputError: A shape does not fit, labels do not fit the classes, or noise maps are given.
        """
        if w.ndim == 3:
            raise InputError("BigGAN has no style layers: one latent drives an image", given=list(w.shape), allowed="[N, D]")
        check_shape(w, "N D", name="w", D=self.w_dim)
        check_labels(labels, num_images=len(w), num_classes=self.num_classes)
        _check_noise(noise)
        first, conditions = self._conditions(w.float(), labels)
        x = self.linear(first).unflatten(1, (-1, START, START))  # [N, C, 4, 4]
        x = x.to(compute_dtype(w.device), memory_format=torch.channels_last)
        for block, condition in zip(self.blocks, conditions, strict=True):
            x = run_block(block, x, condition, recompute=self.recompute)
        rgb: Tensor = self.to_rgb(self.output_norm(x))
        return torch.tanh(rgb.float())

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Noise [N, z_dim] and class numbers [N], where there are classes, to images [N, 3, H, W]."""
        return self.synthesize(self.map(z), labels)

    def _conditions(self, w: Tensor, labels: Tensor | None) -> tuple[Tensor, list[Tensor]]:
        """What enters the first layer, and what steers each block."""
        classes = torch.zeros(len(w), dtype=torch.long) if labels is None else labels.long()
        classes = classes.to(w.device)
        shared = classes if self.shared is None else self.shared(classes)
        if not self.config.hierarchical:
            return w, [shared] * len(self.blocks)
        first, *chunks = w.split(self.config.chunk_dim, dim=1)
        return first, [torch.cat([shared, chunk], dim=1) for chunk in chunks]


def _steering(channels: int, config: BigGANConfig) -> nn.Module:
    if config.shared_dim == 0:
        return nn.Embedding(config.num_classes, channels)
    return SpectralLinear(config.condition_dim, channels, bias=False, spectral=config.spectral_norm)


def _double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


def _check_noise(noise: NoiseMode | Sequence[Tensor]) -> None:
    allowed = ", ".join(get_args(NoiseMode))
    if not isinstance(noise, str):
        raise InputError("noise maps were given to a BigGAN, which has no per-layer noise", given=len(noise), allowed=allowed)
    if noise not in get_args(NoiseMode):
        raise InputError("unknown noise", given=noise, allowed=allowed)
