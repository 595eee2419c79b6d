"""Clips for a training out of shards that are read as it goes: in the place of a `ClipSampler`, for what fits on no disk."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from latentreel.core.errors import InputError
from latentreel.data.shard_sampling import ShardClip, ShardPosition, ShardSampler
from latentreel.media.video_stream import UNKNOWN_FPS

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class ShardFacts:
    """What is known of the clips without a store of them."""

    digest: str
    """Tells other shards, by name, and other clips apart; what is in the shards nobody has seen."""

    resolution: int

    fps: tuple[float, ...]
    """Of the video that was last read."""


class StreamedClips:
    """Batches that follow each other; where to go on is a position, and no function of the step."""

    def __init__(self, shards: ShardSampler) -> None:
        self.num_frames = shards.num_frames
        self.position = ShardPosition()
        """Of this process's next clip."""
        self._shards = shards
        self._clips: Iterator[ShardClip] | None = None
        self._fps = UNKNOWN_FPS

    @property
    def store(self) -> ShardFacts:
        """What a `FrameStore` would tell."""
        shards = self._shards
        told = (shards.shards, shards.num_frames, shards.frame_step, shards.resolution, shards.fit, shards.buffer)
        return ShardFacts(hashlib.sha256(repr(told).encode()).hexdigest(), shards.resolution, (self._fps,))

    def batch(self, step: int, size: int, rank: int = 0, world_size: int = 1) -> Pixels:  # noqa: ARG002 (the form of a `ClipSampler`)
        """This process's share of the next batch, uint8 [N, T, H, W, 3]; the shards know which process this is.

        Raises:
            InputError: The shards give no clip.
        """
        if self._clips is None:
            self._clips = self._shards.clips(self.position)
        clips = list(islice(self._clips, size))
        self.position, self._fps = clips[-1].following, clips[-1].fps
        return np.stack([clip.pixels for clip in clips])

    def go_on(self, positions: Sequence[dict[str, int]]) -> None:
        """Takes up the positions of all processes, as they were saved; none: begins anew.

        Raises:
            InputError: There were more or fewer processes.
        """
        if positions and len(positions) != self._shards.world_size:
            problem = "a run that streams its data goes on with as many processes as before"
            raise InputError(problem, given=self._shards.world_size, allowed=len(positions))
        self.position = ShardPosition(**positions[self._shards.rank]) if positions else ShardPosition()
        self._clips = None

    def place(self) -> dict[str, int]:
        """The position of this process, to be saved."""
        return asdict(self.position)
