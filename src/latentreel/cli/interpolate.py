"""`latentreel interpolate MODEL --factor N`: the videos of `generate` with more frames between the same ones."""

from dataclasses import dataclass
from typing import Literal

from latentreel.cli.arguments import parse
from latentreel.cli.generate import GenerateConfig, write_videos


@dataclass(frozen=True, kw_only=True)
class InterpolateConfig(GenerateConfig):
    """Makes videos with more frames: latents between those that the motion generator gives (App. C).

    The same time with more frames per second; with --fps as before, slow motion.
    """

    factor: int = 2
    """Steps for every step; 2 puts a frame between any two, as the released program does."""

    method: Literal["spline", "linear"] = "spline"
    """Along a curve that turns smoothly, or along straight lines as released."""


def run(arguments: list[str]) -> None:
    """Parses, generates, prints the paths."""
    config = parse(InterpolateConfig, arguments, command="interpolate")
    write_videos(config, interpolate=config.factor, interpolation=config.method)
