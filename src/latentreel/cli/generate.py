"""`latentreel generate MODEL --out FILE`: videos from seeds."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from latentreel.cli.arguments import parse
from latentreel.core.errors import InputError


@dataclass(frozen=True, kw_only=True)
class GenerateConfig:
    """Makes videos with a trained model.

    With one seed and one motion seed: one video. With several: one file each, or with --grid all of them in one video, one row per
    content and one column per motion.
    """

    model: Annotated[str, tyro.conf.Positional] = "faces"
    """A bundle, the folder of a run, or the name of a model that ships."""

    out: Path = Path("runs/generate")
    """A folder for several videos, or a file: .mp4, .gif, or no suffix with --format frames."""

    seeds: tuple[int, ...] = (0,)
    """Contents: each seed is another first frame."""

    motion_seeds: tuple[int, ...] = (0,)
    """Motions: each seed is another way to go on."""

    frames: int = 16
    """Frames in each video. May exceed the length of the training clips; the further, the more pictures drift."""

    truncation: float = 1.0
    """1 leaves the content as drawn; smaller values are plainer and cleaner."""

    noise: Literal["none", "fixed"] = "none"
    """Per-layer noise of a StyleGAN2: absent, or the same maps for every frame."""

    label: int | None = None
    """Class of the contents, for image generators that have classes; by default each seed chooses one."""

    fps: float | None = None
    """Frames per second; by default those of the training clips."""

    format: Literal["mp4", "gif", "frames"] | None = None
    """What is written into a folder; mp4 by default."""

    grid: bool = False
    """All videos in one file, side by side."""

    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Number format of the heavy operators."""

    device: Literal["auto", "cpu"] = "auto"
    """auto takes the accelerator if there is one."""

    def __post_init__(self) -> None:
        if self.frames < 1:
            raise InputError("frames is out of range", given=self.frames, allowed="at least 1")
        if self.fps is not None and not 0 < self.fps < 1000:
            raise InputError("fps is out of range", given=self.fps, allowed="above 0 and below 1000 frames per second")
        if not self.seeds or not self.motion_seeds:
            raise InputError("a seed is missing", fix="give at least one of --seeds and --motion-seeds")
        if self.out.suffix[1:].isalpha() and self.out.suffix not in (".mp4", ".gif"):
            raise InputError("unknown video suffix", given=self.out.suffix, allowed=".mp4, .gif, or a folder")
        if self.format is not None and self.out.suffix in (".mp4", ".gif") and self.out.suffix != f".{self.format}":
            raise InputError(
                "--out and --format contradict each other", given=f"{self.out.name}, {self.format}", fix="drop --format"
            )


def run(arguments: list[str]) -> None:
    """Parses, generates, prints the paths."""
    config = parse(GenerateConfig, arguments, command="generate")
    from accelerate import Accelerator

    from latentreel.cli.progress import console, counting
    from latentreel.core.precision import set_precision
    from latentreel.pipelines.galleries import write_clips, write_grid
    from latentreel.pipelines.video_pipeline import VideoPipeline

    set_precision(config.precision)
    device = Accelerator(cpu=config.device == "cpu").device
    pipe = VideoPipeline.load(config.model).to(device)
    settings = {
        "num_frames": config.frames,
        "truncation": config.truncation,
        "noise": config.noise,
        "label": config.label,
        "fps": config.fps,
    }
    with counting("generating") as progress:
        writer = write_grid if config.grid else write_clips
        paths = writer(
            pipe,
            config.out,
            seeds=config.seeds,
            motion_seeds=config.motion_seeds,
            format=config.format or "mp4",
            progress=progress,
            **settings,  # type: ignore[arg-type]
        )
    for path in paths:
        console.print(str(path), soft_wrap=True)
