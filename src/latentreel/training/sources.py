"""Where training data comes from: a folder, or a procedural world. Either way it becomes a frame store on disk."""

from collections.abc import Callable
from typing import Literal

from latentreel.data.frame_store import FrameStore, open_frame_store, open_generated_store
from latentreel.training.config import RunConfig
from latentreel.worlds.registry import open_world

WORLD = "world:"
WORLD_VERSION = 1  # raised when a world draws other pixels for the same seed


def open_training_data(
    config: RunConfig,
    *,
    resolution: int,
    expect: Literal["videos", "images"],
    progress: Callable[[int, int], None] | None = None,
) -> FrameStore:
    """Decodes (or draws) everything once; later calls open what is kept.

    Args:
        config: Its `data` is a path, or "world:NAME".
        resolution: Height and width of the frames.
        expect: What a folder of loose pictures means: stills, or the frames of one video.
        progress: Called with items done and items in all.

    Raises:
        InputError: The folder is missing or holds nothing usable, or there is no such world.
    """
    if not config.data.startswith(WORLD):
        return open_frame_store(config.data, resolution=resolution, expect=expect, progress=progress)
    name = config.data.removeprefix(WORLD)
    world = open_world(name, resolution=resolution, num_frames=config.world_frames, seed=config.seed)
    return open_generated_store(
        lambda index: world.video(index).video,
        key=f"{world!r} version {WORLD_VERSION}",
        num_videos=config.world_videos,
        resolution=resolution,
        progress=progress,
    )
