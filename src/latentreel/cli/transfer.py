"""`latentreel transfer record|apply`: one motion, many contents."""

from dataclasses import dataclass
from pathlib import Path

from latentreel.cli.arguments import run_action
from latentreel.cli.clip_config import ClipConfig, clip_settings, open_pipeline
from latentreel.cli.generate import GenerateConfig, write_videos
from latentreel.core.errors import InputError


@dataclass(frozen=True, kw_only=True)
class RecordConfig(ClipConfig):
    """Saves the motion of a clip to a file.

    The motion of the first seed and the first motion seed: where each frame's latent lies from the first one.
    """

    out: Path = Path("runs/motion.safetensors")
    """The file to write."""


@dataclass(frozen=True, kw_only=True)
class ApplyConfig(GenerateConfig):
    """Moves other contents as a saved motion says.

    The motion gives the number of frames. It fits models that share image generator and latent basis with the one it was
    recorded with.
    """

    motion: Path
    """The file that `latentreel transfer record` wrote."""


def run(arguments: list[str]) -> None:
    """Parses and runs one action."""
    run_action("transfer", {"record": (RecordConfig, _record), "apply": (ApplyConfig, _apply)}, arguments)


def _record(config: RecordConfig) -> None:
    from latentreel.checkpoints.recordings import save_motion
    from latentreel.cli.progress import console
    from latentreel.pipelines.mocogan_hd_pipeline import MoCoGANHDPipeline

    settings = clip_settings(config) | {"seed": config.seeds[0], "motion_seed": config.motion_seeds[0]}
    save_motion(open_pipeline(config, MoCoGANHDPipeline.load).motion(**settings), config.out)
    console.print(str(config.out), soft_wrap=True)


def _apply(config: ApplyConfig) -> None:
    if len(config.motion_seeds) > 1:
        given = f"{config.motion}, {len(config.motion_seeds)} motion seeds"
        raise InputError(
            "a motion from a file and motions from seeds exclude each other", given=given, fix="drop --motion-seeds"
        )
    write_videos(config, motion_file=config.motion)
