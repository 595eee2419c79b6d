"""`latentreel generate MODEL --out FILE`: videos from seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from latentreel.cli.arguments import parse
from latentreel.cli.clip_config import ContentConfig, MotionConfig, StyleConfig, WalkConfig, clip_settings, open_pipeline
from latentreel.core.errors import InputError


@dataclass(frozen=True, kw_only=True)
class VideosConfig(MotionConfig, StyleConfig, ContentConfig):
    """Contents that move, and where their videos go."""

    seeds: tuple[int, ...] = (0,)
    """Contents: each seed is another first frame."""

    to_seed: int | None = None
    """Another content, which the first one becomes little by little until the last frame."""

    noise: Literal["none", "fixed"] = "none"
    """Per-layer noise of a StyleGAN2: absent, or the same maps for every frame."""

    fps: float | None = None
    """Frames per second; by default those of the training clips, or of the motion's file. A MoCoGAN-HD's frames are shown slower or
    faster; a StyleGAN-V draws others, and shows the same motion."""

    out: Path = Path("runs/generate")
    """A folder for several videos, or a file: .mp4, .gif, or no suffix with --format frames."""

    format: Literal["mp4", "gif", "frames"] | None = None
    """What is written into a folder; mp4 by default."""

    grid: bool = False
    """All videos in one file, side by side."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fps is not None and not 0 < self.fps < 1000:
            raise InputError("fps is out of range", given=self.fps, allowed="above 0 and below 1000 frames per second")
        if not self.seeds:
            raise InputError("a seed is missing", fix="give at least one of --seeds")
        if self.latent is not None and self.seeds != (0,):
            raise InputError(
                "a given content and contents from seeds exclude each other", given=self.latent, fix="drop --seeds"
            )
        if self.out.suffix[1:].isalnum() and not self.out.suffix[1:].isdigit() and self.out.suffix not in (".mp4", ".gif"):
            raise InputError("unknown video suffix", given=self.out.suffix, allowed=".mp4, .gif, or a folder")
        if self.format is not None and self.out.suffix in (".mp4", ".gif") and self.out.suffix != f".{self.format}":
            raise InputError(
                "--out and --format contradict each other", given=f"{self.out.name}, {self.format}", fix="drop --format"
            )


@dataclass(frozen=True, kw_only=True)
class GenerateConfig(WalkConfig, VideosConfig):
    """Makes videos with a trained model.

    With one seed and one motion seed: one video. With several: one file each, or with --grid all of them in one video: with several
    motions one row per content and one column per motion, with one motion as near to a square as they go.
    """

    motion_seeds: tuple[int, ...] = (0,)
    """Motions: each seed is another way to go on."""

    start_seconds: float | None = None
    """When a StyleGAN-V's clip begins; by default at 0, or, if it goes backwards, so that it ends there."""

    speed: float = 1.0
    """How fast time goes for a StyleGAN-V: 0.5 is slow motion, -1 goes backwards."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.motion_seeds:
            raise InputError("a seed is missing", fix="give at least one of --motion-seeds")


def run(arguments: list[str]) -> None:
    """Parses, generates, prints the paths."""
    config = parse(GenerateConfig, arguments, command="generate")
    write_videos(config, motion_seeds=config.motion_seeds)


def write_videos(config: VideosConfig, *, motion_seeds: Sequence[int], settings: Mapping[str, Any] | None = None) -> None:
    """What a config asks for, as files whose paths are printed.

    Args:
        config: Which videos.
        motion_seeds: Which motions.
        settings: More settings of clips.

    Raises:
        InputError: The model, a file or a number cannot be used.
    """
    from latentreel.cli.progress import console, counting
    from latentreel.core.files import removed_if_empty
    from latentreel.pipelines.galleries import write_clips, write_grid
    from latentreel.pipelines.video_pipeline import VideoPipeline

    pipe = open_pipeline(config, VideoPipeline.load)
    told = {**(settings or {}), **clip_settings(config)}
    with (
        removed_if_empty(config.out.parent if config.out.suffix in (".mp4", ".gif") else config.out),
        counting("generating") as progress,
    ):
        writer = write_grid if config.grid else write_clips
        paths = writer(
            pipe,
            config.out,
            seeds=config.seeds,
            motion_seeds=motion_seeds,
            format=config.format or "mp4",
            progress=progress,
            **told,
        )
    for path in paths:
        console.print(str(path), soft_wrap=True)
