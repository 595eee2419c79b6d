"""The pairwise preference study: two clips side by side, and the question which of them looks more realistic.

MoCoGAN-HD (Tian et al. 2021), Tab. 2, 5 and 8 and App. B ("AMT Experiments"): people see a pair of videos and choose.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath

import numpy as np
import torch

from latentreel.checkpoints.load import find_bundle, shipped_names
from latentreel.core.errors import InputError
from latentreel.core.text import printable
from latentreel.core.video import Video
from latentreel.data.source_items import SourceItem
from latentreel.data.sources import open_source
from latentreel.media.decode import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from latentreel.pipelines.video_pipeline import VideoPipeline
from latentreel.report.clip_selection import bounded
from latentreel.report.inline_video import enlarged, mp4_bytes
from latentreel.report.votes import MOST_LETTERS, can_be_told

Progress = Callable[[int, int], None]

MOST_PAIRS = 200
MODEL_PAIRS = 20
"""Where both sides are models, which have as many clips as one asks for."""

MOST_FRAMES = 300
MOST_PIXELS = 512
"""Of the longer side of a clip as it is shown."""

LEAST_PIXELS = 256
"""Smaller clips are enlarged, on either side in the same way."""

SOURCES = "a folder of videos, a bundle, or a name that ships"


@dataclass(frozen=True)
class Pair:
    """Two clips to be compared."""

    name: str
    """Printable, and different from the other pairs' names."""

    a: bytes = field(repr=False)
    """An MP4."""

    b: bytes = field(repr=False)
    digest: str = ""
    """SHA-256 over the pixels of both."""


@dataclass(frozen=True, kw_only=True)
class Study:
    """All that raters are shown."""

    a: str
    """The name of one side, printable."""

    b: str
    pairs: tuple[Pair, ...]
    questions: tuple[str, ...]
    """What is asked of each pair; one after the other."""

    forced: bool = False
    """Whether there are only two answers, as in the paper; else "no difference" is a third."""

    seed: int = 0
    """With a rater's name it fixes the order of the pairs, and which clip stands at the left."""

    def __post_init__(self) -> None:
        if not self.questions or not all(question.strip() and can_be_told(question) for question in self.questions):
            given, allowed = _brief(self.questions), f"up to {MOST_LETTERS} letters"
            raise InputError("a study needs questions of one line each", given=given, allowed=allowed)
        names = [pair.name for pair in self.pairs]
        if too_long := [name for name in (self.a, self.b, *names) if not can_be_told(name)]:
            given, allowed = _brief(too_long), f"up to {MOST_LETTERS} letters"
            raise InputError("no vote can name this side or pair", given=given, allowed=allowed, fix="rename it")
        _require_different("questions", self.questions)
        _require_different("names of pairs", names)

    @property
    def digest(self) -> str:
        """Tells studies apart: changes with every clip and its place, and with no name of a side."""
        told = [(pair.name, pair.digest) for pair in self.pairs]
        return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class _Side:
    """The clips of one side."""

    name: str
    keys: tuple[str, ...]
    """Names of its clips, all different; empty where it makes as many as one asks for."""

    clip: Callable[[int], Video]


def make_pairs(
    a: str,
    b: str,
    *,
    count: int | None = None,
    num_frames: int = 16,
    truncation: float = 1.0,
    device: torch.device | str = "cpu",
    progress: Progress | None = None,
) -> tuple[tuple[Pair, ...], str]:
    """Puts the clips of two sides together: by name where both have the same names, else in their order.

    Args:
        a: A folder or an archive of videos, a bundle, or the name of a model that ships.
        b: The other.
        count: How many pairs; by default all, of two models 20. Of more clips the first are taken.
        num_frames: Length of clips that a model makes.
        truncation: Of such clips.
        device: Where a model works.
        progress: Told of the pairs that are ready.

    Returns:
        The pairs, and how they were put together, in words.

    Raises:
        InputError: A side is missing or cannot be read, both are the same, or they have different numbers of clips and `count` is
            not given or is more than one of them has; or pairs would have the same name.
    """
    if a == b:
        raise InputError("A and B are the same", given=a, allowed="two different sources")
    if count is not None and not 1 <= count <= MOST_PAIRS:
        raise InputError("pairs is out of range", given=count, allowed=f"1 to {MOST_PAIRS}")
    left, right = (_side(source, num_frames, truncation, device) for source in (a, b))
    places, told = _matched(left, right, count)
    _require_different("names of pairs", [name for name, _, _ in places])
    pairs = []
    for name, i, j in places:
        clips = left.clip(i), right.clip(j)
        digest = hashlib.sha256(b"".join(hashlib.sha256(clip.frames.tobytes()).digest() for clip in clips)).hexdigest()
        first, second = (mp4_bytes(enlarged(clip.frames, least=LEAST_PIXELS), clip.fps) for clip in clips)
        pairs.append(Pair(name, first, second, digest))
        if progress is not None:
            progress(len(pairs), len(places))
    return tuple(pairs), told


def _side(source: str, num_frames: int, truncation: float, device: torch.device | str) -> _Side:
    path = Path(source)
    if find_bundle(source) is not None:
        pipe = VideoPipeline.load(source).to(device)
        return _Side(printable(source), (), partial(_drawn, pipe, num_frames, truncation))
    if not path.exists():
        allowed = f"{SOURCES}: {', '.join(shipped_names())}"
        raise InputError("there is nothing to compare", given=source, allowed=allowed)
    items = open_source(path).items
    return _Side(printable(source), _keys([item.name for item in items]), partial(_decoded, items))


def _matched(a: _Side, b: _Side, count: int | None) -> tuple[list[tuple[str, int, int]], str]:
    """Name, place on side A and place on side B of each pair; and the rule."""
    if not a.keys and not b.keys:
        return [(f"seed {seed}", seed, seed) for seed in range(count or MODEL_PAIRS)], "clips of the same seeds"
    if not a.keys or not b.keys:
        keys = a.keys or b.keys
        number = _number(len(keys), len(keys), count)
        return [(printable(keys[i]), i, i) for i in range(number)], "the files in their order with seeds from 0"
    places = {key: place for place, key in enumerate(b.keys)}
    common = [(printable(key), i, places[key]) for i, key in enumerate(a.keys) if key in places]
    if len(common) == max(len(a.keys), len(b.keys)) or (count is not None and len(common) >= count):
        return common[: _number(len(common), len(common), count)], "files of the same name"
    number = _number(len(a.keys), len(b.keys), count)
    named = [(printable(f"{x} and {y}"), i, i) for i, (x, y) in enumerate(zip(a.keys, b.keys, strict=False))]
    return named[:number], "files in their order, for their names differ"


def _number(first: int, second: int, count: int | None) -> int:
    if count is None and first != second:
        fix = f"give --pairs {min(first, second, MOST_PAIRS)}: so many of each are taken, or name files of both sides alike"
        raise InputError("A and B have different numbers of clips", given=f"{first} and {second}", fix=fix)
    if count is not None and count > min(first, second):
        raise InputError("there are not so many pairs", given=count, allowed=f"up to {min(first, second)}")
    if count is None and first > MOST_PAIRS:
        raise InputError("there are too many pairs for one study", given=first, fix=f"give --pairs, up to {MOST_PAIRS}")
    return first if count is None else count


def _keys(names: Sequence[str]) -> tuple[str, ...]:
    """Names of files without their suffixes, where they are different without."""
    stems = [_stem(name) for name in names]
    counts = Counter([*stems, *names])
    return tuple(stem if counts[stem] == 1 + (stem == name) else name for stem, name in zip(stems, names, strict=True))


def _stem(name: str) -> str:
    path = PurePosixPath(name)
    return str(path.with_suffix("")) if path.suffix.lower() in VIDEO_SUFFIXES | IMAGE_SUFFIXES else name


def _require_different(what: str, told: Sequence[str]) -> None:
    if twice := [each for each, count in Counter(told).items() if count > 1]:
        raise InputError(f"{what} occur twice: their votes could not be told apart", given=_brief(twice), fix="change one")


def _brief(names: Sequence[str]) -> str:
    shown = printable(", ".join(names)) or "none"
    return shown if len(shown) <= 100 else f"{shown[:97]}..."


def _drawn(pipe: VideoPipeline, num_frames: int, truncation: float, seed: int) -> Video:
    video = pipe.generate(seed=seed, motion_seed=seed, num_frames=num_frames, truncation=truncation)
    return _as_shown(video)


def _decoded(items: Sequence[SourceItem], index: int) -> Video:
    stream = items[index].open()
    frames = [bounded(frame[None], pixels=MOST_PIXELS)[0] for frame in islice(stream.frames, MOST_FRAMES)]
    if len({frame.shape for frame in frames}) > 1:
        raise InputError(f"{printable(items[index].name)} changes its size", fix="leave it out, or cut it")
    return Video(np.stack(frames), stream.fps)


def _as_shown(video: Video) -> Video:
    return Video(bounded(video.frames, pixels=MOST_PIXELS, most_frames=MOST_FRAMES), video.fps)
