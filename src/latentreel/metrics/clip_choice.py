"""Which clips of a collection a protocol looks at: a pure function of names, lengths and a seed."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from latentreel.core.errors import InputError
from latentreel.core.randomness import numpy_generator
from latentreel.metrics.protocols import Protocol


class ClipRef(NamedTuple):
    """One clip of a collection."""

    video: int
    """Its video's place in the collection."""

    start: int
    """Its first frame."""


def choose_clips(
    protocol: Protocol,
    lengths: Sequence[int],
    *,
    classes: Sequence[str],
    generated: bool = False,
    repeat: int = 0,
    seed: int = 0,
) -> list[ClipRef]:
    """At most `protocol.num_clips` clips, none twice; videos that are too short are left out.

    Args:
        protocol: What it asks for.
        lengths: Frames of each video, in an order that does not depend on the machine, such as that of their names.
        classes: The class of each video.
        generated: Whether a model made them: protocols that take generated videos from their beginning do so then.
        repeat: Which of the protocol's repeats; each draws anew.
        seed: Fixes the draws.

    Raises:
        InputError: No video is long enough.
    """
    starts = np.maximum(np.asarray(lengths, dtype=np.int64) - protocol.span + 1, 0)  # how many clips begin in each video
    videos = np.flatnonzero(starts)
    if not len(videos):
        raise InputError(
            "no video is long enough for a clip of this protocol",
            given=f"{max(lengths, default=0)} frames in the longest",
            allowed=f"{protocol.span} frames or more",
        )
    draws = numpy_generator(seed, "clip choice", protocol.name, repeat)
    if protocol.choice == "first_videos":
        first = videos[: protocol.num_clips]
        begin = np.zeros(len(first), dtype=np.int64) if generated else draws.integers(starts[first])
        return [ClipRef(int(video), int(start)) for video, start in zip(first, begin, strict=True)]
    if protocol.choice == "balanced":
        return _balanced(protocol, videos.tolist(), lengths, classes, draws)
    weights = starts[videos] if protocol.choice == "random_clips" else np.ones(len(videos))
    return _random(protocol.num_clips, videos, starts, weights / weights.sum(), draws)


def _balanced(
    protocol: Protocol, videos: list[int], lengths: Sequence[int], classes: Sequence[str], draws: np.random.Generator
) -> list[ClipRef]:
    """Classes take turns, and within a class its videos; clips of one video do not overlap."""
    waiting: dict[str, list[list[ClipRef]]] = {}
    for video in videos:
        fitting = lengths[video] // protocol.span
        slack = draws.integers(lengths[video] - fitting * protocol.span + 1)
        places = draws.permutation(fitting)
        waiting.setdefault(classes[video], []).append([ClipRef(video, int(slack + k * protocol.span)) for k in places])
    queues = []
    for name in sorted(waiting):
        order = draws.permutation(len(waiting[name]))
        rounds = max(len(clips) for clips in waiting[name])
        queues.append([waiting[name][v][k] for k in range(rounds) for v in order if k < len(waiting[name][v])])
    turns = (queue[k] for k in range(max(map(len, queues))) for queue in queues if k < len(queue))
    return [clip for clip, _ in zip(turns, range(protocol.num_clips), strict=False)]


def _random(
    count: int, videos: np.ndarray, starts: np.ndarray, weights: np.ndarray, draws: np.random.Generator
) -> list[ClipRef]:
    """Draws until there are enough different clips, or all that there are."""
    chosen: dict[ClipRef, None] = {}
    possible = int(starts[videos].sum())
    if possible <= count:
        every = [ClipRef(int(video), start) for video in videos for start in range(starts[video])]
        return [every[place] for place in draws.permutation(possible)]
    while len(chosen) < count:
        some = draws.choice(videos, size=count, p=weights)
        chosen.update({ClipRef(int(video), int(draws.integers(starts[video]))): None for video in some})
    return list(chosen)[:count]
