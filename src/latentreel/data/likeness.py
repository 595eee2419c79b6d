"""Videos that show the same: copies that were encoded again, resized, or brought to another rate.

A signature is a few tiny grey pictures, evenly spread over a video. Two videos are alike where their mean pictures agree and,
if something moves, moves in both in the same way: clips of one scene with another motion are not.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.spatial import cKDTree

Pixels = npt.NDArray[np.uint8]
Signature = npt.NDArray[np.uint8]
"""Grey, uint8 [MOMENTS, GRID, GRID]."""

GRID = 16
"""Rows and columns of the tiny pictures."""

MOMENTS = 8
"""Of a video; of a shorter one, some frames several times."""

MOST_KEPT = 64
"""Tiny pictures kept while a video is read; beyond, every other one goes, so that a video of any length costs the same."""

MEAN_LEVELS = 6.0
"""Of 255: root mean square by which mean pictures may differ."""

MEAN_PART = 0.2
"""Of the standard deviation of the mean picture: the same, for dull pictures."""

FLAT_LEVELS = 2.0
"""Standard deviation of a mean picture below which it shows nothing that could be compared: black, or one colour."""

STILL_LEVELS = 1.0
"""Root mean square of the changes below which nothing moves."""

LEAST_CORRELATION = 0.6
"""Of the changes, where something does."""

MOST_PAIRS = 2_000_000
"""Above, whatever looks alike at first sight is not looked at more closely: one camera saw it all."""


class SignatureMaker:
    """Sees the frames of one video in order."""

    def __init__(self) -> None:
        self._kept: list[tuple[int, Pixels]] = []
        self._count = 0
        self._stride = 1

    def see(self, frame: Pixels) -> None:
        """Takes the next frame, uint8 [H, W, 3] of any size."""
        if self._count % self._stride == 0:
            tiny = Image.fromarray(frame).convert("L").resize((GRID, GRID), Image.Resampling.BOX)
            self._kept.append((self._count, np.asarray(tiny)))
            if len(self._kept) > MOST_KEPT:
                self._kept = self._kept[::2]
                self._stride *= 2
        self._count += 1

    def signature(self) -> Signature | None:
        """The pictures nearest to the middles of equal stretches; None where no frame was seen."""
        if not self._kept:
            return None
        places = np.array([place for place, _ in self._kept])
        wanted = (np.arange(MOMENTS) + 0.5) / MOMENTS * self._count - 0.5
        nearest = np.abs(places[None] - wanted[:, None]).argmin(axis=1)
        return np.stack([self._kept[index][1] for index in nearest])


def alike(first: Signature, second: Signature) -> bool:
    """Whether two videos show the same."""
    a, b = first.astype(np.float32), second.astype(np.float32)
    mean_a, mean_b = a.mean(axis=0), b.mean(axis=0)
    detail = float(min(mean_a.std(), mean_b.std()))
    if detail < FLAT_LEVELS:
        return False
    allowed = min(MEAN_LEVELS, MEAN_PART * detail)
    if float(np.sqrt(((mean_a - mean_b) ** 2).mean())) > allowed:
        return False
    change_a, change_b = a - mean_a, b - mean_b
    size_a, size_b = (float(np.sqrt((change**2).mean())) for change in (change_a, change_b))
    if max(size_a, size_b) < STILL_LEVELS:
        return True
    return float((change_a * change_b).mean()) >= LEAST_CORRELATION * max(size_a * size_b, 1e-6)


def groups_alike(signatures: Mapping[str, Signature]) -> list[tuple[str, ...]] | None:
    """The videos that show the same as others.

    Args:
        signatures: By the videos' names.

    Returns:
        Groups of two or more names, in the order given; None where too many look alike at first sight to be compared.
    """
    names = list(signatures)
    if len(names) < 2:
        return []
    # Mean pictures that agree to MEAN_LEVELS agree so in averages over blocks: nothing is missed by looking at these first.
    blocks = np.stack([_blocks(signatures[name]) for name in names])
    tree: Any = cKDTree(blocks)
    radius = MEAN_LEVELS * blocks.shape[1] ** 0.5
    if tree.count_neighbors(tree, radius) - len(names) > 2 * MOST_PAIRS:
        return None
    parents = list(range(len(names)))
    for first, second in sorted(tree.query_pairs(radius)):
        if alike(signatures[names[first]], signatures[names[second]]):
            parents[_root(parents, second)] = _root(parents, first)
    groups: dict[int, list[str]] = {}
    for index, name in enumerate(names):
        groups.setdefault(_root(parents, index), []).append(name)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def _blocks(signature: Signature) -> npt.NDArray[np.float32]:
    mean = signature.astype(np.float32).mean(axis=0)
    blocks: npt.NDArray[np.float32] = mean.reshape(4, GRID // 4, 4, GRID // 4).mean(axis=(1, 3)).ravel()
    return blocks


def _root(parents: Sequence[int], index: int) -> int:
    while parents[index] != index:
        index = parents[index]
    return index
