"""Smooth random motion in continuous time: stationary Gaussian processes, and blinks as events.

Random Fourier features of a squared-exponential covariance (Rahimi & Recht, "Random Features for Large-Scale Kernel Machines",
2007). A process is a function of time in seconds: a clip of more frames continues the shorter one, a higher rate refines it.
"""

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

Times = npt.NDArray[np.float64]

NUM_WAVES = 48
"""Waves per process; the marginal of so many is normal to within what a histogram shows."""

BLINK_SECONDS = (0.09, 0.04, 0.17)
"""How long the lids close, stay closed and open again."""


def gaussian_process(times: Times, *, time_scale: float, generator: np.random.Generator) -> Times:
    """A standard normal process whose covariance at lag s is exp(-s^2 / (2 time_scale^2)).

    Args:
        times: Seconds, [T].
        time_scale: Seconds over which the value forgets itself, above 0.
        generator: Where the waves are drawn from; the number of draws does not depend on the times.

    Returns:
        Values at the times, [T].
    """
    frequencies = generator.standard_normal(NUM_WAVES) / time_scale  # radians per second
    phases = generator.uniform(0.0, 2.0 * np.pi, NUM_WAVES)
    waves: Times = np.cos(times[:, None] * frequencies + phases)
    return np.asarray(np.sqrt(2.0 / NUM_WAVES) * waves.sum(axis=1))


def uniform_process(times: Times, *, time_scale: float, generator: np.random.Generator) -> Times:
    """A smooth process that spends equal time everywhere in (0, 1): the normal one through its distribution function."""
    return np.asarray(ndtr(gaussian_process(times, time_scale=time_scale, generator=generator)))


def blink_process(times: Times, *, interval_seconds: float, generator: np.random.Generator) -> Times:
    """How far the lids are closed, [T] in [0, 1]: quick events with random pauses between them.

    Args:
        times: Seconds, [T], ascending and not negative.
        interval_seconds: Mean time from one blink to the next; the shortest is a quarter of it.
        generator: Where the pauses are drawn from, one after another, so that a longer clip only adds events.
    """
    shortest = interval_seconds / 4.0
    start = -10.0 * interval_seconds * generator.uniform(1.0, 2.0)  # long before the clip: no memory of a first blink
    closed = np.zeros_like(times)
    while start <= times[-1]:
        closed = np.maximum(closed, _blink(times - start))
        start += shortest + generator.exponential(interval_seconds - shortest)
    return closed


def _blink(seconds: Times) -> Times:
    closing, hold, opening = BLINK_SECONDS
    down = _smooth_step(seconds / closing)
    up = _smooth_step((seconds - closing - hold) / opening)
    return down - up


def _smooth_step(x: Times) -> Times:
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)
