"""What every training run can be told: one definition for flag, file and documentation. Loads nothing heavy.

Each family adds its fields in a module of its own. Training time is counted in items seen: thousands of images (kimg) or of clips
(kclips).
"""

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

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
    *("score", "score_kimg", "score_kclips", "score_network", "score_clips", "score_frames"),
}


def usual_r1_gamma(resolution: int, batch_size: int) -> float:
    """Weight of the R1 penalty (StyleGAN2-ADA, Sec. 5: 0.0002 * resolution^2 / batch), floored for small images."""
    return max(0.0002 * resolution**2 / batch_size, 0.05)


@dataclass(frozen=True, kw_only=True)
class ClipRunConfig(RunConfig):
    """What trainings on clips share: their length, and how often they are scored, in clips."""

    kclips: float = 25_000
    """Length of the run in thousands of clips."""

    score_kclips: float | None = None
    """Thousands of clips between two scores of the bundle against the run's own data; None: no scores. They are in the journal,
    and the best bundle so far is in best/. Time spent on them does not count in `minutes`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require("kclips", 0.001 <= self.kclips < math.inf, "0.001 (one clip) or more")
        often = self.score_kclips is None or 0.001 <= self.score_kclips < math.inf
        self.require("score_kclips", often, "0.001 (one clip) or more")

    @property
    def total_items(self) -> int:
        """Clips after which the run is done."""
        return round(self.kclips * 1000)

    @property
    def score_items(self) -> int | None:
        """Clips between two scores."""
        return None if self.score_kclips is None else round(self.score_kclips * 1000)
