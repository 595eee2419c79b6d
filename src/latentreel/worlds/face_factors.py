"""The factors of the faces world: their names, ranges and meanings, and how they are drawn.

Identity factors are independent of each other; motion factors are independent smooth processes.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from latentreel.worlds.smooth_process import blink_process, uniform_process
from latentreel.worlds.world import Factor, Factors

IDENTITY_FACTORS = (
    Factor(name="skin_tone", low=0, high=1, meaning="from light to dark"),
    Factor(name="skin_warmth", low=-1, high=1, meaning="from rosy to golden"),
    Factor(name="hair_colour", low=0, high=1, meaning="black, brown, auburn, ginger, blond, silver"),
    Factor(name="hair_style", low=0, high=5, levels=6, meaning="short, long, bob, bun, curly, receding"),
    Factor(
        name="hair_side", low=-1, high=1, levels=2, meaning="-1 or 1: the image side that the fringe falls to, left or right"
    ),
    Factor(name="face_width", low=-1, high=1, meaning="from narrow to wide"),
    Factor(name="face_length", low=-1, high=1, meaning="from short to long"),
    Factor(name="eye_size", low=-1, high=1, meaning="from small to large"),
    Factor(name="eye_colour", low=0, high=1, meaning="brown, hazel, green, blue, grey"),
    Factor(name="eye_spacing", low=-1, high=1, meaning="from close to wide"),
    Factor(name="brow_thickness", low=-1, high=1, meaning="from thin to bushy"),
    Factor(name="nose_size", low=-1, high=1, meaning="from small to large"),
    Factor(name="mouth_width", low=-1, high=1, meaning="from narrow to wide"),
    Factor(name="lip_fullness", low=-1, high=1, meaning="from thin to full"),
    Factor(name="glasses", low=0, high=1, levels=2, meaning="0 without, 1 with"),
    Factor(name="clothes_hue", low=0, high=1, meaning="once around the colour circle, from red"),
    Factor(name="clothes_lightness", low=0, high=1, meaning="from dark to light"),
    Factor(name="background_hue", low=0, high=1, meaning="once around the colour circle, from red"),
    Factor(name="background_shift", low=-1, high=1, meaning="hue difference from the top to the bottom, in quarter circles"),
    Factor(name="background_lightness", low=0, high=1, meaning="from dark to light"),
)

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

IDENTITY_NAMES = tuple(factor.name for factor in IDENTITY_FACTORS)
MOTION_NAMES = tuple(factor.name for factor in MOTION_FACTORS)

GLASSES_SHARE = 0.3
"""Part of the people who wear glasses."""

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


def sample_identity(generator: np.random.Generator) -> Factors:
    """One person, float32 [I]: every factor even over its range or its levels, but fewer glasses than not."""
    values = []
    for factor in IDENTITY_FACTORS:
        position = generator.uniform()
        if factor.name == "glasses":
            position = float(position < GLASSES_SHARE)
        elif factor.levels:
            position = np.floor(position * factor.levels) / (factor.levels - 1)
        values.append(factor.low + (factor.high - factor.low) * position)
    return np.array(values, dtype=np.float32)


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
