"""What the training of an image generator can be told. Loads nothing heavy."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from latentreel.training.config import RunConfig, usual_r1_gamma


@dataclass(frozen=True, kw_only=True)
class ImageTrainingConfig(RunConfig):
    """Training a StyleGAN2 image generator on frames (Karras et al. 2020, StyleGAN2 and StyleGAN2-ADA)."""

    kimg: float = 25_000
    """Length of the run in thousands of images."""

    score_kimg: float | None = None
    """Thousands of images between two scores of the bundle against the run's own data; None: no scores. They are in the journal,
    and the best bundle so far is in best/. Time spent on them does not count in `minutes`."""

    score_network: str = "worlds-frames"
    """What sees the images: any that `latentreel evaluate --network` takes and that looks at frames."""

    score_clips: int = 2048
    """Images of the generator, and as many of the data, that a score looks at; little data may hold fewer. A Fréchet distance needs
    more of them than the network has features."""

    resolution: int = 256
    """Height and width: a power of two. Frames are cropped to the centre square and resized."""

    conditional: bool = False
    """Tell both networks the class of each picture, its first folder; pictures are then drawn by class (StyleGAN2-ADA, App. D)."""

    channels: tuple[int, ...] = ()
    """Feature maps at 4, 8, ... px; empty is full width."""

    latent_dim: int = 512
    """Width of z and w."""

    mapping_layers: int = 8
    """Depth of the mapping network."""

    architecture: Literal["skip", "resnet", "orig"] = "skip"
    """How the generator's blocks reach the image."""

    discriminator_architecture: Literal["skip", "resnet", "orig"] = "resnet"
    """The same for the discriminator."""

    deviation_features: int = 1
    """In how many shares of its last features the discriminator measures how varied a batch is; more see a layout that is the same
    in pictures of different colours. A divisor of the channels at 4 px."""

    learning_rate: float = 2e-3
    """Adam's; betas are (0, 0.99)."""

    discriminator_learning_rate: float | None = None
    """D's; by default learning_rate. Where pictures have no layout in common, a slower generator lets D see what fakes share.
    Two time scales: Heusel et al. 2017, Sec. 2."""

    r1_gamma: float | None = None
    """Weight of the R1 penalty; by default 0.0002 * resolution^2 / batch_size, at least 0.05."""

    r1_every: int = 16
    """Steps between R1 penalties."""

    path_length_weight: float = 0.0
    """Weight of path length regularisation, 2 in the paper; 0 leaves it out."""

    path_length_every: int = 4
    """Steps between path length penalties."""

    style_mixing: float = 0.9
    """Share of images whose layers take their latents from two sources."""

    ema_kimg: float = 10.0
    """Half-life of the averaged generator in thousands of images; shorter at the start of a run."""

    noise: bool = True
    """Train with per-layer noise. Videos look steadier from a generator trained without."""

    ada_target: float = 0.0
    """Adaptive augmentation: the mean sign of D(real) to hold, 0.6 in the paper; 0 leaves it out."""

    ada_kimg: float = 500.0
    """Thousands of images in which the augmentation's strength can go from 0 to 1."""

    grow_from: Path | None = None
    """A run folder to start from: its generator has half (or less) the resolution, or the same, to go on with other settings."""

    compile: bool = False
    """Fuse the networks with torch.compile; needs a C++ compiler, pays on long runs."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require("kimg", 0.001 <= self.kimg < math.inf, "0.001 (one image) or more")
        often = self.score_kimg is None or 0.001 <= self.score_kimg < math.inf
        self.require("score_kimg", often, "0.001 (one image) or more")
        self.require("style_mixing", 0 <= self.style_mixing <= 1, "0 to 1")
        self.require("ada_target", 0 <= self.ada_target < 1, "0 up to, but not including, 1")
        self.require("r1_gamma", self.r1_gamma is None or self.r1_gamma >= 0, "at least 0")
        for name in ("learning_rate", "ada_kimg", "discriminator_learning_rate"):
            value = getattr(self, name)
            self.require(name, value is None or value > 0, "above 0")
        for name in ("path_length_weight", "ema_kimg"):
            self.require(name, getattr(self, name) >= 0, "at least 0")
        for name in ("r1_every", "path_length_every", "latent_dim", "mapping_layers", "deviation_features"):
            self.require(name, getattr(self, name) >= 1, "at least 1")

    @property
    def total_items(self) -> int:
        """Images after which the run is done."""
        return round(self.kimg * 1000)

    @property
    def score_items(self) -> int | None:
        """Images between two scores."""
        return None if self.score_kimg is None else round(self.score_kimg * 1000)

    @property
    def gamma(self) -> float:
        """Weight of the R1 penalty."""
        return usual_r1_gamma(self.resolution, self.batch_size) if self.r1_gamma is None else self.r1_gamma
