"""StyleGAN2's generator: a learned 4x4 constant, grown block by block under the control of latents.

Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN", Sec. 2-4.
"""

import functools
import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from latentreel.core.errors import InputError
from latentreel.core.image_generator import UNSTATED, NoiseMode
from latentreel.core.labels import check_labels, one_hot
from latentreel.core.precision import compute_dtype
from latentreel.core.shapes import check_shape
from latentreel.image_generators.stylegan2.config import StyleGAN2Config
from latentreel.nn.equalized_layers import GAIN, SLOPE, EqualizedLinear
from latentreel.nn.mapping_network import MappingNetwork
from latentreel.nn.modulated_convolution import modulated_conv2d
from latentreel.nn.recomputation import run_block
from latentreel.nn.resample import upsample

Noise = NoiseMode | Sequence[Tensor]


class StyledLayer(nn.Module):
    """Modulated 3x3 convolution, per-pixel noise, bias, leaky ReLU (Fig. 2c)."""

    noise_map: Tensor

    def __init__(
        self, in_channels: int, out_channels: int, *, w_dim: int, size: int, up: bool, clamp: float | None, noise: bool = True
    ) -> None:
        super().__init__()
        self.affine = EqualizedLinear(w_dim, in_channels, bias_init=1.0)
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, 3, 3))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        if noise:
            self.noise_strength = nn.Parameter(torch.zeros([]))
            self.register_buffer("noise_map", torch.randn(size, size))
        self.up = up
        self.clamp = clamp

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None, *, gain: float = 1.0) -> Tensor:
        """Features [N, I, H, W], latents [N, D] and a noise map [1 or N, 1, H', W'] to features [N, O, H', W']."""
        # The gain of the activation is folded into its argument: sqrt(2) lrelu(y) = lrelu(sqrt(2) y).
        addend = self.bias[:, None, None]
        if noise is not None:
            addend = addend + noise * self.noise_strength
        full = gain * GAIN
        y = modulated_conv2d(x, self.weight, self.affine(w), up=self.up, addend=(addend * full).to(x.dtype), gain=full)
        y = F.leaky_relu(y, SLOPE)
        return y if self.clamp is None else y.clamp(-self.clamp * gain, self.clamp * gain)


class ToRGB(nn.Module):
    """Modulated 1x1 convolution to colours, not demodulated; float32 out."""

    def __init__(self, in_channels: int, *, w_dim: int, clamp: float | None) -> None:
        super().__init__()
        self.affine = EqualizedLinear(w_dim, in_channels, bias_init=1.0)
        self.weight = nn.Parameter(torch.randn(3, in_channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(3))
        self.weight_gain = 1 / math.sqrt(in_channels)
        self.clamp = clamp

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Features [N, I, H, W] and latents [N, D] to colours [N, 3, H, W]."""
        rgb = modulated_conv2d(x, self.weight, self.affine(w) * self.weight_gain, demodulate=False)
        rgb = rgb.float() + self.bias[:, None, None]
        return rgb if self.clamp is None else rgb.clamp(-self.clamp, self.clamp)


class SynthesisBlock(nn.Module):
    """One resolution: an upsampling layer (but at 4 px), a plain layer, and its way to colours."""

    def __init__(self, config: StyleGAN2Config, level: int, *, joined: int = 0, noise: bool = True) -> None:
        """Builds one block.

        Args:
            config: The sizes.
            level: 0 at 4 px, 1 at 8 px, ...
            joined: Channels that stand beside the constant at 4 px.
            noise: Whether layers take per-pixel noise.
        """
        super().__init__()
        size, channels, w_dim, clamp = config.sizes[level], config.channels[level], config.w_dim, config.conv_clamp
        last = level == len(config.sizes) - 1
        self.first = level == 0
        below = channels if self.first else config.channels[level - 1]
        layer = functools.partial(StyledLayer, w_dim=w_dim, size=size, clamp=clamp, noise=noise)
        if self.first:
            self.constant = nn.Parameter(torch.randn(channels, 4, 4))
        else:
            self.up_layer = layer(below, channels, up=True)
        self.layer = layer(channels + (joined if self.first else 0), channels, up=False)
        self.residual = config.architecture == "resnet" and not self.first
        if self.residual:
            self.shortcut = nn.Parameter(torch.randn(channels, below, 1, 1))
        self.to_rgb = ToRGB(channels, w_dim=w_dim, clamp=clamp) if last or config.architecture == "skip" else None

    def forward(self, x: Tensor, rgb: Tensor | None, w: Tensor, noise: list[Tensor | None]) -> tuple[Tensor, Tensor | None]:
        """Features and colours of the block below to those of this one; w [N, layers of this block, D]."""
        gain = math.sqrt(0.5) if self.residual else 1.0
        shortcut = self._shortcut(x) * gain if self.residual else None
        if not self.first:
            x = self.up_layer(x, w[:, 0], noise[0])
        x = self.layer(x, w[:, -2], noise[-1], gain=gain)
        if shortcut is not None:
            x = x + shortcut
        if self.to_rgb is None:
            return x, rgb
        colours = self.to_rgb(x, w[:, -1])
        return x, colours if rgb is None else upsample(rgb) + colours

    def _shortcut(self, x: Tensor) -> Tensor:
        # 1x1 before the filter: both are linear, and this order works on a quarter of the pixels.
        weight = self.shortcut * (1 / math.sqrt(self.shortcut.shape[1]))
        return upsample(F.conv2d(x, weight.to(x.dtype)))


class Backbone(nn.Module):
    """What draws images and frames of videos alike: the mapping network, the synthesis blocks, and the mean latent."""

    mean_latent: Tensor

    def __init__(self, config: StyleGAN2Config, *, joined: int = 0, noise: bool = True) -> None:
        """Builds the parts with random weights.

        Args:
            config: The sizes.
            joined: Channels that stand beside the constant.
            noise: Whether layers take per-pixel noise.
        """
        super().__init__()
        self.resolution = config.resolution
        self.z_dim = config.z_dim
        self.w_dim = config.w_dim
        self.num_layers = config.num_layers
        self.num_classes = config.num_classes
        self.mapping = MappingNetwork(
            z_dim=config.z_dim, w_dim=config.w_dim, num_layers=config.mapping_layers, condition_dim=config.num_classes
        )
        self.blocks = nn.ModuleList(
            SynthesisBlock(config, level, joined=joined, noise=noise) for level in range(len(config.sizes))
        )
        self.register_buffer("mean_latent", torch.zeros(config.w_dim))
        self.provenance = {"origin": "random weights", "licence": UNSTATED}
        """Where the weights come from and under which terms they stand; goes with them into every bundle."""
        self.recompute = False
        """Whether blocks are run again in backward, which takes less memory and more time; the gradients are the same."""

    def map(self, z: Tensor, labels: Tensor | None = None, truncation: float = 1.0) -> Tensor:
        """Noise [N, z_dim] to latents [N, D].

        Args:
            z: Normal noise.
            labels: Class numbers [N]; None if the network has no classes.
            truncation: 1 leaves the latents, 0 gives their mean (StyleGAN, App. B).

        Raises:
            InputError: z has another width, or the labels do not fit.
        """
        check_shape(z, "N Z", name="z", Z=self.z_dim)
        check_labels(labels, num_images=len(z), num_classes=self.num_classes)
        w: Tensor = self.mapping(z, one_hot(labels, self.num_classes))
        return self.truncate(w, truncation)

    def truncate(self, w: Tensor, truncation: float) -> Tensor:
        """Latents [..., D] moved toward their mean."""
        return w if truncation == 1.0 else torch.lerp(self.mean_latent, w, truncation)

    @torch.no_grad()
    def estimate_mean_latent(self, *, seed: int = 0, num_samples: int = 100_000) -> None:
        """Stores the mean of w over random z and classes, the centre of truncation."""
        draws, device = torch.Generator().manual_seed(seed), self.mean_latent.device
        z = torch.randn(num_samples, self.z_dim, generator=draws).to(device)
        labels = torch.randint(max(self.num_classes, 1), [num_samples], generator=draws).to(device)
        parts = zip(z.split(10_000), labels.split(10_000), strict=True)
        conditions = ((some_z, one_hot(some, self.num_classes) if self.num_classes else None) for some_z, some in parts)
        sums = [self.mapping(*each).double().sum(dim=0) for each in conditions]
        self.mean_latent.copy_(torch.stack(sums).sum(dim=0) / num_samples)

    def styled_layers(self) -> list[StyledLayer]:
        """The layers of the blocks, from 4 px up."""
        return [layer for layer in self.modules() if isinstance(layer, StyledLayer)]

    def per_layer(self, w: Tensor) -> Tensor:
        """Latents [N, D], or [N, L, D] with one per layer, to [N, L, D].

        Raises:
            InputError: The shape is another.
        """
        check_shape(w, "N D" if w.ndim == 2 else "N L D", name="w", L=self.num_layers, D=self.w_dim)
        return w[:, None].expand(-1, self.num_layers, -1) if w.ndim == 2 else w

    def draw(self, w: Tensor, *, joined: Tensor | None = None, maps: list[Tensor | None] | None = None) -> Tensor:
        """From the constant to the picture, in the precision of `set_precision`.

        Args:
            w: [N, L, D].
            joined: What stands beside the constant [N, J, 4, 4].
            maps: A noise map per styled layer, or None where there is none.

        Returns:
            float32 [N, 3, H, W].
        """
        maps = maps or [None] * len(self.styled_layers())
        first = self.blocks[0]
        assert isinstance(first, SynthesisBlock)
        dtype = compute_dtype(w.device)
        x = first.constant.to(dtype).expand(len(w), -1, -1, -1)
        x = x if joined is None else torch.cat([x, joined.to(dtype)], dim=1)
        x = x.contiguous(memory_format=torch.channels_last)
        rgb: Tensor | None = None
        for level, block in enumerate(self.blocks):
            layers = slice(
                max(2 * level - 1, 0), 2 * level + 2
            )  # a block's to-RGB shares its latent with the next block's first layer
            noises = maps[max(2 * level - 1, 0) : 2 * level + 1]
            x, rgb = run_block(block, x, rgb, w[:, layers], noises, recompute=self.recompute)
        assert rgb is not None
        return rgb


class StyleGAN2Generator(Backbone):
    """z -> mapping network -> w -> synthesis -> image. An `ImageGenerator`.

    N images, D = w_dim, L = config.num_layers, H = W = resolution.
    """

    def __init__(self, config: StyleGAN2Config) -> None:
        super().__init__(config)
        self.config = config

    def synthesize(self, w: Tensor, labels: Tensor | None = None, noise: Noise = "none") -> Tensor:
        """Latents to images, in the precision of `set_precision`.

        Args:
            w: [N, D], or [N, L, D] with one latent per layer.
            labels: Not needed: the class is in the latents already. Checked if given.
            noise: "none", "fixed" (the stored maps), "random" (fresh, from the global generator), or L - 1 maps that broadcast
                to [N, 1, H_l, W_l].

        Returns:
            float32 [N, 3, H, W], about [-1, 1].

        Raises:
            InputError: A shape does not fit, or labels are given that cannot be.
        """
        if labels is not None:
            check_labels(labels, num_images=len(w), num_classes=self.num_classes)
        w = self.per_layer(w)
        return self.draw(w, maps=self._noise_maps(noise, len(w), w.device))

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Noise [N, z_dim] and class numbers [N] to images [N, 3, H, W] without per-layer noise."""
        return self.synthesize(self.map(z, labels))

    def _noise_maps(self, noise: Noise, num_images: int, device: torch.device) -> list[Tensor | None]:
        layers = self.styled_layers()
        if not isinstance(noise, str):
            if len(noise) != len(layers):
                raise InputError("wrong number of noise maps", given=len(noise), allowed=len(layers))
            for given, layer in zip(noise, layers, strict=True):
                size = layer.noise_map.shape[-1]
                check_shape(given, "N 1 H W", name="noise map", N=1 if len(given) == 1 else num_images, H=size, W=size)
            return list(noise)
        if noise == "none":
            return [None] * len(layers)
        if noise == "fixed":
            return [layer.noise_map[None, None] for layer in layers]
        if noise == "random":
            return [torch.randn(num_images, 1, *layer.noise_map.shape, device=device) for layer in layers]
        raise InputError("unknown noise", given=noise, allowed='"none", "fixed", "random" or a list of maps')
