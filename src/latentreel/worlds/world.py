"""What every procedural world has: videos drawn from numbers, together with the factors that made them."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from latentreel.core.errors import InputError
from latentreel.core.video import Video

Factors = npt.NDArray[np.float32]
"""Factor values in the order of their names: identity [..., I] or motion [..., M]."""


@dataclass(frozen=True, kw_only=True)
class Factor:
    """One number that a world draws from, and what it does to the picture."""

    name: str
    low: float
    high: float
    meaning: str
    """What the value says, with its unit, and which way is up."""

    levels: int = 0
    """For a choice among kinds: how many there are, as the whole numbers low ... high. 0 for a continuous factor."""


@dataclass(frozen=True, eq=False)
class WorldVideo:
    """A clip and the ground truth behind it.

    Shapes: T frames, I identity factors, M motion factors.
    """

    video: Video

    identity: Factors
    """What stays the same throughout the clip, float32 [I]."""

    motion: Factors
    """What changes from frame to frame, float32 [T, M]."""


@runtime_checkable
class World(Protocol):
    """An endless collection of videos: the clip at an index is a function of the seed and the index alone."""

    @property
    def resolution(self) -> int:
        """Height and width of a frame in pixels."""
        ...

    @property
    def num_frames(self) -> int:
        """Frames of a clip."""
        ...

    @property
    def fps(self) -> float:
        """Frames per second."""
        ...

    @property
    def identity_names(self) -> tuple[str, ...]:
        """Names of the factors that are constant in a clip, in array order."""
        ...

    @property
    def motion_names(self) -> tuple[str, ...]:
        """Names of the factors that change from frame to frame, in array order."""
        ...

    def video(self, index: int) -> WorldVideo:
        """The clip at an index from 0 on."""
        ...


def check_clip_fields(*, resolution: int, num_frames: int, fps: float, seed: int) -> None:
    """Raises if a world cannot draw such clips.

    Raises:
        InputError: A field is outside its range.
    """
    if resolution not in (allowed := [2**exponent for exponent in range(4, 11)]):
        raise InputError("the world's resolution is not a power of two in range", given=resolution, allowed=allowed)
    if num_frames < 1:
        raise InputError("a clip needs at least one frame", given=num_frames, allowed="1 or more frames")
    if not 0 < fps < 1000:
        raise InputError("the frame rate is out of range", given=fps, allowed="above 0 and below 1000 frames per second")
    if seed < 0:
        raise InputError("the world's seed is negative", given=seed, allowed="0 or more")


def check_factors(values: npt.ArrayLike, factors: tuple[Factor, ...], *, name: str) -> Factors:
    """Factor values as float32 [..., F].

    Raises:
        InputError: The last axis is not one value for each of the F factors, or a value is not finite or out of range.
    """
    array = np.asarray(values, dtype=np.float32)
    if array.ndim not in (1, 2) or array.shape[-1] != len(factors):
        raise InputError(
            f"{name} has the wrong shape", given=list(array.shape), allowed=f"[{len(factors)}] or [N, {len(factors)}]"
        )
    for factor, column in zip(factors, np.moveaxis(array, -1, 0), strict=True):
        inside = (column >= np.float32(factor.low)) & (column <= np.float32(factor.high))
        if not inside.all():
            offender = column[~inside].ravel()[0]
            raise InputError(
                f"{name} factor {factor.name} is out of range", given=offender, allowed=f"{factor.low} to {factor.high}"
            )
    return array
