"""Scores of generated clips against real ones, with everything that another needs to get the same number.

Clips are chosen by a protocol, seen by a feature network, and compared. The same distance between two halves of the real clips
stands beside it: what comes of having no more clips than that, and nothing worse.
"""

import dataclasses
import platform
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import safetensors
import scipy
import torch
from accelerate import Accelerator

import latentreel
from latentreel.core.errors import InputError
from latentreel.core.precision import compute_dtype
from latentreel.core.randomness import numpy_generator
from latentreel.metrics.bootstrap import interval
from latentreel.metrics.clip_choice import ClipRef, choose_clips
from latentreel.metrics.content_distance import content_distance
from latentreel.metrics.extractors.extractor import Extractor, Seen
from latentreel.metrics.frame_quality import frame_quality
from latentreel.metrics.frechet_distance import frechet_distance
from latentreel.metrics.inception_score import SPLITS, inception_score
from latentreel.metrics.kernel_distance import kernel_distance
from latentreel.metrics.moments import Moments
from latentreel.metrics.protocols import Protocol
from latentreel.pipelines.clip_collections import ClipCollection, classes_of
from latentreel.pipelines.clip_features import Sight, look
from latentreel.pipelines.evaluation_result import Evaluation, Score, Side

FEWEST_CLIPS = 16
"""With fewer clips a distance says nothing: it is refused."""

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
        cache: Folder for what was seen of real clips; by default the program's own.
        accelerator: Knows the processes that share the work; by default this one is alone.
        progress: Told of the steps.

    Raises:
        InputError: There are fewer than 16 clips, no video is long enough, the sides differ in size, or `batch_size` is below 1.
    """
    if batch_size < 1:
        raise InputError("batch_size is out of range", given=batch_size, allowed="at least 1")
    accelerator = accelerator or Accelerator()
    scores = _paired(real, fake, protocol) if paired else {}
    pairs: list[tuple[Sight, Sight]] = []
    for repeat in range(protocol.repeats):
        refs = _choose(real, fake, protocol, repeat=repeat, seed=seed)
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
            for what, collection, some in zip(("real clips", "fake clips"), (real, fake), refs, strict=True)
        )
        if first.shape != second.shape:
            raise InputError(
                "the two sides have different sizes",
                given=f"{_shape(first)} in {real.name}, {_shape(second)} in {fake.name}",
                fix="give --size: both are brought to it",
            )
        pairs.append((first, second))
    first, second = pairs[0]
    width = first.seen.features.shape[1]
    scores = _compared(pairs, seed=seed) | _of_one_side(first, second, extractor) | scores
    if protocol.repeats == 1 and with_interval:
        low, high = _interval(first, second, scores[FRECHET].value, seed=seed, progress=_named(progress, "interval"))
        scores[FRECHET] = dataclasses.replace(scores[FRECHET], low=low, high=high)
    network = {"name": extractor.name, "digest": extractor.digest, "width": width, "looks_at": extractor.looks_at}
    return Evaluation(
        protocol=protocol,
        network=network | {"precision": str(compute_dtype(accelerator.device)).removeprefix("torch.")},
        clip_shape=list(first.shape),
        real=_side(real, first),
        fake=_side(fake, second),
        scores=scores,
        warnings=_warnings(protocol, len(first.refs), width),
        seed=seed,
        versions=_versions() | {"device": accelerator.device.type},
    )


def _choose(
    real: ClipCollection, fake: ClipCollection, protocol: Protocol, *, repeat: int, seed: int
) -> tuple[list[ClipRef], list[ClipRef]]:
    """As many clips of one side as of the other: a distance depends on how many there are."""
    chosen = []
    for some in (real, fake):
        told = protocol.for_model() if some.generated else protocol
        classes = classes_of(some)
        chosen.append(choose_clips(told, some.lengths, classes=classes, generated=some is fake, repeat=repeat, seed=seed))
    count = min(map(len, chosen))
    if count < FEWEST_CLIPS:
        name = real.name if len(chosen[0]) == count else fake.name
        raise InputError(
            "too few clips for a score",
            given=f"{count} in {name}",
            allowed=f"{FEWEST_CLIPS} or more of {protocol.span} frames each",
            fix="give more or longer videos, or lower --num-frames",
        )
    return chosen[0][:count], chosen[1][:count]


def _compared(pairs: list[tuple[Sight, Sight]], *, seed: int) -> dict[str, Score]:
    """Distances between the sides, over all repeats, beside those between halves of the real clips."""
    scores = {}
    rows = len(pairs[0][0].seen.features) // len(pairs[0][0].refs)
    for name, distance in ((FRECHET, _frechet), (KERNEL, partial(_kernel, rows=rows))):
        values = [distance(real.seen, fake.seen) for real, fake in pairs]
        halves = [distance(*_halves(real.seen, len(real.refs), seed=seed)) for real, _ in pairs]
        spread = float(np.std(values)) if len(values) > 1 else None
        scores[name] = Score(value=float(np.mean(values)), deviation=spread, real=float(np.mean(halves)))
    return scores


def _of_one_side(real: Sight, fake: Sight, extractor: Extractor) -> dict[str, Score]:
    """Scores that generated clips have by themselves, beside those of real ones."""
    scores = {}
    if real.seen.logits is not None and fake.seen.logits is not None and len(fake.seen.logits) >= SPLITS:
        value, deviation = inception_score(fake.seen.logits.numpy())
        scores[INCEPTION] = Score(value=value, deviation=deviation, real=inception_score(real.seen.logits.numpy())[0])
    if extractor.looks_at == "frames" and fake.shape[0] > 1:
        by_clip = [some.seen.features.numpy().reshape(len(some.refs), some.shape[0], -1) for some in (fake, real)]
        scores[CONTENT] = Score(value=content_distance(by_clip[0]), real=content_distance(by_clip[1]))
    return scores


def _paired(real: ClipCollection, fake: ClipCollection, protocol: Protocol) -> dict[str, Score]:
    """PSNR and SSIM of the first frames of videos that have one name, and by frame.

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
    pairs = [frame_quality(real.clip(ClipRef(a, 0), protocol), fake.clip(ClipRef(b, 0), protocol)) for a, b in shared]
    psnr, ssim = np.stack([pair.psnr for pair in pairs]), np.stack([pair.ssim for pair in pairs])
    return {
        name: Score(value=float(values.mean()), by_frame=values.mean(axis=0).tolist())
        for name, values in (("PSNR", psnr), ("SSIM", ssim))
    }


def _frechet(real: Seen, fake: Seen) -> float:
    return frechet_distance(Moments.of(real.features.numpy()), Moments.of(fake.features.numpy()))


def _kernel(real: Seen, fake: Seen, *, rows: int) -> float:
    return kernel_distance(real.features.numpy(), fake.features.numpy(), rows=rows)


def _halves(seen: Seen, num_clips: int, *, seed: int) -> tuple[Seen, Seen]:
    """Two random halves of the clips; the frames of a clip stay together."""
    order = torch.from_numpy(numpy_generator(seed, "halves").permutation(num_clips))
    rows = torch.arange(len(seen.features)).reshape(num_clips, -1)
    first, second = rows[order[: num_clips // 2]].flatten(), rows[order[num_clips // 2 : num_clips // 2 * 2]].flatten()
    return Seen(seen.features[first], None), Seen(seen.features[second], None)


def _interval(
    real: Sight, fake: Sight, value: float, *, seed: int, progress: Callable[[int, int], None]
) -> tuple[float, float]:
    """Of the Fréchet distance; whole clips are resampled, with all their frames."""
    x, y = (sight.seen.features.numpy().reshape(len(sight.refs), -1, sight.seen.features.shape[1]) for sight in (real, fake))

    def score(some: npt.NDArray[np.intp], others: npt.NDArray[np.intp]) -> float:
        return frechet_distance(Moments.of(np.concatenate(x[some])), Moments.of(np.concatenate(y[others])))

    return interval(score, len(x), len(y), value=value, seed=seed, progress=progress)


def _side(collection: ClipCollection, sight: Sight) -> Side:
    return Side(
        name=collection.name,
        num_clips=len(sight.refs),
        manifest=[(collection.names[video], start) for video, start in sight.refs],
        digest=sight.digest,
        left_out=[f"{name}: {reason}" for name, reason in collection.problems],
    )


def _warnings(protocol: Protocol, num_clips: int, width: int) -> list[str]:
    found = []
    if num_clips < protocol.num_clips:
        found.append(
            f"{num_clips} clips on either side instead of the protocol's {protocol.num_clips}: "
            "not to be compared with published numbers"
        )
    if num_clips <= width:
        found.append(
            f"{num_clips} clips are not more than the network's width of {width}: "
            "covariances lack rank, and the Fréchet distance is too large"
        )
    return found


def _versions() -> dict[str, str]:
    modules = {"torch": torch, "numpy": np, "scipy": scipy, "safetensors": safetensors}
    found = {name: str(module.__version__) for name, module in modules.items()}  # type: ignore[attr-defined]
    return {"latentreel": latentreel.__version__, "python": platform.python_version()} | found


def _shape(sight: Sight) -> str:
    return f"{sight.shape[2]} x {sight.shape[1]} px"


def _named(progress: Progress, what: str) -> Callable[[int, int], None]:
    return lambda done, total: progress(what, done, total)
