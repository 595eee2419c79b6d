"""What makes a clip, as flags: what `generate`, `interpolate` and `transfer` share."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import tyro

from latentreel.core.errors import InputError

if TYPE_CHECKING:
    from latentreel.pipelines.video_pipeline import VideoPipeline

P = TypeVar("P", bound="VideoPipeline")
SAME = ("truncation", "noise", "label", "fps", "hold", "strength", "loop", "to_seed", "start_seconds", "speed")
"""Flags that are settings of clips as they stand."""


@dataclass(frozen=True, kw_only=True)
class ClipConfig:
    """A model, and what its clips show and do."""

    model: Annotated[str, tyro.conf.Positional] = "faces"
    """A bundle, the folder of a run, a released StyleGAN-V (.pkl), or the name of a model that ships."""

    seeds: tuple[int, ...] = (0,)
    """Contents: each seed is another first frame."""

    motion_seeds: tuple[int, ...] = (0,)
    """Motions: each seed is another way to go on."""

    latent: Path | None = None
    """A content that is given instead of one from a seed: a file that `latentreel invert` wrote."""

    frames: int = 16
    """Frames in each video; any number, in constant memory."""

    hold: float = 0.0625
    """Past the 16th frame, the share of its way to the first latent that each latent is led back: without (0) pictures drift away
    and break, with 1 they stand still."""

    strength: float = 1.0
    """What the motion is multiplied by: 0 stands still, 1 moves as learned."""

    loop: bool = False
    """Lead the end back to the beginning, for videos that repeat without a seam; a StyleGAN-V's round is a whole number of the
    distances between its anchors, usually 16 frames."""

    directions: tuple[Path, ...] = ()
    """Changes to the contents, as `latentreel edit --save` writes them."""

    direction_strengths: tuple[float, ...] = ()
    """How far to go along each of them; by default 1."""

    style_seed: int | None = None
    """Another content, which some layers of a StyleGAN2 or a StyleGAN-V follow."""

    style_layers: tuple[int, int] = (4, 7)
    """The first and the last of these layers: the lowest hold shapes and poses, the highest colours."""

    to_seed: int | None = None
    """Another content, which the first one becomes little by little until the last frame."""

    start_seconds: float | None = None
    """When a StyleGAN-V's clip begins; by default at 0, or, if it goes backwards, so that it ends there."""

    speed: float = 1.0
    """How fast time goes for a StyleGAN-V: 0.5 is slow motion, -1 goes backwards."""

    truncation: float = 1.0
    """1 leaves the content as drawn; smaller values are plainer and cleaner."""

    noise: Literal["none", "fixed"] = "none"
    """Per-layer noise of a StyleGAN2: absent, or the same maps for every frame."""

    label: int | None = None
    """Class of the contents, for image generators that have classes; by default each seed chooses one."""

    fps: float | None = None
    """Frames per second; by default those of the training clips. A MoCoGAN-HD's frames are shown slower or faster; a StyleGAN-V
    draws others, and shows the same motion."""

    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Number format of the heavy operators."""

    device: Literal["auto", "cpu"] = "auto"
    """auto takes the accelerator if there is one."""

    def __post_init__(self) -> None:
        if self.frames < 1:
            raise InputError("frames is out of range", given=self.frames, allowed="at least 1")
        if self.direction_strengths and len(self.direction_strengths) != len(self.directions):
            given = f"{len(self.directions)} directions, {len(self.direction_strengths)} strengths"
            raise InputError("not every direction has a strength", given=given, allowed="as many of each, or no strengths")
        if self.fps is not None and not 0 < self.fps < 1000:
            raise InputError("fps is out of range", given=self.fps, allowed="above 0 and below 1000 frames per second")
        if not self.seeds or not self.motion_seeds:
            raise InputError("a seed is missing", fix="give at least one of --seeds and --motion-seeds")
        if self.latent is not None and self.seeds != (0,):
            raise InputError(
                "a given content and contents from seeds exclude each other", given=self.latent, fix="drop --seeds"
            )


def open_pipeline(config: ClipConfig, load: "Callable[[str], P]") -> "P":
    """The model that a config names, on its device, in its precision; `load` is the `load` of the kind that is wanted."""
    from accelerate import Accelerator

    from latentreel.core.precision import set_precision

    set_precision(config.precision)
    return load(config.model).to(Accelerator(cpu=config.device == "cpu").device)


def clip_settings(config: ClipConfig) -> dict[str, Any]:
    """What a config says of every clip: what is not the default, so that no kind of model is told what it cannot follow."""
    from latentreel.checkpoints.recordings import load_direction, load_latent
    from latentreel.sampling.latents import StyleMix

    defaults = {field.name: field.default for field in fields(config)}
    settings = {name: value for name in SAME if (value := getattr(config, name)) != defaults[name]}
    if config.directions:
        strengths = config.direction_strengths or (1.0,) * len(config.directions)
        settings["directions"] = tuple(zip(map(load_direction, config.directions), strengths, strict=True))
    if config.style_seed is not None:
        settings["style_mix"] = StyleMix(config.style_seed, *config.style_layers)
    if config.latent is not None:
        settings["latent"] = load_latent(config.latent)
    return {"num_frames": config.frames, **settings}
