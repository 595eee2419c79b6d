"""How a head moves, in whatever world it is drawn: the factors of its motion, independent smooth processes."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from latentreel.worlds.smooth_process import blink_process, uniform_process
from latentreel.worlds.world import Factor, Factors

MOTION_FACTORS = (
    Factor(name="yaw", low=-40, high=40, meaning="degrees; positive turns the nose to the right of the image"),
    Factor(name="pitch", low=-18, high=18, meaning="degrees; positive looks up"),
    Factor(name="roll", low=-15, high=15, meaning="degrees; positive tilts the crown to the right of the image"),
    Factor(name="gaze_x", low=-28, high=28, meaning="degrees of the eyes in the head; positive to the right of the image"),
    Factor(name="gaze_y", low=-16, high=16, meaning="degrees of the eyes in the head; positive up"),
    Factor(name="blink", low=0, high=1, meaning="0 open, 1 closed"),
    Factor(name="brow_raise", low=-1, high=1, meaning="from lowered to raised"),
    Factor(name="mouth_open", low=0, high=1, meaning="0 closed, 1 wide open"),
    Factor(name="mouth_smile", low=-1, high=1, meaning="from sad to smiling"),
    Factor(name="shift_x", low=-0.05, high=0.05, meaning="image widths; positive to the right"),
    Factor(name="shift_y", low=-0.03, high=0.03, meaning="image heights; positive up"),
)

MOTION_NAMES = tuple(factor.name for factor in MOTION_FACTORS)

BLINK_INTERVAL_SECONDS = 2.2
"""Mean time between blinks: a little livelier than the 3 to 4 seconds of a person at rest."""


@dataclass(frozen=True, kw_only=True)
class _Course:
    """How a motion factor runs through its range: its time scale, and the power and centre that bend its even spread."""

    seconds: float
    power: float = 1.0
    """Above 1: more time near the low end."""

    gathered: bool = False
    """Gathered about the middle of the range instead of spread evenly."""


_COURSES = {
    "yaw": _Course(seconds=0.66),
    "pitch": _Course(seconds=0.60, gathered=True),
    "roll": _Course(seconds=0.70, gathered=True),
    "gaze_x": _Course(seconds=0.55, gathered=True),
    "gaze_y": _Course(seconds=0.6, gathered=True),
    "brow_raise": _Course(seconds=0.6),
    "mouth_open": _Course(seconds=0.35, power=2.2),
    "mouth_smile": _Course(seconds=0.9, power=0.5),
    "shift_x": _Course(seconds=0.9),
    "shift_y": _Course(seconds=0.9),
}


def sample_motion(num_frames: int, fps: float, generator: np.random.Generator) -> Factors:
    """One performance, float32 [T, M].

    With generators in the same state, more frames continue the shorter performance and a higher rate refines it.
    """
    times = np.arange(num_frames) / fps
    motion = np.empty((num_frames, len(MOTION_FACTORS)), dtype=np.float32)
    for column, factor in enumerate(MOTION_FACTORS):
        if factor.name == "blink":
            continue
        course = _COURSES[factor.name]
        position = uniform_process(times, time_scale=course.seconds, generator=generator) ** course.power
        if course.gathered:
            position = 0.5 + np.clip(ndtri(position) / 5.0, -0.5, 0.5)  # normal again, 2.5 deviations to either end
        motion[:, column] = factor.low + (factor.high - factor.low) * position
    motion[:, MOTION_NAMES.index("blink")] = blink_process(times, interval_seconds=BLINK_INTERVAL_SECONDS, generator=generator)
    return motion
