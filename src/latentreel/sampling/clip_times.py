"""`ClipTimes`: when the frames of a clip are, in a model that draws any of them at any time.

StyleGAN-V (Skorokhodov et al. 2022), Sec. 3.1: time is a real number from 0 on, counted in frames of the training videos.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from latentreel.core.errors import InputError
from latentreel.stylegan_v.motion_codes import MAX_TIME

FARTHEST_STEP = 1000.0  # frames of the training videos: what is held of the motion grows with the distance
ROUNDING = 1e-6


@dataclass(frozen=True, kw_only=True)
class ClipTimes:
    """Evenly spaced times."""

    count: int
    """Frames of the clip."""

    start: float
    """The time of the first one."""

    step: float
    """From one to the next; negative goes backwards."""

    round: float = 0.0
    """When time begins anew; 0 is never."""

    def __post_init__(self) -> None:
        if self.count < 1:
            raise InputError("a clip needs frames", given=f"num_frames {self.count}", allowed="at least 1")
        _check_step(self.step)
        last = self.start + (self.count - 1) * self.step
        if not self.round and not min(self.start, last) >= -ROUNDING:
            given = f"frames from time {self.start:g} to {last:g}, in frames of the training videos"
            raise InputError("there is nothing before time 0", given=given, fix="start later, or make fewer frames")
        if not self.round and not max(self.start, last) < MAX_TIME:
            given = f"frames from time {self.start:g} to {last:g}, in frames of the training videos"
            raise InputError("time ends before", given=given, allowed=f"below {MAX_TIME:g}")

    @classmethod
    def going(cls, *, count: int, step: float, start: float | None) -> "ClipTimes":
        """Times that begin at 0, or, backwards, end there; if no other start is given."""
        first = max(0.0, (1 - count) * step) if start is None else start
        return cls(count=count, start=first, step=step)

    @classmethod
    def once_around(cls, *, count: int, step: float, start: float | None, unit: float) -> "ClipTimes":
        """Times of one round, after which the first would follow.

        Args:
            count: Frames of the round.
            step: From one to the next.
            start: The first time; None is 0.
            unit: What the length of a round must be a multiple of.

        Raises:
            InputError: It is not.
        """
        _check_step(step)
        length = abs(step) * count
        rounds = round(length / unit)
        if rounds < 1 or abs(length - rounds * unit) > ROUNDING * count:
            allowed = f"a multiple of {unit / abs(step):g} frames at this rate" if step else "a speed other than 0"
            raise InputError("a loop of this length does not close", given=f"{count} frames", allowed=allowed)
        return cls(count=count, start=start or 0.0, step=step, round=rounds * unit)

    def pieces(self, chunk: int) -> Iterator[Tensor]:
        """Consecutive times, float64 [t] with t at most `chunk`."""
        for first in range(0, self.count, chunk):
            places = torch.arange(first, min(first + chunk, self.count), dtype=torch.float64)
            times = self.start + places * self.step
            yield times % self.round if self.round else times.clamp(min=0)


def _check_step(step: float) -> None:
    if not abs(step) <= FARTHEST_STEP:
        given = f"{step:g} frames of the training videos apart"
        raise InputError("frames lie too far apart in time", given=given, allowed=f"up to {FARTHEST_STEP:g}")
