"""The sizes of a StyleGAN2, generator and discriminator alike."""

from dataclasses import dataclass, field
from typing import Literal

from latentreel.core.errors import InputError

Architecture = Literal["skip", "resnet", "orig"]

MAX_SIZE = 2**20
"""Of any width or number of classes: far above all that is in use, and a damaged card must not take the machine's memory."""

MAX_MAPPING_LAYERS = 64


def default_channels(resolution: int, *, channel_base: int = 32768, channel_max: int = 512) -> tuple[int, ...]:
    """Feature maps per resolution from 4 px up: min(base / resolution, max); the defaults are "config-f" of the paper."""
    return tuple(min(channel_base // size, channel_max) for size in _sizes(resolution))


@dataclass(frozen=True, kw_only=True)
class StyleGAN2Config:
    """Sizes and variants (Karras et al. 2020, StyleGAN2, Sec. 2-4)."""

    resolution: int
    """Height and width of the images: a power of two, at least 8."""

    channels: tuple[int, ...] = field(default=())
    """Feature maps at 4, 8, ... px; empty means the full width, "config-f"."""

    z_dim: int = 512
    """Width of the noise that the mapping network takes."""

    w_dim: int = 512
    """Width of the latents."""

    mapping_layers: int = 8
    """Depth of the mapping network."""

    architecture: Architecture = "skip"
    """How the generator's blocks reach the image: summed RGB outputs, residual blocks, or the last block alone (Fig. 7)."""

    discriminator_architecture: Architecture = "resnet"
    """The same choice on the discriminator's side."""

    conv_clamp: float | None = None
    """Activations are clamped to plus or minus this value (StyleGAN2-ADA's half-precision guard); none by default."""

    num_classes: int = 0
    """How many classes there are to choose from; 0 for a network without labels."""

    deviation_group: int = 4
    """Samples among which the discriminator measures how varied a batch is."""

    deviation_features: int = 1
    """In how many shares of its last features it does so: a divisor of their number."""

    def __post_init__(self) -> None:
        if self.resolution < 8 or self.resolution & (self.resolution - 1):
            raise InputError("the resolution does not fit StyleGAN2", given=self.resolution, allowed="a power of two from 8 up")
        if not self.channels:
            object.__setattr__(self, "channels", default_channels(self.resolution))
        if len(self.channels) != len(_sizes(self.resolution)) or min(self.channels) < 1:
            raise InputError(
                "channels do not fit the resolution",
                given=list(self.channels),
                allowed=f"{len(_sizes(self.resolution))} positive numbers, for {_sizes(self.resolution)} px",
            )
        least = {"z_dim": 1, "w_dim": 1, "mapping_layers": 1, "num_classes": 0, "deviation_group": 1, "deviation_features": 1}
        for name, smallest in least.items():
            largest = MAX_MAPPING_LAYERS if name == "mapping_layers" else MAX_SIZE
            if not smallest <= getattr(self, name) <= largest:
                raise InputError(f"{name} is out of range", given=getattr(self, name), allowed=f"{smallest} to {largest}")
        if self.conv_clamp is not None and not self.conv_clamp > 0:
            raise InputError("conv_clamp is out of range", given=self.conv_clamp, allowed="above 0, or none")
        if self.channels[0] % self.deviation_features:
            raise InputError(
                "deviation_features do not divide the features at 4 px",
                given=self.deviation_features,
                allowed=f"a divisor of {self.channels[0]}",
            )

    @property
    def sizes(self) -> tuple[int, ...]:
        """Resolutions of the blocks: 4, 8, ..., resolution."""
        return _sizes(self.resolution)

    @property
    def num_layers(self) -> int:
        """L, the number of latents that drive one image: 2 log2(resolution) - 2."""
        return 2 * len(self.sizes)


def _sizes(resolution: int) -> tuple[int, ...]:
    return tuple(2**k for k in range(2, resolution.bit_length()))
