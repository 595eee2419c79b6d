"""Smooth periodic noise: the shapes of clouds and ridges, computed once and looked up afterwards.

Gradient noise (Perlin, "Improving noise", 2002) on a lattice that closes on itself, bent by other noise of its kind.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from latentreel.core.randomness import numpy_generator

Floats = npt.NDArray[np.float64]
Table = npt.NDArray[np.float32]

SIDE = 512
"""Texels of a sheet in either direction: 256 for an image width."""


def gradient_noise(u: Floats, v: Floats, cells: tuple[int, int], generator: np.random.Generator) -> Floats:
    """Noise of period 1 in both coordinates, about -0.7 to 0.7.

    Args:
        u: First coordinate, any shape.
        v: Second coordinate, of that shape or one that fits it.
        cells: How many cells of the lattice make a period, in either direction.
        generator: Where the lattice's gradients are drawn from.
    """
    angles = generator.uniform(0.0, 2.0 * np.pi, cells)
    slopes_u, slopes_v = np.cos(angles), np.sin(angles)
    u, v = np.broadcast_arrays(u * cells[0], v * cells[1])
    left, low = np.floor(u).astype(np.intp), np.floor(v).astype(np.intp)
    u, v = u - left, v - low
    corners = []
    for i, j in ((0, 0), (1, 0), (0, 1), (1, 1)):
        place = ((left + i) % cells[0], (low + j) % cells[1])
        corners.append(slopes_u[place] * (u - i) + slopes_v[place] * (v - j))
    fade_u, fade_v = _fade(u), _fade(v)
    below = corners[0] + fade_u * (corners[1] - corners[0])
    above = corners[2] + fade_u * (corners[3] - corners[2])
    return np.asarray(below + fade_v * (above - below))


@dataclass(frozen=True, kw_only=True)
class Weave:
    """How a sheet of clouds is made."""

    banks: Sequence[tuple[int, int]]
    """Lattices of the large shapes, each at a little over half the strength of the one before."""

    puffs: Sequence[tuple[int, int]]
    """Lattices of the small shapes."""

    bend: float
    """How far other noise bends the coordinates, in periods."""

    puffy: bool = True
    """Whether the small shapes are round heads with creases between them, or even waves."""


WEAVES = {
    "far": Weave(banks=((3, 6), (5, 10)), puffs=((8, 18), (14, 28)), bend=0.05, puffy=False),
    "middle": Weave(banks=((2, 4), (5, 7)), puffs=((8, 10), (16, 20)), bend=0.025),
    "near": Weave(banks=((2, 2), (4, 5)), puffs=((7, 9), (14, 18)), bend=0.03),
}


@cache
def cloud_sheets(layer: str) -> tuple[Table, Table, Table, Table]:
    """Two sheets of large shapes and two of small ones, periodic, of unit variance, to be mixed.

    Returns:
        Each float32, flat, of (SIDE + 1) rows of SIDE + 1 texels; the last row and column repeat the first.
    """
    weave = WEAVES[layer]
    banks = [_sheet(weave, weave.banks, numpy_generator(0, "skies", layer, "banks", k), puffy=False) for k in range(2)]
    puffs = [_sheet(weave, weave.puffs, numpy_generator(0, "skies", layer, "puffs", k), puffy=weave.puffy) for k in range(2)]
    return banks[0], banks[1], puffs[0], puffs[1]


def _sheet(weave: Weave, lattices: Sequence[tuple[int, int]], generator: np.random.Generator, *, puffy: bool) -> Table:
    ticks = np.arange(SIDE) / SIDE
    u, v = np.meshgrid(ticks, ticks)  # rows along v
    bend = weave.banks[-1]
    u, v = (
        u + weave.bend * gradient_noise(u, v, bend, generator),
        v + weave.bend * gradient_noise(u, v, bend, generator),
    )
    total = np.zeros_like(u)
    for octave, cells in enumerate(lattices):
        noise = gradient_noise(u, v, cells, generator)
        total += 0.55**octave * (np.abs(noise) if puffy else noise)
    total = (total - total.mean()) / total.std()
    return np.pad(total, ((0, 1), (0, 1)), mode="wrap").astype(np.float32).ravel()


def _fade(t: Floats) -> Floats:
    return t * t * t * (t * (6.0 * t - 15.0) + 10.0)
