"""`latentreel transfer record|drive|mimic|apply`: one motion, many contents."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from latentreel.cli.arguments import run_action
from latentreel.cli.clip_config import OneContentConfig, StyleConfig, WalkConfig, clip_settings, open_pipeline
from latentreel.cli.generate import VideosConfig, write_videos
from latentreel.cli.inversion_config import InversionConfig, open_distance, open_model, search_settings, square_frames
from latentreel.core.errors import InputError


@dataclass(frozen=True, kw_only=True)
class RecordConfig(WalkConfig, OneContentConfig):
    """Saves the motion of a clip to a file: where each frame's latent lies from the first one."""

    motion_seed: Annotated[int, tyro.conf.arg(aliases=("--motion-seeds",))] = 0
    """The motion: each seed is another way to go on."""

    out: Path = Path("runs/motion.safetensors")
    """The file to write."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_motion_file(self.out)


@dataclass(frozen=True, kw_only=True)
class DriveConfig(InversionConfig):
    """Reads the motion of a given video and saves it to a file.

    Its frames are inverted one after the other, as offsets along the latent basis from the first. Beside the file come the first
    frame's latent (.latent.safetensors), and a sheet: the video, and what was reached (.png).
    """

    video: Path
    """The driving video. It comes at the model's frame rate."""

    frames: int | None = None
    """Frames that are read; by default all."""

    frame_steps: int = 20
    """Steps of the search for each frame after the first."""

    smoothness: float = 0.003
    """Weight of changes from frame to frame: more is calmer, and less exact."""

    out: Path = Path("runs/motion.safetensors")
    """The file to write."""

    def __post_init__(self) -> None:
        if self.frames is not None and self.frames < 2:
            raise InputError("frames is out of range", given=self.frames, allowed="at least 2")
        _require_motion_file(self.out)
        if self.frame_steps < 1 or not 0 <= self.smoothness < 100:
            given = f"frame_steps {self.frame_steps}, smoothness {self.smoothness}"
            raise InputError("the search for frames is out of range", given=given, allowed="at least 1; 0 to below 100")


@dataclass(frozen=True, kw_only=True)
class MimicConfig(StyleConfig, OneContentConfig):
    """Finds the motion with which a content of one world is read as a video of another world is.

    For models that share nothing with the one that drew the video: readers find the pose factors of both. The video must show the
    pictures of a world that has a reader (faces, creatures), drawn or generated; of photographs readers know nothing.
    """

    model: Annotated[str, tyro.conf.Positional] = "creatures"
    """A bundle, the folder of a run, or the name of a model that ships."""

    video: Path
    """What is mimicked. It comes at the model's frame rate."""

    video_world: str = "faces"
    """The world that the video shows."""

    world: str | None = None
    """The world whose pictures the model draws; must be given unless the model is one that ships, which has its world's name."""

    out: Path = Path("runs/motion.safetensors")
    """The file to write."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_motion_file(self.out)


@dataclass(frozen=True, kw_only=True)
class ApplyConfig(VideosConfig):
    """Moves other contents as a saved motion says.

    The motion gives the number of frames and their rate. It fits models that share image generator and latent basis with the one it
    was recorded with, and is held in memory whole. One that `latentreel project` found fits its StyleGAN-V.
    """

    motion: Path
    """The file that `latentreel transfer record`, `drive` or `mimic`, or `latentreel project`, wrote."""


def _require_motion_file(out: Path) -> None:
    if out.suffix != ".safetensors":
        raise InputError("a motion is written as safetensors", given=out.name, allowed="a path that ends in .safetensors")


def run(arguments: list[str]) -> None:
    """Parses and runs one action."""
    actions: dict[str, tuple[type[Any], Callable[[Any], None]]] = {
        "record": (RecordConfig, _record),
        "drive": (DriveConfig, _drive),
        "mimic": (MimicConfig, _mimic),
        "apply": (ApplyConfig, _apply),
    }
    run_action("transfer", actions, arguments)


def _record(config: RecordConfig) -> None:
    from latentreel.checkpoints.recordings import save_motion
    from latentreel.cli.progress import console
    from latentreel.pipelines.mocogan_hd_pipeline import MoCoGANHDPipeline

    settings = clip_settings(config) | {"seed": config.seed, "motion_seed": config.motion_seed}
    save_motion(open_pipeline(config, MoCoGANHDPipeline.load).motion(**settings), config.out)
    console.print(str(config.out), soft_wrap=True)


def _drive(config: DriveConfig) -> None:
    from latentreel.checkpoints.recordings import save_latent, save_motion
    from latentreel.cli.progress import console, steps
    from latentreel.core.files import require_writable
    from latentreel.media.contact_sheet import contact_sheet, save_image
    from latentreel.pipelines.driving import driving_motion
    from latentreel.pipelines.inversion import invert

    pipe = open_model(config)
    settings, distance = search_settings(config, pipe.image_generator), open_distance(config, pipe)
    frames = square_frames(config.video, pipe, at_least=2, at_most=config.frames)
    require_writable(config.out.parent)
    with steps() as progress:
        first = invert(
            pipe.image_generator,
            frames[0],
            settings,
            label=config.label,
            distance=distance,
            progress=lambda done, total, _: progress("inverting the first frame", done, total),
        )
        followed = driving_motion(
            pipe,
            frames,
            first.latent,
            steps=config.frame_steps,
            smoothness=config.smoothness,
            distance=distance,
            progress=lambda done, total: progress("following", done, total),
        )
    latent, sheet = config.out.with_suffix(".latent.safetensors"), config.out.with_suffix(".png")
    save_motion(followed.motion, config.out)
    save_latent(followed.first, latent)
    save_image(sheet, contact_sheet([frames, followed.pictures]))
    for path in (config.out, latent, sheet):
        console.print(str(path), soft_wrap=True)


def _mimic(config: MimicConfig) -> None:
    from latentreel.checkpoints.recordings import save_motion
    from latentreel.cli.progress import console, counting
    from latentreel.core.files import require_writable
    from latentreel.pipelines.mimicry import mimicked_motion
    from latentreel.pipelines.mocogan_hd_pipeline import MoCoGANHDPipeline
    from latentreel.worlds.registry import WORLDS

    world = config.world or config.model
    if config.world is None and world not in WORLDS:
        problem = "it is not known which world's pictures the model draws"
        raise InputError(problem, given=config.model, allowed=f"--world {', '.join(WORLDS)}")
    pipe = open_pipeline(config, MoCoGANHDPipeline.load)
    content = pipe.content(**clip_settings(config), seed=config.seed)
    clip = square_frames(config.video, pipe, at_least=2)
    require_writable(config.out.parent)
    with counting("mimicking") as progress:
        motion = mimicked_motion(pipe, content, clip, world=world, clip_world=config.video_world, progress=progress)
    save_motion(motion, config.out)
    console.print(str(config.out), soft_wrap=True)


def _apply(config: ApplyConfig) -> None:
    from latentreel.checkpoints.recordings import load_motion
    from latentreel.sampling.anchor_noise import AnchorNoise

    motion = load_motion(config.motion)
    num_frames = motion.num_frames if isinstance(motion, AnchorNoise) else len(motion.offsets)
    write_videos(config, motion_seeds=[0], settings={"motion": motion, "num_frames": num_frames})
