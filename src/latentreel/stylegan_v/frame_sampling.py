"""Which frames of a clip are looked at in training: a few, at random times (StyleGAN-V, Skorokhodov et al. 2022, Sec. 3.3).

Real and generated clips are sampled alike, but that a generated one may begin between two frames. Distances are whole numbers on
both sides: the discriminator is told them, and would else tell the sides apart by them.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from latentreel.core.errors import InputError

Pattern = Literal["random", "uniform"]
Times = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class FrameSampling:
    """How the times of a clip's frames are drawn."""

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


def draw_times(
    sampling: FrameSampling, lengths: npt.NDArray[np.int64], random: np.random.Generator, *, fractional: bool
) -> Times:
    """Times of the frames of some clips.

    The distance from the first to the last is drawn evenly from all that are allowed and fit into the video, then the place of the
    first evenly from where that distance fits, then the frames between.

    Args:
        sampling: The rule.
        lengths: Frames of each clip's video [N].
        random: Where the choices come from.
        fractional: Whether a clip may begin between two frames, as a generated one may; distances stay whole.

    Returns:
        [N, k], ascending, from 0 to length - 1 of the video.

    Raises:
        InputError: A video has fewer frames than are looked at.
    """
    count, between = len(lengths), sampling.num_frames - 1
    if count and lengths.min() <= between:
        raise InputError("a video is too short", given=f"{lengths.min()} frames", allowed=f"at least {sampling.num_frames}")
    longest = np.minimum(lengths - 1, sampling.max_distance)
    if sampling.pattern == "uniform":
        steps = random.integers(1, longest // between, endpoint=True)
        places = steps[:, None] * np.arange(sampling.num_frames)
    else:
        spans = random.integers(between, longest, endpoint=True)
        keys = random.random([count, sampling.max_distance - 1])
        keys[np.arange(1, sampling.max_distance) >= spans[:, None]] = np.inf
        inner = 1 + np.sort(np.argsort(keys, axis=1)[:, : between - 1], axis=1)
        places = np.concatenate([np.zeros_like(spans)[:, None], inner, spans[:, None]], axis=1)
    room = lengths - 1 - places[:, -1]
    start = random.random(count) * room if fractional else random.integers(0, room, endpoint=True)
    return (start[:, None] + places).astype(np.float64)
