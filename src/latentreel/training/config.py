"""What a training run can be told: one definition for flag, file and documentation. Loads nothing heavy.

Training time is counted in items seen: thousands of images (kimg) or thousands of clips (kclips).
"""

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from latentreel.core.errors import InputError
from latentreel.training.data_config import DataConfig

HIGHER_IS_BETTER = ("inception_score",)
"""Scores of which the best is the largest; of all others it is the smallest."""

FEWEST_SCORED_CLIPS = 16  # with fewer, `latentreel evaluate` refuses


@dataclass(frozen=True, kw_only=True)
class RunConfig(DataConfig):
    """What every training run needs to know."""

    out: Path = Path("runs/train")
    """The run's folder: config, journal, state, samples, bundle. Running again with the same folder resumes."""

    seed: int = 0
    """Everything random follows from it."""

    batch_size: int = 16
    """Items in a step, over all processes together."""

    minutes: float | None = None
    """Stop after this much training time, even if the items are not all seen; a resumed run goes on counting."""

    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Number format of the heavy operators; auto is bf16 where the processor has it."""

    device: Literal["auto", "cpu"] = "auto"
    """auto takes the accelerator if there is one."""

    log_every: int = 20
    """Steps between lines in the journal."""

    sample_every: int = 500
    """Steps between pictures or videos of fixed latents."""

    save_every: int = 500
    """Steps between saved states; also saved on Ctrl-C and at the end."""

    tracker: Literal["tensorboard", "wandb", "none"] = "tensorboard"
    """Where the journal's figures go besides journal.jsonl."""

    score: Literal["frechet_distance", "kernel_distance", "inception_score", "average_content_distance"] = "frechet_distance"
    """Which score decides about the best bundle; all that the network gives are in the journal."""

    score_network: str = "worlds-clips"
    """What sees the clips: any that `latentreel evaluate --network` takes."""

    score_clips: int = 256
    """Clips of the model, and as many of the data, that a score looks at; few videos may hold fewer. A Fréchet distance needs more
    of them than the network has features."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("batch_size", "log_every", "sample_every", "save_every"):
            self.require(name, getattr(self, name) >= 1, "at least 1")
        self.require("score_clips", self.score_clips >= FEWEST_SCORED_CLIPS, f"at least {FEWEST_SCORED_CLIPS}")
        self.require("minutes", self.minutes is None or self.minutes > 0, "above 0")
        self.require("seed", 0 <= self.seed < 2**63, "0 or more, below 2^63")

    @property
    def total_items(self) -> int:
        """Items after which the run is done."""
        raise AssertionError("each family counts its own items")

    @property
    def score_items(self) -> int | None:
        """Items between two scores; None: there are none."""
        raise AssertionError("each family counts its own items")

    @property
    def data_name(self) -> str:
        """What the data is called, without the folders above it."""
        return self.data if self.data.startswith("world:") else Path(self.data).resolve().name

    def differences(self, other: "RunConfig") -> dict[str, tuple[object, object]]:
        """Fields that differ and that would make a resumed run another run; (this value, the other's)."""
        fields = [f.name for f in dataclasses.fields(self) if f.name not in _FREE_ON_RESUME]
        pairs = {name: (getattr(self, name), getattr(other, name, None)) for name in fields}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


_FREE_ON_RESUME = {
    *("out", "minutes", "kimg", "kclips", "device", "drawing_gb"),
    *("log_every", "sample_every", "save_every", "tracker"),
    *("score", "score_kimg", "score_kclips", "score_network", "score_clips"),
}


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
    """Adam's, for both networks; betas are (0, 0.99)."""

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
    """A run folder with a trained generator of half (or less) the resolution to start from."""

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
        for name in ("learning_rate", "ada_kimg"):
            self.require(name, getattr(self, name) > 0, "above 0")
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
        """Weight of the R1 penalty (StyleGAN2-ADA, Sec. 5: 0.0002 * resolution^2 / batch), floored for small images."""
        return self.r1_gamma if self.r1_gamma is not None else max(0.0002 * self.resolution**2 / self.batch_size, 0.05)


@dataclass(frozen=True, kw_only=True)
class MotionTrainingConfig(RunConfig):
    """Training a MoCoGAN-HD motion generator for a frozen image generator (Tian et al. 2021, Sec. 3, App. B)."""

    image_generator: str
    """The frozen image generator: a bundle, a run's folder, a foreign checkpoint, or the name of one that ships ("faces")."""

    domain: Literal["in", "cross"] = "in"
    """in: the videos show what the image generator makes. cross: they show something else and teach motion alone (Sec. 3.2)."""

    start_from: str | None = None
    """A bundle or a run that the training starts from: its image generator, basis and motion generator, of its sizes and step size.
    Released files become a bundle by `latentreel weights import`."""

    video_discriminator: str | None = None
    """A released D_V of the same domain (modelD_3d_*.pth) to start from."""

    image_discriminator: str | None = None
    """A released D_I of the same form (modelD_img_*.pth, bigganD_*.pth) to start from."""

    kclips: float = 500
    """Length of the run in thousands of clips."""

    score_kclips: float | None = None
    """Thousands of clips between two scores of the bundle against the run's own data; None: no scores. They are in the journal,
    and the best bundle so far is in best/. Time spent on them does not count in `minutes`."""

    num_frames: int = 16
    """T, frames in a clip (App. B)."""

    frame_step: int = 2
    """Every how many-th frame of a video a clip takes (App. B: every other one)."""

    clip_seconds: float | None = None
    """How long a clip lasts, in place of frame_step: for videos of different rates, which then move at one speed."""

    batch_size: int = 16
    """Clips in a step, over all processes together (App. B)."""

    hidden_dim: int = 384
    """Width of the motion generator's recurrent state."""

    num_components: int = 384
    """K, directions of the latent basis; at most the latents' width."""

    basis_samples: int = 1_000_000
    """Latents from which the basis is computed (Sec. 3.1)."""

    step_size: float = 0.2
    """lambda of Eq. 2; the paper has 0.5 in-domain, the released program 0.2."""

    residual: Literal["released", "paper", "none"] = "released"
    """How the next latent follows (Eq. 2). released: w + lambda tanh(h A + b) (sigma V); paper: w + lambda h V, with hidden_dim
    equal to num_components; none: each latent anew, the ablation "w/o Eq. 2"."""

    noise_from: Literal["state_and_cell", "state"] = "state_and_cell"
    """What H reconstructs the motion noise from (Eq. 3): [h, c] as released, or h as in the paper."""

    learning_rate: float = 1e-4
    """Adam's, for the motion generator; betas are (0.5, 0.999)."""

    discriminator_learning_rate: float = 1e-4
    """The same for both discriminators."""

    discriminator_every: int = 5
    """Generator steps per discriminator step, as released."""

    video_discriminator_width: int = 64
    """Feature maps after D_V's first layer (Tab. 6)."""

    image_discriminator_width: int = 64
    """The same for D_I; the released contrastive one has 96 (App. A.2.2)."""

    video_sees: Literal["frames", "changes"] = "frames"
    """What D_V looks at across domains: frames, as in the paper, or how they change from one to the next. Changes leave motion more
    weight where the domains look very different."""

    video_loss: Literal["relativistic", "logistic"] = "relativistic"
    """D_V's adversarial loss: relativistic average least squares as released, or the plain loss of Eq. 4."""

    gradient_penalty: float = 10.0
    """Weight of D_V's gradient penalty, as released; 0 leaves it out."""

    mutual_information_weight: float = 1.0
    """lambda_m of Eq. 7; 0 is the ablation "w/o L_m"."""

    image_discriminator_weight: float = 1.0
    """Weight of D_I's loss in the motion generator's; 0 leaves D_I out, the ablation "w/o D_I"."""

    content_matching: Literal["auto", "pairs", "contrastive"] = "auto"
    """What D_I judges. pairs: a first and a later frame together, as released in-domain; contrastive: single frames, with the
    contrastive loss (Eq. 5 and 6), the paper's form, always taken across domains. auto: pairs in-domain."""

    contrastive_weight: float = 2.0
    """lambda_contr of Eq. 7: 2 as released, 1 in the paper; 0 is the ablation "w/o L_contr". Nothing else trains D_I's
    projection head: without it, feature matching compares random projections of D_I's features."""

    feature_matching_weight: float = 1.0
    """lambda_f of Eq. 7, with contrastive content matching; released for FFHQ: 5."""

    own_entry: bool = True
    """Keep an anchor's own entry in the denominator of Eq. 6 as exp(0), as released; the paper leaves it out."""

    memory_bank_size: int = 4096
    """Negatives in a memory bank (App. A.2.2)."""

    momentum: float = 0.999
    """m of the momentum copy of D_I, whose projections fill the memory bank (App. A.2.2)."""

    reverse_clips: bool = True
    """Play half of the clips backwards before D_V sees them, as released."""

    drawing_gb: float = 4.0
    """Memory that the graph for drawing frames may take. Where more is needed, frames are drawn in groups, and once more when
    gradients come back: slower by one pass of the image generator, in a memory that T and the batch do not change."""

    image_noise: Literal["none", "fixed"] = "none"
    """Per-layer noise of a StyleGAN2: absent, or the same maps for every frame."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require("kclips", 0.001 <= self.kclips < math.inf, "0.001 (one clip) or more")
        often = self.score_kclips is None or 0.001 <= self.score_kclips < math.inf
        self.require("score_kclips", often, "0.001 (one clip) or more")
        self.require("num_frames", self.num_frames >= 2, "at least 2")
        for name in ("step_size", "drawing_gb"):
            self.require(name, getattr(self, name) > 0, "above 0")
        self.require("clip_seconds", self.clip_seconds is None or 0 < self.clip_seconds < math.inf, "above 0")
        self.require("momentum", 0 <= self.momentum < 1, "0 to below 1")
        if self.domain == "cross" and self.content_matching == "pairs":
            raise InputError(
                "pairs of real and generated frames cannot be compared across domains",
                given="domain cross, content_matching pairs",
                fix="use --content-matching contrastive",
            )
        self.require("video_sees", self.video_sees == "frames" or self.domain == "cross", "frames, with --domain in")
        if self.residual == "paper":
            self.require("hidden_dim", self.hidden_dim == self.num_components, "as num_components, with --residual paper")
        counts = ("frame_step", "hidden_dim", "num_components", "basis_samples", "discriminator_every", "memory_bank_size")
        for name in (*counts, "video_discriminator_width", "image_discriminator_width"):
            self.require(name, getattr(self, name) >= 1, "at least 1")
        for name in ("learning_rate", "discriminator_learning_rate"):
            self.require(name, getattr(self, name) > 0, "above 0")
        weights = ("mutual_information_weight", "image_discriminator_weight", "contrastive_weight", "feature_matching_weight")
        for name in ("gradient_penalty", *weights):
            self.require(name, getattr(self, name) >= 0, "at least 0")

    @property
    def total_items(self) -> int:
        """Clips after which the run is done."""
        return round(self.kclips * 1000)

    @property
    def score_items(self) -> int | None:
        """Clips between two scores."""
        return None if self.score_kclips is None else round(self.score_kclips * 1000)

    @property
    def contrastive(self) -> bool:
        """Whether D_I is the contrastive one."""
        return self.content_matching == "contrastive" or self.domain == "cross"
