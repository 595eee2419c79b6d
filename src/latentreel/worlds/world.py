"""What every procedural world has: videos drawn from numbers, together with the factors that made them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from latentreel.core.errors import InputError
from latentreel.core.randomness import numpy_generator
from latentreel.core.video import Video

Factors = npt.NDArray[np.float32]
"""Factor values in the order of their names: identity [..., I] or motion [..., M]."""


PIXELS_AT_ONCE = 2**17
"""Pixels painted together: few enough that the intermediate results stay in a processor's cache."""


@dataclass(frozen=True, kw_only=True)
class Factor:
    """One number that a world draws from, and what it does to the picture."""

    name: str
    low: float
    high: float
    meaning: str
    """What the value says, with its unit, and which way is up."""

    levels: int = 0
    """For a choice among kinds: how many there are, evenly spaced from low to high. 0 for a continuous factor."""

    circular: bool = False
    """Whether the ends of the range meet, as on a colour circle."""

    change: float = 0.0
    """For a factor that no single picture tells: the most that it changes in two frames, which tell. 0: a picture does."""


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


@dataclass(frozen=True, kw_only=True)
class World(ABC):
    """An endless collection of drawn videos: the clip at an index is a function of the seed and the index alone.

    A subclass gives its name and factors, draws factors at random, and paints pictures of them.
    """

    resolution: int = 64
    """Height and width of a frame in pixels, a power of two from 16 to 1024."""

    num_frames: int = 32
    """Frames of a clip."""

    fps: float = 25.0
    """Frames per second."""

    seed: int = 0
    """Another seed is another collection of clips."""

    NAME: ClassVar[str]
    """What `open_world` calls it."""

    IDENTITY_FACTORS: ClassVar[tuple[Factor, ...]]
    """What is constant in a clip, in array order."""

    MOTION_FACTORS: ClassVar[tuple[Factor, ...]]
    """What changes from frame to frame, in array order."""

    RARE: ClassVar[Mapping[str, float]] = {}
    """Identity factors of two levels that are not even: the share of the high one, by name."""

    def __post_init__(self) -> None:
        if self.resolution not in (allowed := [2**exponent for exponent in range(4, 11)]):
            raise InputError("the world's resolution is not a power of two in range", given=self.resolution, allowed=allowed)
        if self.num_frames < 1:
            raise InputError("a clip needs at least one frame", given=self.num_frames, allowed="1 or more frames")
        if not 0 < self.fps < 1000:
            raise InputError(
                "the frame rate is out of range", given=self.fps, allowed="above 0 and below 1000 frames per second"
            )
        if self.seed < 0:
            raise InputError("the world's seed is negative", given=self.seed, allowed="0 or more")

    @property
    def identity_names(self) -> tuple[str, ...]:
        """Names of the identity factors in array order."""
        return tuple(factor.name for factor in self.IDENTITY_FACTORS)

    @property
    def motion_names(self) -> tuple[str, ...]:
        """Names of the motion factors in array order."""
        return tuple(factor.name for factor in self.MOTION_FACTORS)

    def video(self, index: int) -> WorldVideo:
        """The clip at an index: one identity, one motion.

        Raises:
            InputError: The index is negative.
        """
        if index < 0:
            raise InputError("there is no clip before the first", given=index, allowed="0 or more")
        identity = self.sample_identity(numpy_generator(self.seed, self.NAME, index, "identity"))
        motion = self.sample_motion(numpy_generator(self.seed, self.NAME, index, "motion"))
        return WorldVideo(Video(self.render(identity, motion), self.fps), identity, motion)

    def render(self, identity: npt.ArrayLike, motion: npt.ArrayLike) -> npt.NDArray[np.uint8]:
        """Pictures of given factors; a frame does not depend on the others in its batch.

        Args:
            identity: One for all frames [I], or one per frame [N, I].
            motion: One for all frames [M], or one per frame [N, M].

        Returns:
            uint8 [N, H, W, 3].

        Raises:
            InputError: The shapes do not fit, or a factor is out of its range.
        """
        identities = np.atleast_2d(check_factors(identity, self.IDENTITY_FACTORS, name="identity"))
        motions = np.atleast_2d(check_factors(motion, self.MOTION_FACTORS, name="motion"))
        lengths = {len(identities), len(motions)}
        if len(lengths) > 1 and 1 not in lengths:
            raise InputError(
                "identity and motion differ in length",
                given=f"{len(identities)} and {len(motions)}",
                allowed="equal, or one is 1",
            )
        count = 0 if 0 in lengths else max(lengths)
        identities = np.broadcast_to(identities, (count, identities.shape[1]))
        motions = np.broadcast_to(motions, (count, motions.shape[1]))
        frames = np.empty((count, self.resolution, self.resolution, 3), dtype=np.uint8)
        step = max(1, PIXELS_AT_ONCE // self.resolution**2)
        for start in range(0, count, step):
            part = slice(start, start + step)
            frames[part] = self.paint(identities[part], motions[part])
        return frames

    def sample_identity(self, generator: np.random.Generator) -> Factors:
        """What stays the same in one clip, float32 [I]: every factor even over its range or its levels, but for rare ones."""
        return even_factors(self.IDENTITY_FACTORS, generator, rare=self.RARE)

    @abstractmethod
    def sample_motion(self, generator: np.random.Generator) -> Factors:
        """The course of one clip, float32 [T, M]: more frames continue the shorter clip, a higher rate refines it."""

    @abstractmethod
    def paint(self, identities: Factors, motions: Factors) -> npt.NDArray[np.uint8]:
        """Pictures uint8 [N, H, W, 3] of identities [N, I] and motions [N, M], a few at a time, their factors checked."""


def even_factors(factors: tuple[Factor, ...], generator: np.random.Generator, *, rare: Mapping[str, float]) -> Factors:
    """Independent values, one draw for each factor: even over the range or the levels.

    Args:
        factors: Which, F.
        generator: Where they are drawn from.
        rare: For factors of two levels that are not even: the share of the high one, by name.

    Returns:
        float32 [F].
    """
    values = []
    for factor in factors:
        position = generator.uniform()
        if factor.name in rare:
            position = float(position < rare[factor.name])
        elif factor.levels:
            position = np.floor(position * factor.levels) / (factor.levels - 1)
        values.append(factor.low + (factor.high - factor.low) * position)
    return np.array(values, dtype=np.float32)


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
