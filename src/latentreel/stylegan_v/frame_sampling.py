"""Which frames of a clip are looked at in training: a few, at random times (StyleGAN-V, Skorokhodov et al. 2022, Sec. 3.3).

Generated clips have the distances of the real ones beside them: the discriminator, which is told the distances, cannot tell the
sides apart by them, however short the videos are. But a generated clip may begin between two frames.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from torch import Tensor

from latentreel.core.errors import InputError

Pattern = Literal["random", "uniform"]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class FrameSampling:
    """How the frames of a clip are drawn from a video. A `FramePlacement` of `ClipSampler`."""

    num_frames: int = 3
    """k, the frames that are looked at."""

    max_distance: int = 32
    """Frames from the first of them to the last, at most."""

    pattern: Pattern = "random"
    """Where the others lie: anywhere between, or at equal distances."""

    def __post_init__(self) -> None:
        if self.num_frames < 2:
            raise InputError("num_frames is too small", given=self.num_frames, allowed="at least 2")
        if self.max_distance < self.num_frames - 1:
            allowed = f"at least {self.num_frames - 1}, for {self.num_frames} frames"
            raise InputError("max_distance is too small", given=self.max_distance, allowed=allowed)
        if self.pattern not in ("random", "uniform"):
            raise InputError("unknown pattern of frames", given=self.pattern, allowed="random, uniform")

    def draw(self, lengths: Indices, random: np.random.Generator) -> Indices:
        """Places of the frames of some clips.

        The distance from the first to the last is drawn evenly from all that are allowed and fit into the video, then the place of
        the first evenly from where that distance fits, then the frames between.

        Args:
            lengths: Frames of each clip's video [N].
            random: Where the choices come from.

        Returns:
            [N, k], ascending, from 0 to length - 1 of the video.

        Raises:
            InputError: A video has fewer frames than are looked at.
        """
        count, between = len(lengths), self.num_frames - 1
        if count and lengths.min() <= between:
            raise InputError("a video is too short", given=f"{lengths.min()} frames", allowed=f"at least {self.num_frames}")
        longest = np.minimum(lengths - 1, self.max_distance)
        if self.pattern == "uniform":
            steps = random.integers(1, longest // between, endpoint=True)
            places = steps[:, None] * np.arange(self.num_frames)
        else:
            spans = random.integers(between, longest, endpoint=True)
            keys = random.random([count, self.max_distance - 1])
            keys[np.arange(1, self.max_distance) >= spans[:, None]] = np.inf
            inner = 1 + np.sort(np.argsort(keys, axis=1)[:, : between - 1], axis=1)
            places = np.concatenate([np.zeros_like(spans)[:, None], inner, spans[:, None]], axis=1)
        start = random.integers(0, lengths - 1 - places[:, -1], endpoint=True)
        return (start[:, None] + places).astype(np.int64)


def generated_times(distances: Tensor, begins: Tensor, *, max_frames: int) -> Tensor:
    """Times of generated frames, at the distances of real ones.

    Args:
        distances: Of each frame from the first of its clip [N, k], whole.
        begins: Where in their videos the clips begin: uniform in [0, 1), [N].
        max_frames: No time is beyond max_frames - 1.

    Returns:
        float64 [N, k], in frames, from 0 on.
    """
    room = max_frames - 1 - distances[:, -1].double()
    return (begins.double() * room)[:, None] + distances
