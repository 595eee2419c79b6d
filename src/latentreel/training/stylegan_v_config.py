"""What the training of a StyleGAN-V can be told. Loads nothing heavy."""

from dataclasses import dataclass
from typing import Literal

from latentreel.training.config import ClipRunConfig, usual_r1_gamma


@dataclass(frozen=True, kw_only=True)
class StyleGANVTrainingConfig(ClipRunConfig):
    """Training a StyleGAN-V on sparse frames of videos (Skorokhodov et al. 2022, Sec. 3.3 and 4)."""

    image_generator: str | None = None
    """A StyleGAN2 of the same widths to start from: a bundle, a run's folder (whose discriminator is then taken, too), a foreign
    checkpoint, or the name of one that ships ("faces"). None: from scratch, as in the paper."""

    head_start: int | None = None
    """Steps in which the discriminator learns alone, at first; None: 100 with an image generator, which draws better than a new
    discriminator can see and would unlearn it, else 0."""

    score_frames: int = 16
    """Frames of the clips that are scored, one right after the other."""

    batch_size: int = 64
    """Clips in a step, over all processes together."""

    num_frames: int = 3
    """k, frames of a clip that are looked at."""

    max_distance: int = 32
    """Frames of the video from the first of them to the last, at most; less where videos are shorter."""

    pattern: Literal["random", "uniform"] = "random"
    """Where the frames between lie: anywhere, or at equal distances."""

    max_frames: int = 1024
    """Generated clips lie within so many frames of their videos' begin: how long a video the generator has seen itself make."""

    resolution: int = 256
    """Height and width: a power of two. Frames are cropped to the centre square and resized."""

    conditional: bool = False
    """Tell both networks the class of each video, its first folder."""

    motion_sees_class: bool = False
    """With classes: whether motion depends on them, too."""

    channels: tuple[int, ...] = ()
    """Feature maps at 4, 8, ... px; empty is full width."""

    latent_dim: int = 512
    """Width of z and w."""

    mapping_layers: int = 8
    """Depth of the mapping networks."""

    motion_dim: int = 512
    """Width of the motion noise at an anchor."""

    code_dim: int = 512
    """Width of what the motion mapping makes of it."""

    motion_kernel: int = 11
    """Anchors that each of the motion mapping's two convolutions sees."""

    anchor_distance: int = 16
    """Frames from one anchor of the motion to the next."""

    num_frequencies: int = 256
    """How many waves the motion codes have."""

    min_period: float = 16.0
    """Length of the shortest wave in frames: longer for slower motion."""

    max_period: float = 1024.0
    """Length of the longest."""

    difference_dim: int = 256
    """Width of the discriminator's table of time differences."""

    deviation_features: int = 1
    """In how many shares of its last features the discriminator measures how varied a batch is; more see a layout that is the same
    in clips of different colours. A divisor of the channels at 4 px."""

    learning_rate: float = 2e-3
    """Adam's, for both networks; betas are (0, 0.99)."""

    discriminator_learning_rate: float | None = None
    """The discriminator's, where it is another: a smaller `learning_rate` beside it keeps what an image generator draws."""

    r1_gamma: float | None = None
    """Weight of the R1 penalty; by default 0.0002 * resolution^2 / batch_size, at least 0.05."""

    r1_every: int = 16
    """Steps between R1 penalties."""

    ema_kclips: float = 10.0
    """Half-life of the averaged generator in thousands of clips; shorter at the start of a run."""

    ada_target: float = 0.6
    """Adaptive augmentation: the mean sign of D(real) to hold; 0 leaves it out."""

    ada_kclips: float = 500.0
    """Thousands of clips in which the augmentation's strength can go from 0 to 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require("num_frames", self.num_frames >= 2, "at least 2")
        least, most = self.num_frames - 1, self.max_frames - 1
        allowed = f"{least} (num_frames - 1) to {most} (max_frames - 1)"
        self.require("max_distance", least <= self.max_distance <= most, allowed)
        self.require("ada_target", 0 <= self.ada_target < 1, "0 up to, but not including, 1")
        self.require("r1_gamma", self.r1_gamma is None or self.r1_gamma >= 0, "at least 0")
        self.require("motion_sees_class", self.conditional or not self.motion_sees_class, "False, without --conditional")
        for name in ("learning_rate", "ada_kclips", "discriminator_learning_rate"):
            self.require(name, getattr(self, name) is None or getattr(self, name) > 0, "above 0")
        for name in ("r1_every", "score_frames", "deviation_features"):
            self.require(name, getattr(self, name) >= 1, "at least 1")
        self.require("ema_kclips", self.ema_kclips >= 0, "at least 0")
        self.require("head_start", self.head_start is None or self.head_start >= 0, "at least 0")

    @property
    def generator_waits(self) -> int:
        """Steps before the generator's first turn."""
        usual = 0 if self.image_generator is None else 100
        return usual if self.head_start is None else self.head_start

    @property
    def gamma(self) -> float:
        """Weight of the R1 penalty."""
        return usual_r1_gamma(self.resolution, self.batch_size) if self.r1_gamma is None else self.r1_gamma
