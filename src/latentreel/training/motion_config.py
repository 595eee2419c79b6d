"""What the training of a MoCoGAN-HD motion generator can be told. Loads nothing heavy."""

import math
from dataclasses import dataclass
from typing import Literal

from latentreel.core.errors import InputError
from latentreel.training.config import ClipRunConfig


@dataclass(frozen=True, kw_only=True)
class MotionTrainingConfig(ClipRunConfig):
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
    def contrastive(self) -> bool:
        """Whether D_I is the contrastive one."""
        return self.content_matching == "contrastive" or self.domain == "cross"
