"""`latentreel generate MODEL --out FILE`: videos from seeds."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from latentreel.cli.arguments import parse
from latentreel.cli.clip_config import ClipConfig, clip_settings, open_pipeline
from latentreel.core.errors import InputError


@dataclass(frozen=True, kw_only=True)
class GenerateConfig(ClipConfig):
    """Makes videos with a trained model.

    With one seed and one motion seed: one video. With several: one file each, or with --grid all of them in one video: with several
    motions one row per content and one column per motion, with one motion as near to a square as they go.
    """

    out: Path = Path("runs/generate")
    """A folder for several videos, or a file: .mp4, .gif, or no suffix with --format frames."""

    format: Literal["mp4", "gif", "frames"] | None = None
    """What is written into a folder; mp4 by default."""

    grid: bool = False
    """All videos in one file, side by side."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.out.suffix[1:].isalnum() and not self.out.suffix[1:].isdigit() and self.out.suffix not in (".mp4", ".gif"):
            raise InputError("unknown video suffix", given=self.out.suffix, allowed=".mp4, .gif, or a folder")
        if self.format is not None and self.out.suffix in (".mp4", ".gif") and self.out.suffix != f".{self.format}":
            raise InputError(
                "--out and --format contradict each other", given=f"{self.out.name}, {self.format}", fix="drop --format"
            )


def run(arguments: list[str]) -> None:
    """Parses, generates, prints the paths."""
    write_videos(parse(GenerateConfig, arguments, command="generate"))


def write_videos(config: GenerateConfig, *, motion_file: Path | None = None, settings: Mapping[str, Any] | None = None) -> None:
    """What a config asks for, as files whose paths are printed.

    Args:
        config: Which videos.
        motion_file: A motion for all contents, instead of motions from seeds.
        settings: More settings of clips.

    Raises:
        InputError: The model, a file or a number cannot be used.
    """
    from latentreel.checkpoints.recordings import load_motion
    from latentreel.cli.progress import console, counting
    from latentreel.pipelines.galleries import write_clips, write_grid
    from latentreel.pipelines.video_pipeline import VideoPipeline

    pipe = open_pipeline(config, VideoPipeline.load)
    told = {**(settings or {}), **clip_settings(config)}
    if motion_file is not None:
        told["motion"] = load_motion(motion_file)
    with counting("generating") as progress:
        writer = write_grid if config.grid else write_clips
        paths = writer(
            pipe,
            config.out,
            seeds=config.seeds,
            motion_seeds=config.motion_seeds,
            format=config.format or "mp4",
            progress=progress,
            **told,
        )
    for path in paths:
        console.print(str(path), soft_wrap=True)
