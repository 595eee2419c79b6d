"""What makes a clip, as groups of flags: `generate`, `interpolate` and `transfer` take those that mean something to them."""

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

STYLE_LAYERS = (4, 7)


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What the groups of flags below stand on, so that each can hand checking on to the next."""

    def __post_init__(self) -> None:
        pass


@dataclass(frozen=True, kw_only=True)
class ContentConfig(Checked):
    """A model, and what its contents are drawn like."""

    model: Annotated[str, tyro.conf.Positional] = "faces"
    """A bundle, the folder of a run, a released StyleGAN-V (.pkl), or the name of a model that ships."""

    latent: Path | None = None
    """A content that is given instead of one from a seed: a file that `latentreel invert` wrote."""

    directions: tuple[Path, ...] = ()
    """Changes to the contents, as `latentreel edit --save` writes them."""

    direction_strengths: tuple[float, ...] = ()
    """How far to go along each of them, -20 to 20; by default 1."""

    truncation: float = 1.0
    """1 leaves the content as drawn; smaller values are plainer and cleaner."""

    label: int | None = None
    """Class of the contents, for image generators that have classes; by default each seed chooses one."""

    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Number format of the heavy operators."""

    device: Literal["auto", "cpu"] = "auto"
    """auto takes the accelerator if there is one."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.direction_strengths and len(self.direction_strengths) != len(self.directions):
            given = f"{len(self.directions)} directions, {len(self.direction_strengths)} strengths"
            raise InputError("not every direction has a strength", given=given, allowed="as many of each, or no strengths")


@dataclass(frozen=True, kw_only=True)
class OneContentConfig(ContentConfig):
    """A model, and one content."""

    seed: Annotated[int, tyro.conf.arg(aliases=("--seeds",))] = 0
    """The content: each seed is another first frame."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.latent is not None and self.seed:
            raise InputError(
                "a given content and one from a seed exclude each other", given=f"{self.latent}, {self.seed}", fix="drop --seed"
            )


@dataclass(frozen=True, kw_only=True)
class StyleConfig(Checked):
    """Layers that show another content."""

    style_seed: int | None = None
    """Another content, which some layers of a StyleGAN2 or a StyleGAN-V follow."""

    style_layers: tuple[int, int] | None = None
    """The first and the last of these layers: the lowest hold shapes and poses, the highest colours; by default 4 to 7."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.style_layers is not None and self.style_seed is None:
            first, last = self.style_layers
            raise InputError("layers follow no other content", given=f"layers {first} to {last}", fix="add --style-seed")


@dataclass(frozen=True, kw_only=True)
class MotionConfig(Checked):
    """What is done to a motion, wherever it comes from."""

    strength: float = 1.0
    """What the motion is multiplied by: 0 stands still, 1 moves as learned."""

    loop: bool = False
    """Lead the end back to the beginning, for videos that repeat without a seam; a StyleGAN-V's round is a whole number of the
    distances between its anchors, usually 16 frames."""


@dataclass(frozen=True, kw_only=True)
class WalkConfig(MotionConfig):
    """How a motion from a seed goes on."""

    frames: int = 16
    """Frames in each video; any number, in constant memory, but for a MoCoGAN-HD's loops, of which all latents are held."""

    hold: float = 0.0625
    """Past the 16th frame, the share of its way to the first latent that each latent is led back: without (0) pictures drift away
    and break, with 1 they stand still."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.frames < 1:
            raise InputError("frames is out of range", given=self.frames, allowed="at least 1")


def open_pipeline(config: ContentConfig, load: "Callable[[str], P]") -> "P":
    """The model that a config names, on its device, in its precision; `load` is the `load` of the kind that is wanted."""
    from accelerate import Accelerator

    from latentreel.core.precision import set_precision

    set_precision(config.precision)
    return load(config.model).to(Accelerator(cpu=config.device == "cpu").device)


def clip_settings(config: ContentConfig) -> dict[str, Any]:
    """What a config says of every clip: what is not the default, so that no kind of model is told what it cannot follow."""
    from latentreel.checkpoints.recordings import load_direction, load_latent
    from latentreel.sampling.latents import StyleMix

    defaults = {field.name: field.default for field in fields(config) if field.name in SAME}
    settings = {name: value for name, default in defaults.items() if (value := getattr(config, name)) != default}
    if config.directions:
        strengths = config.direction_strengths or (1.0,) * len(config.directions)
        settings["directions"] = tuple(zip(map(load_direction, config.directions), strengths, strict=True))
    if isinstance(config, StyleConfig) and config.style_seed is not None:
        settings["style_mix"] = StyleMix(config.style_seed, *(config.style_layers or STYLE_LAYERS))
    if config.latent is not None:
        settings["latent"] = load_latent(config.latent)
    if isinstance(config, WalkConfig):
        settings["num_frames"] = config.frames
    return settings
