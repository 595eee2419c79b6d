"""How well a model trained on procedural worlds moves, measured where the truth is known: by the factors behind the pictures.

Readers (`metrics.factor_reader`) find identity and motion factors in generated clips; the worlds' own clips, read by the same
readers, say what the best value is.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latentreel.core.errors import InputError
from latentreel.metrics.factor_measures import (
    ClipReadings,
    identity_drift,
    motion_diversity,
    motion_match,
    motion_transfer,
    read_clips,
)
from latentreel.metrics.factor_reader import legible_motion, load_factor_reader
from latentreel.metrics.reader_accuracy import FRAME_STEP
from latentreel.pipelines.video_pipeline import VideoPipeline
from latentreel.worlds.registry import open_world

HELD_OUT = 10**6
"""Seed of the worlds' clips that are measured: of no training."""


@dataclass(frozen=True, kw_only=True)
class KnownTruth:
    """What a model does, and what real clips do by the same measure. By factor: the motion factors that the readers can tell."""

    num_clips: int
    """Clips of the model that were measured."""

    factors: tuple[str, ...]
    """Names of the motion factors that are measured."""

    identity_drift: float
    """Distance of a clip's frames from its first one: 0 the same, 1 somebody else."""

    real_identity_drift: float
    """The same of the world's own clips: the reader's errors."""

    drift_curve: tuple[float, ...]
    """Identity drift by frame, [T]."""

    motion_match: dict[str, float]
    """Distance of speed, range and autocorrelation from those of real clips, in their deviations; 0 is best."""

    real_motion_match: float
    """Mean of the same between two sets of real clips."""

    diversity: dict[str, float]
    """How far motions on one content end apart, over real clips' change from first to last frame; real clips: 0.7 to 1."""

    transfer: dict[str, float]
    """Correlation of different contents moved by one motion code: 1 they move alike."""

    transfer_floor: float
    """Mean of the same for different motion codes: what chance gives."""

    def summary(self) -> dict[str, float]:
        """Each measure as one number, by name."""
        return {
            "identity drift": self.identity_drift,
            "motion match": float(np.mean(list(self.motion_match.values()))),
            "motion diversity": float(np.mean(list(self.diversity.values()))),
            "motion transfer": float(np.mean(list(self.transfer.values()))),
        }


def measure_known_truth(
    pipe: VideoPipeline,
    *,
    world: str,
    motion_world: str = "",
    contents: int = 16,
    motions: int = 8,
    num_frames: int = 16,
    real_clips: int = 256,
    progress: Callable[[int, int], None] | None = None,
) -> KnownTruth:
    """Measures a model on clips of every content with every motion.

    Args:
        pipe: The model.
        world: Whose pictures its image generator draws.
        motion_world: Whose videos its motion was learned from; by default the same.
        contents: How many contents.
        motions: How many motions each of them is moved by.
        num_frames: T, frames of a clip; at least 9.
        real_clips: Clips of the worlds to compare with.
        progress: Called with clips done and clips in all.

    Raises:
        InputError: No reader ships for a world, the worlds have different motion factors, or a number is too small.
    """
    motion_world = motion_world or world
    factors = open_world(world).MOTION_FACTORS
    if factors != open_world(motion_world).MOTION_FACTORS:
        raise InputError("these worlds have different motion factors", given=f"{world}, {motion_world}")
    total = contents * motions + real_clips * (3 if motion_world != world else 2)
    done = _Counter(total, progress)
    fake = _read_model(pipe, world, contents=contents, motions=motions, num_frames=num_frames, done=done)
    real = _read_world(motion_world, real_clips, num_frames, part=0, done=done)
    other = _read_world(motion_world, real_clips, num_frames, part=1, done=done)
    own = real if motion_world == world else _read_world(world, real_clips, num_frames, part=0, done=done)

    legible = sorted(set(legible_motion(world)) & set(legible_motion(motion_world)))
    names = tuple(factors[place].name for place in legible)
    drift = [identity_drift(fake.identity[:, motion]) for motion in range(motions)]
    match = motion_match(fake.motion.reshape(-1, num_frames, len(factors)), real.motion, factors)
    diversity = np.mean([motion_diversity(clips, real.motion, factors) for clips in fake.motion], axis=0)
    transfer = motion_transfer(fake.motion, factors)
    return KnownTruth(
        num_clips=contents * motions,
        factors=names,
        identity_drift=float(np.mean([one.mean for one in drift])),
        real_identity_drift=identity_drift(own.identity).mean,
        drift_curve=tuple(np.mean([one.curve for one in drift], axis=0).tolist()),
        motion_match=_by_name(names, match.by_factor[legible]),
        real_motion_match=float(motion_match(other.motion, real.motion, factors).by_factor[legible].mean()),
        diversity=_by_name(names, diversity[legible]),
        transfer=_by_name(names, transfer.correlation[legible]),
        transfer_floor=float(transfer.floor[legible].mean()),
    )


class _Counter:
    """Counts clips for a progress bar."""

    def __init__(self, total: int, progress: Callable[[int, int], None] | None) -> None:
        self.total, self.progress, self.done = total, progress, 0

    def __call__(self) -> None:
        self.done += 1
        if self.progress:
            self.progress(self.done, self.total)


def _read_model(
    pipe: VideoPipeline, world: str, *, contents: int, motions: int, num_frames: int, done: Callable[[], None]
) -> ClipReadings:
    """Readings of the model's clips, identity [contents, motions, T, E] and motion [contents, motions, T, M]."""
    reader, rows, rate = load_factor_reader(world), [], pipe.drawn_at(open_world(world).fps / FRAME_STEP)
    for seed in range(contents):
        clips = []
        for motion_seed in range(motions):
            clips.append(pipe.generate(seed=seed, motion_seed=motion_seed, num_frames=num_frames, fps=rate).frames)
            done()
        rows.append(read_clips(reader, np.stack(clips)))
    return ClipReadings(np.stack([row.identity for row in rows]), np.stack([row.motion for row in rows]))


def _read_world(name: str, count: int, num_frames: int, *, part: int, done: Callable[[], None]) -> ClipReadings:
    """Readings of a world's own clips, [N, T, E] and [N, T, M]."""
    reader = load_factor_reader(name)
    world = open_world(name, num_frames=(num_frames - 1) * FRAME_STEP + 1, seed=HELD_OUT)
    readings = []
    for index in range(part * count, (part + 1) * count):
        readings.append(read_clips(reader, world.video(index).video.frames[None, ::FRAME_STEP]))
        done()
    return ClipReadings(*(np.concatenate(parts) for parts in zip(*readings, strict=True)))


def _by_name(names: tuple[str, ...], values: npt.NDArray[np.floating]) -> dict[str, float]:
    return dict(zip(names, values.tolist(), strict=True))
