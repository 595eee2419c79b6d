"""The sizes of a BigGAN generator."""

from dataclasses import dataclass, field

from latentreel.core.errors import InputError
from latentreel.nn.attention import MIN_CHANNELS

CHUNK = 20  # width of a chunk of z (BigGAN, App. B)
FLAT_Z_DIM = 120  # width of a z that is not split: as much as the six chunks of 128 px

# Widths in units of the base width: the first block's input, then each block's output (BigGAN, App. B).
WIDTHS = {
    32: (4, 4, 4, 4),
    64: (16, 16, 8, 4, 2),
    128: (16, 16, 8, 4, 2, 1),
    256: (16, 16, 8, 8, 4, 2, 1),
    512: (16, 16, 8, 8, 4, 2, 1, 1),
}


def default_channels(resolution: int, *, base_width: int = 96) -> tuple[int, ...]:
    """Feature maps into the first block, then out of each block, as published.

    Raises:
        InputError: There is no BigGAN of this resolution.
    """
    if resolution not in WIDTHS:
        raise InputError("the resolution does not fit BigGAN", given=resolution, allowed=", ".join(map(str, WIDTHS)))
    return tuple(base_width * width for width in WIDTHS[resolution])


@dataclass(frozen=True, kw_only=True)
class BigGANConfig:
    """Sizes and variants (Brock et al. 2019, BigGAN, Sec. 3 and App. B)."""

    resolution: int
    """Height and width of the images: 32, 64, 128, 256 or 512."""

    channels: tuple[int, ...] = field(default=())
    """Feature maps into the first block, at 4 px, then out of each block; empty means the published widths, base width 96."""

    z_dim: int = 0
    """Width of the latents; 0 means 20 for each chunk (120 at 128 px), or 120 without a hierarchy."""

    num_classes: int = 1
    """Rows of the class embedding; a network with a single class is unconditional and takes no labels."""

    shared_dim: int = 128
    """Width of the class embedding that all blocks share; 0 means that each norm has tables over the classes instead."""

    hierarchical: bool = True
    """Whether z is split into equal chunks, one for the first layer and one for each block (Fig. 15), or enters as a whole."""

    attention: tuple[int, ...] = field(default=())
    """Sizes in pixels, ascending; a self-attention stands behind the block that reaches each."""

    spectral_norm: bool = True
    """Whether the layers are spectrally normalised."""

    def __post_init__(self) -> None:
        widths = default_channels(self.resolution)
        if not self.channels:
            object.__setattr__(self, "channels", widths)
        if len(self.channels) != len(widths) or min(self.channels) < 1:
            raise InputError(
                "channels do not fit the resolution", given=list(self.channels), allowed=f"{len(widths)} positive numbers"
            )
        if self.num_classes < 1:
            raise InputError("num_classes is too small", given=self.num_classes, allowed="at least 1, which is no classes")
        if self.shared_dim < 0:
            raise InputError("shared_dim is too small", given=self.shared_dim, allowed="0 or more")
        if self.hierarchical and not self.shared_dim:
            raise InputError("chunks of z cannot join tables over classes", fix="set shared_dim, or hierarchical to false")
        if self.z_dim == 0:
            object.__setattr__(self, "z_dim", CHUNK * (len(self.sizes) + 1) if self.hierarchical else FLAT_Z_DIM)
        num_chunks = len(self.sizes) + 1 if self.hierarchical else 1
        if self.z_dim < 1 or self.z_dim % num_chunks:
            raise InputError("z_dim does not fit", given=self.z_dim, allowed=f"a positive multiple of {num_chunks}")
        self._check_attention()

    def _check_attention(self) -> None:
        if list(self.attention) != sorted(set(self.attention)) or not set(self.attention) <= set(self.sizes):
            allowed = f"some of {', '.join(map(str, self.sizes))}, ascending"
            raise InputError("attention does not fit the resolution", given=list(self.attention), allowed=allowed)
        for size, width in zip(self.sizes, self.channels[1:], strict=True):
            if size in self.attention and width < MIN_CHANNELS:
                raise InputError(
                    f"too few channels for attention at {size} px", given=width, allowed=f"at least {MIN_CHANNELS}"
                )

    @property
    def sizes(self) -> tuple[int, ...]:
        """What the blocks reach: 8, 16, ..., resolution."""
        return tuple(2**k for k in range(3, self.resolution.bit_length()))

    @property
    def chunk_dim(self) -> int:
        """Width of the part of z that enters the first layer."""
        return self.z_dim // (len(self.sizes) + 1) if self.hierarchical else self.z_dim

    @property
    def condition_dim(self) -> int:
        """Width of what the norms of a block are conditioned on, where it is no table."""
        return self.shared_dim + (self.chunk_dim if self.hierarchical else 0)
