"""How well a generator keeps identity and moves like its world: measures on the factors that a reader finds in clips.

All take readings as arrays, so that the known factors of a world's own clips can be measured as well. Letters: N clips, T frames,
E numbers of an identity reading, M motion factors. What a measure gives for real clips is its best value, or close to it: the
reader's own errors are in both.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from scipy.stats import wasserstein_distance

from latentreel.core.errors import InputError
from latentreel.core.pixels import to_float
from latentreel.metrics.factor_reader import FactorReader
from latentreel.worlds.world import Factor

Numbers = npt.NDArray[np.float64]
Clips = npt.NDArray[np.floating[Any]]

LAGS = 8
"""Frames over which a course is compared with itself."""

STILL = 1e-3
"""Part of a factor's range, or of an autocorrelation, below which a difference between real clips counts as none."""


class ClipReadings(NamedTuple):
    """What a reader sees in N clips of T frames."""

    identity: npt.NDArray[np.float32]
    """float32 [N, T, E], see `Reading`."""

    motion: npt.NDArray[np.float32]
    """Motion factors in their own units, float32 [N, T, M]; those that no single picture tells, from the first frame on."""


def read_clips(reader: FactorReader, clips: npt.NDArray[np.uint8], *, batch: int = 256) -> ClipReadings:
    """Reads every frame of clips.

    Args:
        reader: A reader in eval mode, of the world that the clips show.
        clips: uint8 [N, T, H, W, 3].
        batch: Frames that are read together.

    Raises:
        InputError: The clips have another shape or type.
    """
    if clips.ndim != 5 or clips.shape[-1] != 3 or clips.dtype != np.uint8:
        raise InputError("these are no clips", given=f"{clips.dtype} {list(clips.shape)}", allowed="uint8 [N, T, H, W, 3]")
    device = next(reader.parameters()).device
    earlier = clips[:, [0, *range(clips.shape[1] - 1)]]
    frames, before = clips.reshape(-1, *clips.shape[2:]), earlier.reshape(-1, *clips.shape[2:])
    sizes = (reader.identity_code.size, len(reader.motion_code.factors))
    readings = tuple(np.empty((len(frames), size), dtype=np.float32) for size in sizes)
    with torch.no_grad():
        for start in range(0, len(frames), batch):
            part = slice(start, start + batch)
            seen = (to_float(frames[part], device=device), to_float(before[part], device=device))
            reading = reader(*seen) if reader.sees_change else reader(seen[0])
            for whole, values in zip(readings, reading, strict=True):
                whole[part] = values.cpu().numpy()
    identity, motion = (whole.reshape(*clips.shape[:2], -1) for whole in readings)
    for column in reader.changes:
        motion[:, 0, column] = 0
        motion[..., column] = motion[..., column].cumsum(axis=1)
    return ClipReadings(identity, motion)


@dataclass(frozen=True, eq=False)
class IdentityDrift:
    """How far people leave themselves: 0 the same as in the first frame, 1 somebody else."""

    curve: Numbers
    """By frame, [T]; the first is 0."""

    mean: float
    """Over all frames but the first."""


def identity_drift(identity: Clips) -> IdentityDrift:
    """The distance of each frame's identity from that of its clip's first frame, mean over clips.

    Args:
        identity: Readings [N, T, E] of clips of different people, at least 2 of at least 2 frames.

    Returns:
        In units of the mean distance between the first frames of different clips.

    Raises:
        InputError: There are fewer clips or frames, or all clips begin with the same person.
    """
    values = _checked(identity, "identity", "N T E", at_least=(2, 2, 1))
    first = values[:, 0]
    apart = np.linalg.norm(first[:, None] - first[None], axis=-1)  # [N, N]
    unit = apart.sum() / (len(first) * (len(first) - 1))
    if not unit > 0:
        raise InputError("all clips begin with the same person, so that nothing tells how far apart people are")
    curve: Numbers = np.linalg.norm(values - values[:, :1], axis=-1).mean(axis=0) / unit
    return IdentityDrift(curve, float(curve[1:].mean()))


@dataclass(frozen=True, eq=False)
class MotionStatistics:
    """How each motion factor moves in each clip."""

    speed: Numbers
    """Mean absolute change from a frame to the next, in the factor's units, [N, M]."""

    spread: Numbers
    """Standard deviation within the clip, in the factor's units, [N, M]."""

    autocorrelation: Numbers
    """Of the course less its mean, at lags of 1 to 8 frames, -1 to 1, [N, 8, M]; 0 where a course does not move at all."""


def motion_statistics(motion: Clips, factors: tuple[Factor, ...]) -> MotionStatistics:
    """Speed, spread and autocorrelation of every clip.

    Args:
        motion: Motion factors [N, T, M] in their own units, 9 frames or more.
        factors: Which they are; circular ones are followed around.

    Raises:
        InputError: The shape does not fit.
    """
    courses = follow(_checked(motion, "motion", "N T M", at_least=(1, LAGS + 1, 1), factors=factors), factors)
    rest = courses - courses.mean(axis=1, keepdims=True)
    energy = np.square(rest).sum(axis=1)  # [N, M]
    products = [(rest[:, lag:] * rest[:, :-lag]).sum(axis=1) for lag in range(1, LAGS + 1)]
    moves = energy > 1e-12 * _ranges(factors) ** 2
    autocorrelation = np.where(moves[:, None], np.stack(products, axis=1) / np.where(moves, energy, 1.0)[:, None], 0.0)
    return MotionStatistics(
        speed=np.abs(np.diff(courses, axis=1)).mean(axis=1), spread=rest.std(axis=1), autocorrelation=autocorrelation
    )


@dataclass(frozen=True, eq=False)
class MotionMatch:
    """How far the motion of generated clips is from that of real ones: 0 alike, 1 off by one deviation of real clips."""

    speed: Numbers
    """By factor, [M]."""

    spread: Numbers
    """By factor, [M]."""

    autocorrelation: Numbers
    """By factor, mean over lags, [M]."""

    by_factor: Numbers
    """Mean of the three, [M]."""

    mean: float
    """Over all factors."""


def motion_match(fake: Clips, real: Clips, factors: tuple[Factor, ...]) -> MotionMatch:
    """Compares how statistics of motion are distributed over generated and over real clips.

    The distance between two distributions is the 1-Wasserstein distance, in units of the standard deviation over real clips. It is
    above 0 between two draws of real clips too, the less the more clips there are.

    Args:
        fake: Motion factors [N, T, M] of generated clips.
        real: Those of real clips, of the same length and frame rate, at least 2.
        factors: Which they are.

    Raises:
        InputError: The shapes do not fit.
    """
    if np.shape(fake)[1:] != np.shape(real)[1:]:
        raise InputError("generated and real clips differ in frames or factors", given=np.shape(fake), allowed=np.shape(real))
    _checked(real, "real motion", "N T M", at_least=(2, 1, 1))
    found, wanted = motion_statistics(fake, factors), motion_statistics(real, factors)
    still = STILL * _ranges(factors)
    speed = _distances(found.speed, wanted.speed, still=still)
    spread = _distances(found.spread, wanted.spread, still=still)
    by_lag = [
        _distances(found.autocorrelation[:, lag], wanted.autocorrelation[:, lag], still=np.full(len(factors), STILL))
        for lag in range(LAGS)
    ]
    autocorrelation: Numbers = np.mean(by_lag, axis=0)
    by_factor: Numbers = (speed + spread + autocorrelation) / 3
    return MotionMatch(speed, spread, autocorrelation, by_factor, float(by_factor.mean()))


def motion_diversity(fake: Clips, real: Clips, factors: tuple[Factor, ...]) -> Numbers:
    """How far clips with one content and many motions end from each other, beside how far a real clip goes.

    Args:
        fake: Motion factors [N, T, M] of clips with the same content, each with its own motion, at least 2.
        real: Those of real clips [.., T, M], of the same length and frame rate.
        factors: Which they are.

    Returns:
        By factor, [M]: the standard deviation over clips at the last frame, over the root mean square of real clips' change from
        the first frame to the last. 0: every motion ends alike. 0.7 to 1: as varied as real clips that begin alike. Where real
        clips do not move, 0 if generated ones do not differ, infinite if they do.

    Raises:
        InputError: The shapes do not fit.
    """
    ends = _checked(fake, "generated motion", "N T M", at_least=(2, 2, 1), factors=factors)[:, -1]
    courses = follow(_checked(real, "real motion", "N T M", at_least=(1, 2, 1), factors=factors), factors)
    if np.shape(fake)[1] != np.shape(real)[1]:
        raise InputError("generated and real clips differ in frames", given=np.shape(fake)[1], allowed=np.shape(real)[1])
    changes = np.sqrt(np.square(courses[:, -1] - courses[:, 0]).mean(axis=0))
    deviations = _about_circular_mean(ends, factors).std(axis=0)
    limits = 1e-9 * _ranges(factors)
    still = changes <= limits
    ratios = deviations / np.where(still, 1.0, changes)
    return np.where(still, np.where(deviations <= limits, 0.0, np.inf), ratios)


@dataclass(frozen=True, eq=False)
class MotionTransfer:
    """Whether one motion code moves different contents alike: 1 exactly, 0 not at all."""

    correlation: Numbers
    """Between contents moved by the same motion, by factor, [M]."""

    floor: Numbers
    """Between contents moved by different motions, by factor, [M]: what chance, or a motion that is always the same, gives."""


def motion_transfer(motion: Clips, factors: tuple[Factor, ...]) -> MotionTransfer:
    """Correlates how contents move, over all pairs of two contents.

    For each content, the changes from the first frame in all its clips, each clip's less their mean, are laid end to end; a pair's
    number is the correlation of two such series. So clips in which a factor hardly moves weigh little, and where a content begins
    does not matter. A factor that never moves has 0.

    Args:
        motion: Motion factors [contents, motions, T, M]: each content is moved by each motion. At least 2 contents, 2 motions and
            2 frames.
        factors: Which they are.

    Returns:
        Correlations for the same motion, and for every pairing of different ones.

    Raises:
        InputError: The shape does not fit.
    """
    values = _checked(motion, "motion", "contents motions T M", at_least=(2, 2, 2, 1), factors=factors)
    courses = follow(values, factors)
    series = courses - courses.mean(axis=2, keepdims=True)  # [contents, motions, T, M]; the first frame falls out
    size = np.sqrt(np.square(series).sum(axis=(1, 2)))  # [contents, M]
    moves = size > 1e-6 * _ranges(factors)
    series = np.where(moves[:, None, None], series / np.where(moves, size, 1.0)[:, None, None], 0.0)
    num_motions = series.shape[1]
    correlation = _mean_over_pairs(series, series)
    shifted = [_mean_over_pairs(series, np.roll(series, shift, axis=1)) for shift in range(1, num_motions)]
    return MotionTransfer(correlation, np.mean(shifted, axis=0))


def follow(motion: Clips, factors: tuple[Factor, ...]) -> Numbers:
    """Courses [..., T, M] in which circular factors run on beyond the ends of their range instead of jumping back."""
    courses = np.array(motion, dtype=np.float64)
    for column, factor in enumerate(factors):
        if factor.circular:
            courses[..., column] = np.unwrap(courses[..., column], period=factor.high - factor.low, axis=-1)
    return courses


def _mean_over_pairs(a: Numbers, b: Numbers) -> Numbers:
    """Mean inner product of different contents' series, [contents, motions, T, M] twice to [M]."""
    contents = len(a)
    everyone = (a.sum(axis=0) * b.sum(axis=0)).sum(axis=(0, 1))
    themselves = (a * b).sum(axis=(0, 1, 2))
    mean: Numbers = (everyone - themselves) / (contents * (contents - 1))
    return mean


def _about_circular_mean(values: Numbers, factors: tuple[Factor, ...]) -> Numbers:
    """Values [N, M], those of circular factors as differences from their mean direction, at most half a turn."""
    values = values.copy()
    for column, factor in enumerate(factors):
        if factor.circular:
            turn = factor.high - factor.low
            mean = np.angle(np.exp(2j * np.pi * values[:, column] / turn).mean()) / (2 * np.pi) * turn
            values[:, column] = np.remainder(values[:, column] - mean + turn / 2, turn) - turn / 2
    return values


def _distances(fake: Numbers, real: Numbers, *, still: Numbers) -> Numbers:
    """1-Wasserstein distance of each column over the real deviation, [N, M] and [N', M] to [M]."""
    units = np.maximum(real.std(axis=0), still)
    distances = np.array([wasserstein_distance(*columns) for columns in zip(fake.T, real.T, strict=True)], dtype=np.float64)
    relative: Numbers = distances / units
    return relative


def _ranges(factors: tuple[Factor, ...]) -> Numbers:
    return np.array([factor.high - factor.low for factor in factors], dtype=np.float64)


def _checked(
    values: Clips, name: str, layout: str, *, at_least: tuple[int, ...], factors: tuple[Factor, ...] | None = None
) -> Numbers:
    """Values as float64, of the axes named in the layout.

    Raises:
        InputError: There are other axes, one is too short, the last is not one number per factor, or a value is not finite.
    """
    array = np.asarray(values, dtype=np.float64)
    sizes = ", ".join(f"{axis} >= {size}" for axis, size in zip(layout.split(), at_least, strict=True))
    fits = array.ndim == len(at_least) and all(have >= need for have, need in zip(array.shape, at_least, strict=False))
    if not fits:
        raise InputError(f"{name} has the wrong shape", given=list(array.shape), allowed=f"[{layout}] with {sizes}")
    if factors is not None and array.shape[-1] != len(factors):
        raise InputError(f"{name} has the wrong number of factors", given=array.shape[-1], allowed=len(factors))
    if not np.isfinite(array).all():
        raise InputError(f"{name} holds a number that is not finite")
    return array
