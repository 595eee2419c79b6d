"""Clips drawn at random from a frame store, as a pure function of a seed and a step: nothing to save, nothing to resume."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from latentreel.core.errors import InputError
from latentreel.core.randomness import numpy_generator
from latentreel.data.frame_store import FrameStore

Pixels = npt.NDArray[np.uint8]
Weighting = Literal["frames", "videos"]


class ClipSampler:
    """Draws clips of T frames, `frame_step` apart. Images are clips of one frame.

    Videos too short for a clip are left out.
    """

    def __init__(
        self,
        store: FrameStore,
        *,
        num_frames: int,
        frame_step: int = 1,
        seed: int,
        mirror: bool = False,
        weighting: Weighting = "frames",
    ) -> None:
        """Finds out which videos are long enough.

        Args:
            store: The frames.
            num_frames: Frames of a clip, T.
            frame_step: Distance of neighbours in a clip, in frames of the video.
            seed: Fixes every batch.
            mirror: Whether each clip is flipped left to right with probability 1/2.
            weighting: "frames": every clip that fits anywhere is equally likely, so long videos are drawn more often;
                "videos": every video is, and every clip within it.

        Raises:
            InputError: A number is out of range, or no video is long enough.
        """
        if num_frames < 1 or frame_step < 1:
            raise InputError(
                "clips need frames", given=f"num_frames={num_frames}, frame_step={frame_step}", allowed="1 or more"
            )
        if weighting not in ("frames", "videos"):
            raise InputError("unknown weighting of videos", given=weighting, allowed="frames, videos")
        self.store = store
        self.num_frames = num_frames
        self.frame_step = frame_step
        self.seed = seed
        self.mirror = mirror
        self.weighting = weighting
        span = (num_frames - 1) * frame_step + 1
        starts = np.maximum(store.lengths - span + 1, 0)  # how many clips begin in each video, [V]
        self.videos = np.flatnonzero(starts)
        """Which videos of the store are long enough."""
        if not len(self.videos):
            raise InputError(
                "no video is long enough for a clip",
                given=f"{store.lengths.max()} frames in the longest",
                allowed=f"{span} frames or more for --num-frames {num_frames} with --frame-step {frame_step}",
                fix="lower --num-frames or --frame-step, or add longer videos",
            )
        self._starts = starts[self.videos]
        self._ends = np.cumsum(self._starts)
        self._pattern = np.arange(num_frames) * frame_step
        self._frames = np.asarray(store.frames)  # a plain view: indexing a memmap costs more

    @property
    def num_clips(self) -> int:
        """How many different clips there are."""
        return int(self._ends[-1])

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
        assert 0 <= rank < world_size
        share = slice(rank * size, (rank + 1) * size)
        first, flipped = (drawn[share] for drawn in self._draw(step, size * world_size))
        clips = self._frames[first[:, None] + self._pattern]  # [N, T, H, W, 3]
        if self.mirror:
            for i in np.flatnonzero(flipped):
                _mirror(clips[i])
        return clips

    def clip(self, video: int, start: int) -> Pixels:
        """The clip of one place, never flipped.

        Args:
            video: Index in the store.
            start: First frame.

        Returns:
            uint8 [T, H, W, 3].

        Raises:
            InputError: The video has no such clip.
        """
        last = int(self.store.lengths[video]) - 1 - int(self._pattern[-1])
        if not 0 <= start <= last:
            raise InputError(
                f"{self.store.names[video]} has no clip there",
                given=f"start {start}",
                allowed=f"0 to {last}" if last >= 0 else "none",
            )
        clip: Pixels = self._frames[self.store.offsets[video] + start + self._pattern]
        return clip

    def _draw(self, step: int, count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Where in the store the clips of a step begin, and which are flipped, [count] each."""
        random = numpy_generator(self.seed, "clips", step)
        if self.weighting == "frames":
            clip = random.integers(self.num_clips, size=count)
            chosen = np.searchsorted(self._ends, clip, side="right")
            start = clip - (self._ends - self._starts)[chosen]
        else:
            chosen = random.integers(len(self.videos), size=count)
            start = random.integers(self._starts[chosen])
        return self.store.offsets[self.videos[chosen]] + start, random.random(count) < 0.5


def _mirror(clip: Pixels) -> None:
    """Flips a clip left to right, in place; channel by channel, which is five times as fast as pixel by pixel."""
    original = clip.copy()
    for channel in range(3):
        clip[..., channel] = original[:, :, ::-1, channel]
