"""Where training data comes from: a folder, or a procedural world. Either way it becomes a frame store on disk."""

from collections.abc import Callable
from typing import Literal

from latentreel.data.frame_store import FrameStore, open_frame_store, open_generated_store
from latentreel.data.splits import split
from latentreel.media.limits import DecodeLimits
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
        limits = DecodeLimits(max_frame_pixels=config.max_frame_pixels, max_frames=config.max_video_frames)
        return open_frame_store(
            config.data, resolution=resolution, expect=expect, fit=config.fit, limits=limits, progress=progress
        )
    name = config.data.removeprefix(WORLD)
    world = open_world(name, resolution=resolution, num_frames=config.world_frames, seed=config.seed)
    return open_generated_store(
        lambda index: world.video(index).video,
        key=f"{world!r} version {WORLD_VERSION}",
        num_videos=config.world_videos,
        resolution=resolution,
        progress=progress,
    )


def hold_out(store: FrameStore, config: RunConfig) -> tuple[FrameStore, list[str]]:
    """Parts what a run sees from what it does not. A group falls to the same part in every run, whatever its seed.

    Returns:
        What is trained on, and the names of the rest.

    Raises:
        InputError: A name has no group, or nothing falls to one of the parts.
    """
    if not config.held_out:
        return store, []
    parts = split(store.names, {"train": 1 - config.held_out, "held out": config.held_out}, by=config.group_by)
    return store.take(parts["train"]), [store.names[clip] for clip in parts["held out"]]
