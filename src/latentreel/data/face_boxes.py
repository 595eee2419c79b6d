"""One steady square per clip, cut out before frames are resized: around given boxes, or around those that a detector finds.

A square that followed the face from frame to frame would take its motion away, and shake.
"""

import csv
import hashlib
import importlib
import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from latentreel.core.errors import InputError
from latentreel.data.clip_decoding import FrameClip
from latentreel.media.video_stream import VideoStream

Pixels = npt.NDArray[np.uint8]

Detector = Callable[[Pixels], Sequence[Sequence[float]]]
"""Gives the boxes in a frame, uint8 [H, W, 3]: left, top, width and height in pixels each, the most certain first."""

MARGIN = 0.3
"""Of the box's longer side, added to every side: boxes end at the hairline and the chin."""

LOOKED_AT = 8
"""Frames of a clip that a detector sees, evenly spread over its expected length."""

_FORM = "name,left,top,width,height with a header line, or JSON: {name: [left, top, width, height]}, in pixels"


@dataclass(frozen=True)
class Box:
    """Where something is, in pixels of the source's frame."""

    left: float
    top: float
    width: float
    height: float

    def square(self, height: int, width: int, margin: float) -> tuple[int, int, int]:
        """The square around the box, pushed and shrunk into the frame.

        Returns:
            Its first row, its first column, and its side.
        """
        side = round(max(self.width, self.height) * (1 + 2 * margin))
        side = max(1, min(side, height, width))
        top = round(self.top + self.height / 2 - side / 2)
        left = round(self.left + self.width / 2 - side / 2)
        return min(max(0, top), height - side), min(max(0, left), width - side), side


class Boxes:
    """The boxes of a file, found by the names of clips."""

    def __init__(self, path: Path) -> None:
        """Reads CSV or JSON. Where a clip has several boxes, e.g. one per frame, their middle is taken.

        Raises:
            InputError: The file cannot be read, or a box has the wrong form.
        """
        self.path = path
        found: dict[str, list[Box]] = defaultdict(list)
        for name, numbers in _rows(path):
            found[_key(name)].append(_box(path, name, numbers))
        if not found:
            raise InputError(f"{path} holds no boxes", allowed=_FORM)
        self.digest = hashlib.sha256(path.read_bytes()).hexdigest()
        self._boxes = {name: _middle(boxes) for name, boxes in found.items()}
        places: dict[str, list[str]] = defaultdict(list)
        for name in self._boxes:
            places[name.rpartition("/")[2]].append(name)
        self._by_file = {file: names[0] for file, names in places.items() if len(names) == 1}

    def of(self, name: str) -> Box:
        """The box of a clip: by its whole name, else by its file's, with or without suffix.

        Raises:
            InputError: There is none.
        """
        key = _key(name)
        box = self._boxes.get(key) or self._boxes.get(self._by_file.get(key.rpartition("/")[2], ""))
        if box is None:
            raise InputError(f"{self.path.name} holds no box for {name}")
        return box


@dataclass(frozen=True)
class CroppedClip:
    """A clip of which one square is seen."""

    clip: FrameClip
    box: Box
    margin: float = MARGIN

    @property
    def fps(self) -> float:
        """Frames per second."""
        return self.clip.fps

    @property
    def notes(self) -> Sequence[str]:
        """Those of the clip."""
        return getattr(self.clip, "notes", ())

    @property
    def frames(self) -> Iterator[Pixels]:
        """The square of every frame, uint8 [S, S, 3].

        Raises:
            InputError: The box lies outside the frame.
        """
        for frame in self.clip.frames:
            height, width = frame.shape[:2]
            box = self.box
            if box.left >= width or box.top >= height or box.left + box.width <= 0 or box.top + box.height <= 0:
                raise InputError("a box lies outside the frame", given=str(box), allowed=f"within {width}x{height}")
            top, left, side = box.square(height, width, self.margin)
            yield frame[top : top + side, left : left + side]


def detect(open_clip: Callable[[], VideoStream], detector: Detector) -> Box:
    """The middle of what a detector finds on some frames of a clip.

    Args:
        open_clip: Gives the clip anew.
        detector: Its first box counts.

    Raises:
        InputError: Nothing is found on any of them, or the detector gives no boxes.
    """
    clip = open_clip()
    step = max(1, (clip.num_frames or 0) // LOOKED_AT)
    boxes = []
    for frame in islice(clip.frames, 0, step * LOOKED_AT, step):
        found = detector(frame)
        if len(found):
            boxes.append(_box(Path("the detector"), "a frame", found[0]))
    if not boxes:
        raise InputError("the detector finds nothing in it")
    return _middle(boxes)


def load_detector(text: str) -> Detector:
    """The detector that a text names, as "package.module:function". Its module is the user's own and is run.

    Raises:
        InputError: There is no such function.
    """
    module, colon, name = text.partition(":")
    allowed = "MODULE:FUNCTION, a function that takes a frame, uint8 [H, W, 3], and gives boxes (left, top, width, height)"
    if not (module and colon and name):
        raise InputError("the detector is not named as it must be", given=text, allowed=allowed)
    try:
        detector = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise InputError(f"there is no detector {text}: {error}", fix="its module must lie on PYTHONPATH") from error
    if not callable(detector):
        raise InputError("the detector cannot be called", given=text, allowed=allowed)
    return detector  # type: ignore[no-any-return]


def _rows(path: Path) -> Iterable[tuple[str, Sequence[Any]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".json":
            for name, boxes in json.loads(text).items():
                several = boxes and isinstance(boxes[0], list)
                yield from ((name, box) for box in (boxes if several else [boxes]))
            return
        for row in csv.DictReader(text.splitlines()):
            yield row["name"], [row[column] for column in ("left", "top", "width", "height")]
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}", allowed=_FORM) from error
    except (KeyError, AttributeError, TypeError, ValueError, csv.Error) as error:
        raise InputError(f"{path} is no file of boxes: {error}", allowed=_FORM) from error


def _box(path: Path, name: str, numbers: Sequence[Any]) -> Box:
    try:
        left, top, width, height = (float(number) for number in numbers)
        if not all(map(math.isfinite, (left, top, width, height))) or min(width, height) <= 0:
            raise ValueError("its numbers are out of range")
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: the box of {name} has a wrong form", given=numbers, allowed=_FORM) from error
    return Box(left, top, width, height)


def _middle(boxes: Sequence[Box]) -> Box:
    left, top, width, height = np.median([[box.left, box.top, box.width, box.height] for box in boxes], axis=0).tolist()
    return Box(left, top, width, height)


def _key(name: str) -> str:
    return str(PurePosixPath(name).with_suffix("")) if PurePosixPath(name).name else name
