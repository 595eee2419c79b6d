"""Clips drawn at random from a frame store, as a pure function of a seed and a step: nothing to save, nothing to resume."""

from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from latentreel.core.errors import InputError
from latentreel.core.randomness import numpy_generator
from latentreel.data.frame_store import FrameStore

Pixels = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.int64]
Weighting = Literal["frames", "videos"]


class FramePlacement(Protocol):
    """A rule that chooses the frames of clips."""

    @property
    def num_frames(self) -> int:
        """T; every scene of at least so many frames is long enough."""
        ...

    def draw(self, lengths: Indices, random: np.random.Generator) -> Indices:
        """Places of the frames of clips in scenes of so many frames each [N]: ascending, [N, T]."""
        ...


class ClipSampler:
    """Draws clips of T frames; images are clips of one. No clip spans a scene cut. Scenes too short for a clip are left out.

    The frames of a clip are `frame_step` apart; or spread over `clip_seconds`, whatever the rate of the video; or where a
    `placement` puts them. No other frame is read.
    """

    def __init__(
        self,
        store: FrameStore,
        *,
        num_frames: int,
        frame_step: int = 1,
        clip_seconds: float | None = None,
        placement: FramePlacement | None = None,
        seed: int,
        mirror: bool = False,
        weighting: Weighting = "frames",
    ) -> None:
        """Finds out which scenes are long enough.

        Args:
            store: The frames.
            num_frames: Frames of a clip, T.
            frame_step: Distance of neighbours in a clip, in frames of the video.
            clip_seconds: How long a clip lasts, in place of `frame_step`: frame k is the one shown at k / T of that time.
                A video of fewer frames per second repeats some.
            placement: Puts the frames of a clip where it wants, in place of both.
            seed: Fixes every batch.
            mirror: Whether each clip is flipped left to right with probability 1/2.
            weighting: "frames": every clip that fits anywhere is equally likely, so long videos are drawn more often (with a
                placement, every place for the shortest clip); "videos": every video is, and every clip within it.

        Raises:
            InputError: A number is out of range, two ways to place frames are asked for, or no scene is long enough.
        """
        _check(num_frames, frame_step, clip_seconds, placement, weighting)
        self.store = store
        self.num_frames = num_frames
        self.frame_step = frame_step
        self.clip_seconds = clip_seconds
        self.placement = placement
        self.seed = seed
        self.mirror = mirror
        self.weighting = weighting
        self._places = self._frames_of_clips()
        if num_frames > 1 and (np.diff(self._places, axis=1) > 0).mean(axis=1).max() < 0.5:
            raise InputError(
                "most frames of a clip would be the frame before again",
                given=f"clip_seconds={clip_seconds:g} for {num_frames} frames",
                allowed=f"{num_frames / max(store.fps):.3g} seconds or more, or fewer frames",
            )
        spans = self._places[:, -1] + 1
        videos, firsts, lengths = store.scenes()
        starts = np.maximum(lengths - spans[videos] + 1, 0)  # how many clips begin in each scene, [S]
        usable = np.flatnonzero(starts)
        if not len(usable):
            raise InputError(
                "no video is long enough for a clip",
                given=f"{lengths.max()} frames in the longest" + (" without a cut" if any(store.cuts) else ""),
                allowed=f"{spans.min()} frames or more for {self._asked()}",
                fix="lower what makes clips long, or add longer videos",
            )
        self._video, self._first, self._starts = videos[usable], firsts[usable], starts[usable]
        self._lengths = lengths[usable]
        self._ends = np.cumsum(self._starts)
        self._video_first = np.flatnonzero(np.diff(self._video, prepend=-1))  # the first usable scene of every usable video
        self._frames = np.asarray(store.frames)  # a plain view: indexing a memmap costs more

    @property
    def num_clips(self) -> int:
        """At how many places a clip can begin."""
        return int(self._ends[-1])

    @property
    def usual_step(self) -> int:
        """Distance of neighbours in a clip: `frame_step`, or what comes next to it in the middle one of the videos' rates."""
        if self.clip_seconds is None:
            return self.frame_step
        rates = sorted(self.store.fps)
        return max(1, round(rates[len(rates) // 2] * self.clip_seconds / self.num_frames))

    def batch(self, step: int, size: int, rank: int = 0, world_size: int = 1) -> Pixels:
        """One process's share of the batch of a step.

        Args:
            step: Counts batches; the same step gives the same clips.
            size: Clips per process, N.
            rank: This process.
            world_size: How many processes there are; together they get what one would for `size * world_size`.

        Returns:
            uint8 [N, T, H, W, 3].
        """
        return self.timed_batch(step, size, rank, world_size)[0]

    def timed_batch(self, step: int, size: int, rank: int = 0, world_size: int = 1) -> tuple[Pixels, Indices]:
        """As `batch`, and when each frame is shown.

        Returns:
            uint8 [N, T, H, W, 3], and how many frames of the video after the clip's first one each is, [N, T].
        """
        assert 0 <= rank < world_size
        share = slice(rank * size, (rank + 1) * size)
        scene, start, places, flipped = self._draw(step, size * world_size)
        scene, start, places, flipped = scene[share], start[share], places[share], flipped[share]
        first = self.store.offsets[self._video[scene]] + self._first[scene] + start
        clips = self._frames[first[:, None] + places]  # [N, T, H, W, 3]
        if self.mirror:
            for i in np.flatnonzero(flipped):
                _mirror(clips[i])
        return clips, places

    def videos_of(self, step: int, size: int, rank: int = 0, world_size: int = 1) -> Indices:
        """From which video of the store each clip of the same batch is, [N]."""
        videos: Indices = self._video[self._draw(step, size * world_size)[0]]
        return videos[rank * size : (rank + 1) * size]

    def _frames_of_clips(self) -> Indices:
        """Which frames of a clip's stretch it takes, by video, [V, T]."""
        count = np.arange(self.num_frames)
        if self.clip_seconds is None:
            return np.broadcast_to(count * self.frame_step, (len(self.store.lengths), self.num_frames))
        seconds = count * (self.clip_seconds / self.num_frames)
        places: Indices = np.floor(np.outer(self.store.fps, seconds) + 0.5).astype(np.int64)
        return places

    def _draw(self, step: int, count: int) -> tuple[Indices, Indices, Indices, npt.NDArray[np.bool_]]:
        """The clips of a step: the scene of each, its first frame there, [count]; the frames it takes, [count, T]; if flipped."""
        random = numpy_generator(self.seed, "clips", step)
        if self.weighting == "frames":
            clip = random.integers(self.num_clips, size=count)
        else:
            before = (self._ends - self._starts)[self._video_first]  # clips of the videos before
            video = random.integers(len(before), size=count)
            clip = before[video] + random.integers(np.diff(before, append=self.num_clips)[video])
        scene = np.searchsorted(self._ends, clip, side="right")
        start = clip - (self._ends - self._starts)[scene]
        flipped = random.random(count) < 0.5
        if self.placement is None:
            return scene, start, self._places[self._video[scene]], flipped
        places = self.placement.draw(self._lengths[scene], random)
        return scene, places[:, 0], places - places[:, :1], flipped

    def _asked(self) -> str:
        if self.placement is not None:
            return f"--num-frames {self.num_frames}"
        if self.clip_seconds is not None:
            return f"--num-frames {self.num_frames} over {self.clip_seconds:g} seconds"
        return f"--num-frames {self.num_frames} with --frame-step {self.frame_step}"


def _check(
    num_frames: int, frame_step: int, clip_seconds: float | None, placement: FramePlacement | None, weighting: str
) -> None:
    if num_frames < 1 or frame_step < 1:
        raise InputError("clips need frames", given=f"num_frames={num_frames}, frame_step={frame_step}", allowed="1 or more")
    if clip_seconds is not None and not 0 < clip_seconds < float("inf"):
        raise InputError("clip_seconds is out of range", given=clip_seconds, allowed="above 0")
    if (frame_step > 1) + (clip_seconds is not None) + (placement is not None) > 1:
        given = f"frame_step={frame_step}, clip_seconds={clip_seconds}, placement={placement}"
        raise InputError(
            "frames can be placed in one way only", given=given, allowed="one of frame_step, clip_seconds, placement"
        )
    assert placement is None or placement.num_frames == num_frames
    if weighting not in ("frames", "videos"):
        raise InputError("unknown weighting of videos", given=weighting, allowed="frames, videos")


def _mirror(clip: Pixels) -> None:
    """Flips a clip left to right, in place; channel by channel, which is five times as fast as pixel by pixel."""
    original = clip.copy()
    for channel in range(3):
        clip[..., channel] = original[:, :, ::-1, channel]
