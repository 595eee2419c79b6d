"""`latentreel interpolate MODEL --factor N`: the videos of `generate` with more frames between the same ones."""

from dataclasses import dataclass
from typing import Literal

from latentreel.cli.arguments import parse
from latentreel.cli.generate import GenerateConfig, write_videos
from latentreel.core.errors import InputError


@dataclass(frozen=True, kw_only=True)
class InterpolateConfig(GenerateConfig):
    """Makes videos with more frames in the same time.

    Of a MoCoGAN-HD: latents between those that the motion generator gives (App. C); with --fps as before, slow motion. Of a
    StyleGAN-V: frames drawn at the times between, which --fps and --speed of generate do as well.
    """

    factor: int = 2
    """Steps for every step; 2 puts a frame between any two, as the released program does."""

    method: Literal["spline", "linear"] | None = None
    """Along a curve that turns smoothly, as by default, or along straight lines as released."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.factor < 1:
            raise InputError("factor is out of range", given=self.factor, allowed="1 (none) or more")


def run(arguments: list[str]) -> None:
    """Parses, generates, prints the paths."""
    config = parse(InterpolateConfig, arguments, command="interpolate")
    method = {} if config.method is None else {"interpolation": config.method}
    write_videos(config, motion_seeds=config.motion_seeds, settings={"interpolate": config.factor, **method})
