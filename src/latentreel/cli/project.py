"""`latentreel project MODEL --video FILE`: the clip of a StyleGAN-V that is nearest to a given one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from latentreel.cli.arguments import parse
from latentreel.cli.inversion_config import square_frames
from latentreel.core.errors import InputError


@dataclass(frozen=True, kw_only=True)
class ProjectConfig:
    """Finds the content and the motion with which a StyleGAN-V comes nearest to a clip.

    Writes latent.safetensors, the content, which `latentreel generate --latent` moves by other motions; motion.safetensors, the
    motion, by which `latentreel transfer apply` moves other contents; reached.mp4; and sheet.png, the clip given above the one
    reached. Pictures are inverted by `latentreel invert`, for a MoCoGAN-HD.
    """

    model: Annotated[str, tyro.conf.Positional]
    """A bundle, the folder of a run, or a released StyleGAN-V."""

    video: Path
    """The clip. Its centre square is taken, at the model's rate."""

    frames: int = 16
    """Frames that are taken of it, from the first on."""

    steps: int = 150
    """Steps of the search."""

    candidates: int = 48
    """Random contents with random motions that are looked at for starts."""

    label: int | None = None
    """The class that the clip shows, for models that have classes."""

    seed: int = 0
    """Chooses the candidates."""

    out: Path = Path("runs/project")
    """A folder."""

    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Number format of the heavy operators."""

    device: Literal["auto", "cpu"] = "auto"
    """auto takes the accelerator if there is one."""

    def __post_init__(self) -> None:
        for name in ("frames", "steps", "candidates"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is out of range", given=getattr(self, name), allowed="at least 1")


def run(arguments: list[str]) -> None:
    """Parses, projects, prints distance and paths."""
    config = parse(ProjectConfig, arguments, command="project")
    from accelerate import Accelerator

    from latentreel.checkpoints.recordings import save_latent, save_motion
    from latentreel.cli.progress import console, counting
    from latentreel.core.files import removed_if_empty, require_writable
    from latentreel.core.precision import set_precision
    from latentreel.core.video import Video
    from latentreel.media.contact_sheet import contact_sheet, save_image
    from latentreel.media.encode import save_video
    from latentreel.pipelines.inversion import picture_psnr
    from latentreel.pipelines.projection import project
    from latentreel.pipelines.stylegan_v_pipeline import StyleGANVPipeline

    set_precision(config.precision)
    pipe = StyleGANVPipeline.load(config.model).to(Accelerator(cpu=config.device == "cpu").device)
    if pipe.generator.num_classes and config.label is None:
        allowed = f"--label 0 to {pipe.generator.num_classes - 1}"
        raise InputError("this model has classes: say which one the clip shows", allowed=allowed)
    clip = square_frames(config.video, pipe, at_least=1, at_most=config.frames)
    if len(clip) < config.frames:
        console.print(
            f"note: {config.video}: {len(clip)} frames at the model's rate, fewer than {config.frames}", soft_wrap=True
        )
    with removed_if_empty(config.out), counting("projecting") as bar:
        require_writable(config.out)
        found = project(
            pipe,
            clip,
            steps=config.steps,
            candidates=config.candidates,
            label=config.label,
            seed=config.seed,
            progress=lambda done, total, _: bar(done, total),
        )
    save_latent(found.latent, config.out / "latent.safetensors")
    save_motion(found.motion, config.out / "motion.safetensors")
    save_video(Video(found.frames, fps=pipe.fps), config.out / "reached.mp4")
    save_image(config.out / "sheet.png", contact_sheet([clip, found.frames]))
    console.print(f"distance {found.distance:.5f} (pixels at several sizes), PSNR {picture_psnr(clip, found.frames):.2f} dB")
    for name in ("latent.safetensors", "motion.safetensors", "reached.mp4", "sheet.png"):
        console.print(str(config.out / name), soft_wrap=True)
