"""`latentreel data ACTION`: check and prepare videos for training; make a procedural world's."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from latentreel.cli.arguments import run_action
from latentreel.cli.data_check import CheckConfig, check
from latentreel.cli.data_prepare import PrepareConfig, RecipesConfig, prepare, show_recipes
from latentreel.core.errors import InputError


@dataclass(frozen=True, kw_only=True)
class MakeWorldConfig:
    """Draws videos of a procedural world, with the factors that made them in `factors.npz`."""

    world: Annotated[str, tyro.conf.Positional] = "faces"
    """Which world."""

    out: Path = Path("runs/world")
    """The folder for the videos and `factors.npz`."""

    videos: int = 100
    """How many videos."""

    frames: int = 32
    """Frames in each."""

    resolution: int = 64
    """Height and width: a power of two."""

    seed: int = 0
    """Another seed is another collection."""

    format: Literal["mp4", "frames"] = "mp4"
    """Videos, or folders of PNG frames (lossless)."""

    def __post_init__(self) -> None:
        if self.videos < 1:
            raise InputError("videos is out of range", given=self.videos, allowed="at least 1")


def make_world(config: MakeWorldConfig) -> None:
    """Draws the videos, prints where they are."""
    from latentreel.cli.progress import console, counting
    from latentreel.pipelines.world_videos import write_world
    from latentreel.worlds.registry import open_world

    world = open_world(config.world, resolution=config.resolution, num_frames=config.frames, seed=config.seed)
    with counting(f"drawing {config.world}") as progress:
        factors = write_world(world, config.out, num_videos=config.videos, format=config.format, progress=progress)
    console.print(f"{config.videos} videos and {factors}")


ACTIONS: dict[str, tuple[type[Any], Callable[[Any], None]]] = {
    "check": (CheckConfig, check),
    "prepare": (PrepareConfig, prepare),
    "recipes": (RecipesConfig, show_recipes),
    "make-world": (MakeWorldConfig, make_world),
}


def run(arguments: list[str]) -> None:
    """Dispatches to the action."""
    run_action("data", ACTIONS, arguments)
