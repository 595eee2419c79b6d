"""How a sky moves: three layers of clouds drift at a steady pace, change their shape slowly, and the light shifts."""

import numpy as np

from latentreel.worlds.smooth_process import gaussian_process, uniform_process
from latentreel.worlds.world import Factor, Factors

PERIOD_WIDTHS = 2.0
"""After so many image widths the clouds of a layer repeat."""

_DRIFT = "image widths that the {} clouds have moved to the right; the ends meet"

MOTION_FACTORS = (
    Factor(name="drift_far", low=0, high=PERIOD_WIDTHS, circular=True, change=0.024, meaning=_DRIFT.format("far")),
    Factor(name="drift_middle", low=0, high=PERIOD_WIDTHS, circular=True, change=0.032, meaning=_DRIFT.format("middle")),
    Factor(name="drift_near", low=0, high=PERIOD_WIDTHS, circular=True, change=0.04, meaning=_DRIFT.format("near")),
    Factor(name="evolution", low=0, high=1, circular=True, change=0.005, meaning="turns of the clouds through their shapes"),
    Factor(name="hour", low=-1, high=1, change=0.1, meaning="how much earlier or later than the mood says; 1 is half a mood"),
    Factor(name="brightness", low=-1, high=1, meaning="exposure, from dim to bright"),
)

MOTION_NAMES = tuple(factor.name for factor in MOTION_FACTORS)

NEAR_WIDTHS_PER_SECOND = (0.17, 0.42)
"""Pace of the near clouds: 0.22 to 0.54 image widths in 32 frames at 25 frames per second."""

RELATIVE_PACE = {"drift_near": (1.0, 1.0), "drift_middle": (0.6, 0.8), "drift_far": (0.3, 0.5)}
"""Slowest and fastest pace of a layer, relative to the near one."""

TURNS_PER_SECOND = (0.02, 0.05)
"""Pace of the clouds' change of shape, in either direction."""


def sample_motion(num_frames: int, fps: float, generator: np.random.Generator) -> Factors:
    """The course of one sky, float32 [T, M].

    With generators in the same state, more frames continue the shorter course and a higher rate refines it.
    """
    times = np.arange(num_frames) / fps
    pace = generator.uniform(*NEAR_WIDTHS_PER_SECOND) * generator.choice([-1.0, 1.0])
    breeze = 0.02 * gaussian_process(times, time_scale=1.2, generator=generator)  # image widths; the same air moves all layers
    courses = {}
    for name, (slowest, fastest) in RELATIVE_PACE.items():
        share = generator.uniform(slowest, fastest)
        start = generator.uniform(0.0, PERIOD_WIDTHS)
        courses[name] = (start + share * (pace * times + breeze)) % PERIOD_WIDTHS
    turning = generator.uniform(*TURNS_PER_SECOND) * generator.choice([-1.0, 1.0])
    courses["evolution"] = (generator.uniform() + turning * times) % 1.0
    courses["hour"] = 2.0 * uniform_process(times, time_scale=2.0, generator=generator) - 1.0
    courses["brightness"] = 2.0 * uniform_process(times, time_scale=1.2, generator=generator) - 1.0
    return np.stack([courses[name] for name in MOTION_NAMES], axis=1).astype(np.float32)
