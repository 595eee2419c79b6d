"""Where training data comes from: a folder, or a procedural world. Either way it becomes a frame store on disk."""

from collections.abc import Callable
from typing import Literal

from latentreel.core.errors import InputError
from latentreel.data.frame_store import FrameStore, open_frame_store, open_generated_store
from latentreel.data.shard_sampling import ShardSampler
from latentreel.data.shards import is_stream
from latentreel.data.splits import split
from latentreel.data.streamed_clips import StreamedClips
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


def is_streamed(config: RunConfig) -> bool:
    """Whether data is read as the run goes."""
    return config.stream or (not config.data.startswith(WORLD) and is_stream(config.data))


def open_streamed(
    config: RunConfig, *, resolution: int, num_frames: int, frame_step: int, rank: int, world_size: int
) -> StreamedClips:
    """Clips out of shards that nobody keeps.

    Raises:
        InputError: There is no shard, or a choice needs everything on disk.
    """
    if config.data.startswith(WORLD):
        raise InputError("a world is no archive that could be streamed", given=config.data, fix="leave out --stream")
    if config.weighting != "frames" or config.held_out or config.score_items is not None:
        allowed = "no weighting, held_out or score_kimg, score_kclips"
        raise InputError("this needs the data on disk, and it is streamed", allowed=allowed, fix="download it")
    limits = DecodeLimits(max_frame_pixels=config.max_frame_pixels, max_frames=config.max_video_frames)
    shards = ShardSampler(
        config.data,
        num_frames=num_frames,
        frame_step=frame_step,
        resolution=resolution,
        fit=config.fit,
        seed=config.seed,
        mirror=config.mirror,
        limits=limits,
        rank=rank,
        world_size=world_size,
    )
    return StreamedClips(shards)
