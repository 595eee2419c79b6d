"""Scores of generated clips against real ones, with everything that another needs to get the same number.

Clips are chosen by a protocol, seen by a feature network, and compared. The same distance between two sets of real clips stands
beside it: what comes of having no more clips than that, and nothing worse.
"""

import dataclasses
import platform
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from math import prod
from pathlib import Path

import numpy as np
import numpy.typing as npt
from accelerate import Accelerator

import latentreel
from latentreel.core.errors import InputError
from latentreel.core.randomness import numpy_generator
from latentreel.metrics.bootstrap import intervals
from latentreel.metrics.clip_choice import ClipRef, choose_clips
from latentreel.metrics.content_distance import content_distances
from latentreel.metrics.extractors.extractor import Extractor
from latentreel.metrics.frame_quality import frame_quality
from latentreel.metrics.frechet_distance import frechet_distance
from latentreel.metrics.inception_score import SPLITS, inception_score
from latentreel.metrics.kernel_distance import MOST_NUMBERS, PART, KernelDistance, kernel_distance
from latentreel.metrics.moments import BLOCK, Floats, Moments
from latentreel.metrics.perceptual_distance import PerceptualDistance
from latentreel.metrics.protocols import Protocol
from latentreel.pipelines.clip_collections import ClipCollection, classes_of
from latentreel.pipelines.clip_features import Sight, look
from latentreel.pipelines.evaluation_result import Evaluation, Score, Side
from latentreel.pipelines.evaluation_warnings import evaluation_warnings, other_speed

FEWEST_CLIPS = 16
"""With fewer clips a distance says nothing: it is refused."""

MOST_RESAMPLED = MOST_NUMBERS
"""Numbers of one side that are in memory for intervals; all else is read from disk in blocks, whatever the number of clips."""

FRECHET, KERNEL, INCEPTION, CONTENT = "Fréchet distance", "kernel distance", "inception score", "average content distance"

Progress = Callable[[str, int, int], None]
"""Told what is done, how much of it is done, and how much there is."""


def evaluate(
    real: ClipCollection,
    fake: ClipCollection,
    protocol: Protocol,
    extractor: Extractor,
    *,
    seed: int = 0,
    batch_size: int = 1,
    with_interval: bool = True,
    paired: bool = False,
    lpips: PerceptualDistance | None = None,
    cache: Path | None = None,
    accelerator: Accelerator | None = None,
    progress: Progress = lambda *_: None,
) -> Evaluation:
    """Compares two collections.

    Networks that look at clips give Fréchet and kernel distance of clips; those that look at frames the same of frames, and the
    average content distance. Networks that classify give the inception score, too.

    Args:
        real: The clips to compare with.
        fake: The clips to be judged.
        protocol: Which clips of them.
        extractor: The network that sees them.
        seed: Fixes which clips, the halves, and the resampling.
        batch_size: Clips seen at once; changes scores by no more than rounding.
        with_interval: Whether to resample, where the protocol has no repeats of its own.
        paired: Whether to compare videos of one name frame by frame as well.
        lpips: The network for LPIPS of such pairs.
        cache: Folder for what was seen of real clips; by default the program's own.
        accelerator: Knows the processes that share the work; by default this one is alone.
        progress: Told of the steps.

    Raises:
        InputError: There are fewer than 16 clips, no video is long enough, the sides differ in size, `batch_size` is below 1, or
            there is LPIPS and nothing to compare with it.
    """
    if lpips and not paired:
        raise InputError("LPIPS compares pairs of frames", fix="add --paired: videos of one name are compared")
    if batch_size < 1:
        raise InputError("batch_size is out of range", given=batch_size, allowed="at least 1")
    accelerator = accelerator or Accelerator()
    paired_scores = _paired(real, fake, protocol, lpips, seed=seed) if paired else {}
    spread = with_interval and protocol.interval and protocol.repeats == 1
    things = "pictures" if protocol.num_frames == 1 else "clips"
    pairs: list[tuple[Sight, Sight]] = []
    for repeat in range(protocol.repeats):
        refs = _choose(real, fake, protocol, repeat=repeat, seed=seed)
        _require_one_size(real, fake, [some[0] for some in refs], protocol)
        first, second = (
            look(
                collection,
                some,
                protocol,
                extractor,
                accelerator=accelerator,
                batch_size=batch_size,
                cache=cache,
                progress=_named(progress, what if protocol.repeats == 1 else f"{what} {repeat + 1}/{protocol.repeats}"),
            )
            for what, collection, some in zip((f"real {things}", f"fake {things}"), (real, fake), refs, strict=True)
        )
        pairs.append((first, second))
    halves = _halves(pairs[0][0], at_most=len(pairs[0][1].refs), seed=seed)
    pairs = [(first.of(np.arange(len(second.refs))), second) for first, second in pairs]
    first, second = pairs[0]
    scores = _distances(pairs, halves) | _of_one_side(first, second, extractor)
    too_large = spread and max(prod(some.features.shape) for some in pairs[0]) > MOST_RESAMPLED
    if spread and not too_large:
        scores = _with_intervals(scores, first, second, seed=seed, progress=_named(progress, "intervals"))
    width = first.features.shape[1]
    network = {"name": extractor.name, "digest": extractor.digest, "width": width, "looks_at": extractor.looks_at}
    precision = "the file's own" if extractor.dtype is None else str(extractor.dtype).removeprefix("torch.")
    network |= {"precision": precision} | ({"lpips": lpips.digest} if lpips else {})
    return Evaluation(
        protocol=protocol,
        network=network,
        clip_shape=list(first.shape),
        real=_side(real, first),
        fake=_side(fake, second),
        scores=scores | paired_scores,
        warnings=[
            *evaluation_warnings(protocol, len(first.refs), width, resampled=MOST_RESAMPLED if too_large else None),
            *other_speed(real, fake, protocol),
        ],
        seed=seed,
        versions=_versions() | {"device": accelerator.device.type},
    )


def _choose(
    real: ClipCollection, fake: ClipCollection, protocol: Protocol, *, repeat: int, seed: int
) -> tuple[list[ClipRef], list[ClipRef]]:
    """As many clips of one side as of the other, for a distance depends on how many there are.

    Of real ones as many again, if they are there, for the distance between real and real.
    """
    chosen = []
    for some in (real, fake):
        told = some.told(protocol)
        if some is real and repeat == 0:
            told = dataclasses.replace(told, num_clips=2 * protocol.num_clips)
        classes = classes_of(some)
        chosen.append(choose_clips(told, some.lengths, classes=classes, generated=some is fake, repeat=repeat, seed=seed))
    count = min(protocol.num_clips, *map(len, chosen))
    if count < FEWEST_CLIPS:
        asked = protocol.num_clips < FEWEST_CLIPS
        name = real.name if len(chosen[0]) == count else fake.name
        raise InputError(
            "too few clips for a score",
            given=f"--clips {protocol.num_clips}" if asked else f"{count} in {name}",
            allowed=f"{FEWEST_CLIPS} or more" + ("" if asked else f" of {protocol.span} frames each"),
            fix=None if asked else "give more or longer videos, or lower --num-frames",
        )
    return chosen[0][: 2 * count if repeat == 0 else count], chosen[1][:count]


def _halves(real: Sight, *, at_most: int, seed: int) -> tuple[Sight, Sight]:
    """Two sets of real clips of one size that share no video, where there is more than one.

    Videos are dealt in random order, each to the smaller set.
    """
    videos: dict[int, list[int]] = {}
    for place, ref in enumerate(real.refs):
        videos.setdefault(ref.video, []).append(place)
    groups = list(videos.values()) if len(videos) > 1 else [[place] for place in range(len(real.refs))]
    sets: tuple[list[int], list[int]] = ([], [])
    for group in numpy_generator(seed, "halves").permutation(len(groups)):
        min(sets, key=len).extend(groups[group])
    count = min(at_most, *map(len, sets))
    first, second = (real.of(np.array(some[:count], dtype=np.intp)) for some in sets)
    return first, second


def _distances(pairs: list[tuple[Sight, Sight]], halves: tuple[Sight, Sight]) -> dict[str, Score]:
    """Distances between the sides, over all repeats, beside those between real and real."""
    scores = {}
    for name, distance in ((FRECHET, _frechet), (KERNEL, _kernel)):
        values = [distance(*pair) for pair in pairs]
        scores[name] = Score(
            value=float(np.mean(values)),
            clips=len(pairs[0][1].refs),
            deviation=float(np.std(values)) if len(values) > 1 else None,
            real=distance(*halves) if len(halves[0].refs) > 1 else None,
            real_clips=len(halves[0].refs),
        )
    return scores


def _of_one_side(real: Sight, fake: Sight, extractor: Extractor) -> dict[str, Score]:
    """Scores that generated clips have by themselves, beside those of real ones."""
    scores = {}
    clips = len(fake.refs)
    if real.logits is not None and fake.logits is not None and len(fake.logits) >= SPLITS:
        value, deviation = inception_score(fake.logits)
        own = inception_score(real.logits)[0]
        scores[INCEPTION] = Score(value=value, clips=clips, deviation=deviation, real=own, real_clips=clips)
    if extractor.looks_at == "frames" and fake.shape[0] > 1:
        value, own = (float(_content_distances(some).mean()) for some in (fake, real))
        scores[CONTENT] = Score(value=value, clips=clips, real=own, real_clips=clips)
    return scores


def _with_intervals(
    scores: dict[str, Score], real: Sight, fake: Sight, *, seed: int, progress: Callable[[int, int], None]
) -> dict[str, Score]:
    """The scores that are resampled, with their intervals; whole clips are drawn, with all their frames."""
    x, y = _by_clip(real), _by_clip(fake)
    ways = {FRECHET: lambda some, others: _frechet(real.of(some), fake.of(others))}
    if len(x) <= PART:
        kernel = KernelDistance(x, y)
        ways[KERNEL] = lambda some, others: kernel(_counts(some, len(x)), _counts(others, len(y)))
    if CONTENT in scores:
        distances = _content_distances(fake)
        ways[CONTENT] = lambda _, others: float(distances[others].mean())
    ends = intervals(
        lambda some, others: [way(some, others) for way in ways.values()],
        len(x),
        len(y),
        values=[scores[name].value for name in ways],
        seed=seed,
        progress=progress,
    )
    found = {name: dataclasses.replace(scores[name], low=low, high=high) for name, (low, high) in zip(ways, ends, strict=True)}
    return scores | found


def _paired(
    real: ClipCollection, fake: ClipCollection, protocol: Protocol, lpips: PerceptualDistance | None, *, seed: int
) -> dict[str, Score]:
    """PSNR, SSIM and LPIPS of the first frames of videos that have one name, and by frame.

    Raises:
        InputError: No names are shared.
    """
    places = {name: place for place, name in enumerate(real.names)}
    shared = [(places[name], place) for place, name in enumerate(fake.names) if name in places]
    shared = [(a, b) for a, b in shared if min(real.lengths[a], fake.lengths[b]) >= protocol.span]
    if not shared:
        raise InputError(
            "the two sides share no videos to be paired",
            given=f"{real.names[0]}, ... and {fake.names[0]}, ...",
            allowed=f"the same names, {protocol.span} frames or more",
        )
    by_pair: dict[str, list[Floats]] = {}
    for a, b in shared:
        clips = real.clip(ClipRef(a, 0), protocol), fake.clip(ClipRef(b, 0), protocol)
        psnr, ssim = frame_quality(*clips)
        for name, values in (("PSNR", psnr), ("SSIM", ssim), *([("LPIPS", lpips(*clips))] if lpips else [])):
            by_pair.setdefault(name, []).append(values)
    tables = {name: np.stack(values) for name, values in by_pair.items()}  # [pairs, T]
    means = [float(table.mean()) for table in tables.values()]
    ends = intervals(
        lambda some, _: [float(table[some].mean()) for table in tables.values()], len(shared), 1, values=means, seed=seed
    )
    return {
        name: Score(value=mean, clips=len(shared), low=low, high=high, by_frame=table.mean(axis=0).tolist())
        for (name, table), mean, (low, high) in zip(tables.items(), means, ends, strict=True)
    }


def _frechet(real: Sight, fake: Sight) -> float:
    return frechet_distance(Moments.of(real.features), Moments.of(fake.features))


def _kernel(real: Sight, fake: Sight) -> float:
    return kernel_distance(real.features, fake.features, rows=real.rows)


def _by_clip(sight: Sight, clips: slice = slice(None)) -> Floats:
    """Features of some clips, [N, rows, F] in float64."""
    begin, end, _ = clips.indices(len(sight.refs))
    features = sight.features[begin * sight.rows : end * sight.rows]
    return features.astype(np.float64).reshape(end - begin, sight.rows, -1)


def _content_distances(sight: Sight) -> Floats:
    """Of each clip, [N]."""
    step = max(1, BLOCK // sight.rows)
    begins = range(0, len(sight.refs), step)
    return np.concatenate([content_distances(_by_clip(sight, slice(begin, begin + step))) for begin in begins])


def _counts(draws: npt.NDArray[np.intp], num_clips: int) -> Floats:
    return np.bincount(draws, minlength=num_clips).astype(np.float64)


def _side(collection: ClipCollection, sight: Sight) -> Side:
    return Side(
        name=collection.name,
        num_clips=len(sight.refs),
        manifest=[(collection.names[video], start) for video, start in sight.refs],
        digest=sight.digest,
        left_out=[f"{name}: {reason}" for name, reason in collection.problems],
    )


def _versions() -> dict[str, str]:
    found = {"latentreel": latentreel.__version__, "python": platform.python_version()}
    for name in ("torch", "numpy", "scipy", "safetensors", "av", "torchmetrics", "onnxruntime"):
        with suppress(PackageNotFoundError):  # the last two are extras
            found[name] = version(name)
    return found


def _require_one_size(real: ClipCollection, fake: ClipCollection, refs: list[ClipRef], protocol: Protocol) -> None:
    """Raises where the first clips of both sides differ, before all are looked at."""
    first, second = (collection.clip(ref, protocol).shape for collection, ref in zip((real, fake), refs, strict=True))
    if first != second:
        given = f"{first[2]} x {first[1]} px in {real.name}, {second[2]} x {second[1]} px in {fake.name}"
        raise InputError("the two sides have different sizes", given=given, fix="give --size: both are brought to it")


def _named(progress: Progress, what: str) -> Callable[[int, int], None]:
    return lambda done, total: progress(what, done, total)
