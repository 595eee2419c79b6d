"""Clips drawn from shards as they are read, for what is too much to be decoded and kept: every video gives one clip per epoch.

Videos are read one after the other, and their clips collected until there are so many; those are given in random order, and then
the next are collected. So a position in the endless row of clips is four numbers, from which reading goes on exactly. Every epoch
reads the shards anew; whoever writes into a pipe must then write again.
"""

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np
import numpy.typing as npt

from latentreel.core.errors import InputError
from latentreel.core.randomness import numpy_generator
from latentreel.data.framing import framed
from latentreel.data.scene_cuts import with_scene_starts
from latentreel.data.shards import find_shards, stream_samples
from latentreel.data.source_items import Expect, SourceItem, items_among
from latentreel.data.working_ahead import in_order
from latentreel.media.limits import DEFAULT_LIMITS, DecodeLimits

Pixels = npt.NDArray[np.uint8]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ShardPosition:
    """Where one process stands in its endless row of clips."""

    epoch: int = 0
    shard: int = 0
    """Of the shards that fall to the process in this epoch."""
    video: int = 0
    """Of that shard: the first of the videos that are collected together."""
    given: int = 0
    """How many of the clips that were collected there have been given already."""


@dataclass(frozen=True, eq=False)
class ShardClip:
    """A clip, where it is from, and where to go on."""

    pixels: Pixels
    """uint8 [T, H, W, 3]."""

    name: str
    label: str
    """Its class; empty where it has none."""

    fps: float
    """Frames per second of its video."""

    following: ShardPosition
    """The position of the next clip."""


_Video = tuple[str, SourceItem, ShardPosition]  # its name in all shards, itself, and the position behind it


class ShardSampler:
    """Draws clips of T frames, `frame_step` apart. Stills are clips of one frame.

    Videos too short for a clip, and whatever is damaged, are left out with a warning.
    """

    def __init__(
        self,
        shards: Path | str | Sequence[str],
        *,
        num_frames: int,
        frame_step: int = 1,
        resolution: int,
        fit: Literal["crop", "pad"] = "crop",
        seed: int,
        mirror: bool = False,
        buffer: int = 256,
        limits: DecodeLimits = DEFAULT_LIMITS,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        """Finds the shards; reads none.

        Args:
            shards: As for `find_shards`.
            num_frames: Frames of a clip, T.
            frame_step: Distance of neighbours in a clip, in frames of the video.
            resolution: Rows and columns of a frame.
            fit: What becomes of frames that are no squares.
            seed: Fixes every clip, and their order.
            mirror: Whether each clip is flipped left to right with probability 1/2.
            buffer: How many clips are collected before they are given in random order. Up to twice as many are in memory.
            limits: What a file may ask for.
            rank: This process.
            world_size: How many processes there are. In every epoch each shard falls to one of them.

        Raises:
            InputError: There is no shard, there are more processes than shards, or a number is out of range.
        """
        for name, number in {
            "num_frames": num_frames,
            "frame_step": frame_step,
            "resolution": resolution,
            "buffer": buffer,
        }.items():
            if number < 1:
                raise InputError(f"{name} is out of range", given=number, allowed="1 or more")
        if fit not in ("crop", "pad"):
            raise InputError("frames from shards have one size", given=fit, allowed="crop, pad")
        assert 0 <= rank < world_size
        self.shards = find_shards(shards)
        if len(self.shards) < world_size:
            fix = "divide the data into more shards"
            raise InputError("there are fewer shards than processes", given=f"{len(self.shards)} for {world_size}", fix=fix)
        self.num_frames = num_frames
        self.frame_step = frame_step
        self.resolution = resolution
        self.fit = fit
        self.seed = seed
        self.mirror = mirror
        self.buffer = buffer
        self.limits = limits
        self.rank = rank
        self.world_size = world_size
        self._problem = ""

    def clips(self, position: ShardPosition | None = None) -> Iterator[ShardClip]:
        """The endless row of this process's clips, from a position on.

        Raises:
            InputError: The shards give no clip.
        """
        here = position or ShardPosition()
        empty_epochs = 0
        while True:
            found = in_order(partial(self._draw, epoch=here.epoch), self._videos(here))
            clips = (clip for clip in found if clip is not None)
            start = here
            empty_epochs += here == ShardPosition(here.epoch)
            while collected := list(islice(clips, self.buffer)):
                empty_epochs = 0
                end = collected[-1].following
                order = numpy_generator(self.seed, "clips of shards", self.rank, start.epoch, start.shard, start.video)
                for given, index in enumerate(order.permutation(len(collected)), 1):
                    if given > start.given:
                        following = end if given == len(collected) else replace(start, given=given)
                        yield replace(collected[index], following=following)
                start = end
            if empty_epochs >= self.world_size:  # in another epoch, other shards fall to this process
                raise InputError("no video in the shards gives a clip", given=self._problem or None)
            here = ShardPosition(here.epoch + 1)

    def _videos(self, start: ShardPosition) -> Iterator[_Video]:
        """The videos of the rest of an epoch, in the order in which they are read."""
        order = numpy_generator(self.seed, "shards", start.epoch).permutation(len(self.shards))[self.rank :: self.world_size]
        for number, index in list(enumerate(order))[start.shard :]:
            skipped = start.video if number == start.shard else 0
            shard = self.shards[index]
            for video, item in islice(enumerate(self._items(shard, start.epoch)), skipped, None):
                yield f"{PurePosixPath(shard).stem}/{item.name}", item, ShardPosition(start.epoch, number, video + 1)

    def _items(self, shard: str, epoch: int) -> Iterator[SourceItem]:
        expect: Expect = "images" if self.num_frames == 1 else "videos"
        try:
            for sample in stream_samples(shard, expect=expect):
                yield from items_among(sample, expect=expect, in_shard=True, limits=self.limits)[1]
        except InputError as error:
            self._note(str(error), epoch)

    def _draw(self, video: _Video, *, epoch: int) -> ShardClip | None:
        """A clip of a video, each equally likely, within a scene; none where the video is of no use.

        Holds few more frames than a clip spans.
        """
        name, item, following = video
        span = (self.num_frames - 1) * self.frame_step + 1
        random = numpy_generator(self.seed, "clip of a shard", epoch, name)
        window: deque[Pixels] = deque(maxlen=span)
        chosen: list[Pixels] = []
        num_clips = 0
        try:
            stream = item.open()
            for frame, begins_scene in with_scene_starts(stream.frames, self._framed):
                if begins_scene:
                    window.clear()
                window.append(frame)
                if len(window) == span:
                    num_clips += 1
                    if random.integers(num_clips) == 0:  # so every clip stays with probability 1 / num_clips
                        chosen = list(window)[:: self.frame_step]
            if not chosen:
                raise InputError(f"{name} is too short, or each of its scenes is", allowed=f"{span} frames or more")
        except InputError as error:
            self._note(str(error), epoch)
            return None
        clip = np.stack(chosen)
        if self.mirror and random.random() < 0.5:
            clip = np.ascontiguousarray(clip[:, :, ::-1])
        return ShardClip(clip, name, item.label, stream.fps, following)

    def _framed(self, frame: Pixels) -> Pixels:
        return framed(frame, self.resolution, self.fit)

    def _note(self, problem: str, epoch: int) -> None:
        """Warns once of what is met in every epoch."""
        self._problem = self._problem or problem
        _log.log(logging.DEBUG if epoch else logging.WARNING, "left out: %s", problem)
