"""The sizes of a StyleGAN-V: those of the StyleGAN2 that it is built on, and those of time, which is counted in frames."""

from dataclasses import dataclass

from latentreel.core.errors import InputError
from latentreel.image_generators.stylegan2.config import MAX_SIZE, StyleGAN2Config

MAX_DIVISOR = 64


@dataclass(frozen=True, kw_only=True)
class StyleGANVConfig(StyleGAN2Config):
    """The generator (Skorokhodov et al. 2022, StyleGAN-V, Sec. 3.1 and 3.2)."""

    motion_dim: int = 512
    """Z, width of the motion noise at an anchor."""

    code_dim: int = 512
    """U, width of what the motion mapping makes of it."""

    motion_kernel: int = 11
    """Anchors that each of the two convolutions of the motion mapping sees."""

    motion_sees_class: bool = False
    """Whether the class stands beside the motion noise."""

    anchor_distance: int = 16
    """Frames from one anchor to the next."""

    num_frequencies: int = 256
    """F, how many waves there are; a motion code has their sines and cosines."""

    min_period: float = 16.0
    """Length of the shortest wave in frames, before the motion stretches it."""

    max_period: float = 1024.0
    """Length of the longest."""

    fps: float = 25.0
    """Frames per second of the training videos: what a time of 1 means."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_positive(self, "motion_dim", "code_dim", "motion_kernel", "anchor_distance", "num_frequencies")
        if self.motion_sees_class and not self.num_classes:
            raise InputError("motion cannot see the class of a network without classes", fix="leave motion_sees_class out")
        if not 1 <= self.min_period <= self.max_period < 1e9:
            given = f"min_period {self.min_period}, max_period {self.max_period}"
            raise InputError("no waves have such periods", given=given, allowed="at least 1 frame, the second no shorter")
        if not 1e-3 <= self.fps < 1000:
            raise InputError("fps is out of range", given=self.fps, allowed="0.001 to below 1000 frames per second")

    @property
    def motion_context(self) -> int:
        """How many more vectors of motion noise there are than anchors: the convolutions have no padding."""
        return 2 * (self.motion_kernel - 1)


@dataclass(frozen=True, kw_only=True)
class StyleGANVDiscriminatorConfig(StyleGAN2Config):
    """The discriminator (Skorokhodov et al. 2022, StyleGAN-V, Sec. 3.3)."""

    clip_frames: int = 3
    """k, the frames that it sees of a clip."""

    max_frames: int = 1024
    """Frames from one of them to the next must be fewer."""

    difference_dim: int = 256
    """Width of the table of whole time differences."""

    join_resolution: int = 0
    """Size at which the frames become one; 0 means 16, or half the picture's if that is less."""

    join_divisor: int = 2
    """By how much the features of a single frame are narrower there."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.resolution < 16:
            raise InputError("the resolution does not fit StyleGAN-V", given=self.resolution, allowed="a power of two from 16")
        if not self.join_resolution:
            object.__setattr__(self, "join_resolution", min(16, self.resolution // 2))
        sizes = self.sizes[1:-1]
        if self.join_resolution not in sizes:
            allowed = ", ".join(map(str, sizes))
            raise InputError("frames cannot be joined at this size", given=self.join_resolution, allowed=allowed)
        if self.discriminator_architecture == "skip":
            raise InputError("StyleGAN-V's discriminator has no such variant", given="skip", allowed="resnet, orig")
        _require_positive(self, "difference_dim", "join_divisor")
        if not (2 <= self.clip_frames <= MAX_SIZE and 2 <= self.max_frames <= MAX_SIZE):
            given = f"clip_frames {self.clip_frames}, max_frames {self.max_frames}"
            raise InputError("a clip has several frames", given=given, allowed=f"2 to {MAX_SIZE} of each")
        widest = min(self.channels[self.sizes.index(self.join_resolution)], MAX_DIVISOR)
        if self.join_divisor > widest:
            raise InputError("join_divisor leaves too little of a frame", given=self.join_divisor, allowed=f"1 to {widest}")

    @property
    def joined_channels(self) -> int:
        """Features of one frame where the frames are joined."""
        return self.channels[self.sizes.index(self.join_resolution)] // self.join_divisor


def _require_positive(config: StyleGAN2Config, *names: str) -> None:
    for name in names:
        if not 1 <= getattr(config, name) <= MAX_SIZE:
            raise InputError(f"{name} is out of range", given=getattr(config, name), allowed=f"1 to {MAX_SIZE}")
