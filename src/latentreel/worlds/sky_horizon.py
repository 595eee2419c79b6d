"""The land below a sky: three ridges one behind the other, of hills, mountains, trees, houses, or islands in the sea."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from latentreel.core.randomness import numpy_generator
from latentreel.worlds.canvas import Array, Canvas, Window, clip01, covered_band, per_frame
from latentreel.worlds.sky_factors import HORIZONS, Scene
from latentreel.worlds.sky_light import SkyLight
from latentreel.worlds.sky_noise import Floats, Table, gradient_noise

TICKS = 4096
"""Samples of a ridge."""

RIDGE_WIDTHS = 4.0
"""Length of a ridge in image widths; then it closes on itself."""

COLUMN_PARTS = 4
"""Heights per column of pixels."""

LAMPS_PER_WIDTH = 26
"""Windows side by side in an image width."""

LAMP_COLOUR = (1.0, 0.80, 0.42)


@dataclass(frozen=True, kw_only=True)
class Ridge:
    """One of the three ridges that every kind of land has."""

    name: str
    """The factor that moves it along."""

    haze: float
    """How much of its colour is the horizon's."""


RIDGES = (Ridge(name="ridge_far", haze=0.62), Ridge(name="ridge_middle", haze=0.36), Ridge(name="ridge_near", haze=0.06))
"""From the back to the front."""

LIFT = {
    "hills": (0.10, 0.00, -0.16),
    "mountains": (0.10, -0.06, -0.24),
    "forest": (0.06, -0.06, -0.20),
    "city": (-0.04, -0.12, -0.20),
    "sea": (0.00, -0.60, -0.36),
}
"""Feet of the three ridges above the horizon, in half image heights; the sea hides its middle one, the near one is its shore."""

RELIEF = {
    "hills": (0.10, 0.11, 0.10),
    "mountains": (0.30, 0.24, 0.12),
    "forest": (0.07, 0.13, 0.18),
    "city": (0.20, 0.32, 0.34),
    "sea": (0.12, 0.10, 0.12),
}
"""How high they rise above that at medium ruggedness, in half image heights."""


def paint_horizon(canvas: Canvas, scene: Scene, light: SkyLight) -> None:
    """The sea and the ridges, from the back to the front."""
    kinds = scene["horizon_kind"].round().astype(int)
    heights = _heights(canvas, scene, kinds)
    is_city = per_frame(kinds == HORIZONS.index("city"))
    stone = light.land + is_city * (0.25 * light.shade + 0.25 * light.land[1] - 0.5 * light.land)
    for ridge, profile in zip(RIDGES, heights, strict=True):
        window = _below(canvas, float(profile.max()))
        colour = stone + np.float32(ridge.haze) * (light.horizon - stone)
        _, y = canvas.grid(window)
        depth = clip01((per_frame(scene.base) - y) * 0.8)  # darker toward the viewer
        colour = colour * (1.0 - np.float32(0.35) * depth)
        cover = _below_profile(canvas, window, profile)
        canvas.paint(window, cover, colour)
        if is_city.any():
            _paint_lamps(canvas, window, scene, ridge, cover * (is_city * light.lamps * np.float32(1.0 - ridge.haze)))
        if ridge is RIDGES[0]:
            _paint_sea(canvas, scene, light, kinds == HORIZONS.index("sea"))


def _heights(canvas: Canvas, scene: Scene, kinds: npt.NDArray[np.intp]) -> list[Array]:
    """Upper edges of the three ridges, each [N, parts * W]."""
    count = COLUMN_PARTS * canvas.resolution
    x = (np.arange(count) + 0.5) / count
    heights = [np.empty((len(scene), count), dtype=np.float32) for _ in RIDGES]
    steepness = 0.35 + 1.3 * scene["ruggedness"]
    for kind in np.unique(kinds):
        name = HORIZONS[kind]
        chosen = kinds == kind
        for index, ridge in enumerate(RIDGES):
            place = x / RIDGE_WIDTHS + scene[ridge.name][chosen, None]
            profile = _look_up(_profile(name, index), place)
            rise = (RELIEF[name][index] * steepness[chosen])[:, None]
            heights[index][chosen] = scene.base[chosen, None] + LIFT[name][index] + rise * profile
    return heights


def _look_up(table: Table, place: Floats) -> Floats:
    scaled = (place % 1.0) * TICKS
    whole = np.minimum(np.floor(scaled), TICKS - 1.0)
    index, rest = whole.astype(np.intp), scaled - whole
    return np.asarray(table[index] * (1.0 - rest) + table[index + 1] * rest)


def _below(canvas: Canvas, top: float) -> Window:
    edge = int(np.floor((1.0 - top) / canvas.pixel)) - 1
    return Window(slice(min(max(edge, 0), canvas.resolution), canvas.resolution), slice(0, canvas.resolution))


def _below_profile(canvas: Canvas, window: Window, profile: Array) -> Array:
    """How much of each pixel lies below an edge, [N, H, W]."""
    _, y = canvas.grid(window)
    total: Array | float = 0.0
    for part in range(COLUMN_PARTS):
        total = total + clip01(0.5 - (y - profile[:, None, part::COLUMN_PARTS]) / canvas.pixel)
    return np.asarray(total / COLUMN_PARTS)


def _paint_sea(canvas: Canvas, scene: Scene, light: SkyLight, is_sea: npt.NDArray[np.bool_]) -> None:
    """Water up to the horizon, where the kind is the sea: the sky again, darker, and the sun's road on it."""
    if not is_sea.any():
        return
    window = _below(canvas, float(scene.base[is_sea].max()))
    x, y = canvas.grid(window)
    base = per_frame(scene.base)
    cover = clip01(0.5 - (y - base) / canvas.pixel) * per_frame(is_sea)
    depth = clip01((base - y) * 1.4)
    water = 0.80 * light.horizon + depth * (0.25 * light.land + 0.45 * light.middle - 0.8 * light.horizon)
    canvas.paint(window, cover, water)
    width = 0.06 + 0.5 * (base - y)
    road = (x - light.side) / np.maximum(width, np.float32(0.02))
    canvas.paint(window, cover * light.strength * 0.8 / (1.0 + road * road * (1.0 + road * road)), light.sun)


def _paint_lamps(canvas: Canvas, window: Window, scene: Scene, ridge: Ridge, cover: Array) -> None:
    """Lit windows, in rows that stay where the houses are; `cover` says where and how bright, [N, H, W]."""
    x, y = canvas.grid(window)
    column = (0.5 + 0.5 * x.astype(np.float64) + RIDGE_WIDTHS * scene[ridge.name][:, None, None]) * LAMPS_PER_WIDTH
    row = (y - scene.base[:, None, None] + 2.0) * (0.5 * LAMPS_PER_WIDTH)
    lit = _lamps()[column.astype(np.intp) % len(_lamps()), row.astype(np.intp) % len(_lamps())]
    pixel = 0.5 * LAMPS_PER_WIDTH * canvas.pixel
    across = covered_band((column % 1.0 - 0.5).astype(np.float32), 0.2, pixel)
    up = covered_band((row % 1.0 - 0.5).astype(np.float32), 0.26, pixel)
    canvas.paint(window, cover * lit * (across * up), per_frame(np.array([LAMP_COLOUR])))


@cache
def _lamps() -> Table:
    """How bright each window is, float32 [columns, rows]; most are dark."""
    brightness = numpy_generator(0, "skies", "lamps").uniform(-1.6, 1.0, (round(RIDGE_WIDTHS * LAMPS_PER_WIDTH),) * 2)
    return np.maximum(brightness, 0.0).astype(np.float32)


@cache
def _profile(kind: str, index: int) -> Table:
    """Heights along a ridge, mostly 0 to 1, float32 [TICKS + 1]; the last repeats the first."""
    generator = numpy_generator(0, "skies", kind, index)
    u = np.arange(TICKS) / TICKS
    makers = {"hills": _hills, "mountains": _mountains, "forest": _forest, "city": _city, "sea": _islands}
    heights = makers[kind](u, generator, index)
    return np.append(heights, heights[0]).astype(np.float32)


def _waves(u: Floats, cells: int, generator: np.random.Generator) -> Floats:
    """Smooth waves, -1 to 1, so many in a period."""
    return 1.6 * gradient_noise(u, np.full_like(u, 0.37), (cells, 1), generator)


def _hills(u: Floats, generator: np.random.Generator, index: int) -> Floats:
    return 0.5 + 0.9 * _waves(u, 7 + 2 * index, generator) + 0.3 * _waves(u, 21, generator) + 0.05 * _waves(u, 90, generator)


def _mountains(u: Floats, generator: np.random.Generator, index: int) -> Floats:
    total = np.zeros_like(u)
    for octave, cells in enumerate((9 + 2 * index, 20, 43, 90, 180)):
        total += 0.5**octave * (0.5 - np.abs(_waves(u, cells, generator)))
    return 0.2 + 0.9 * total + 0.4 * _waves(u, 6, generator)


def _forest(u: Floats, generator: np.random.Generator, index: int) -> Floats:
    ground = 0.25 * _waves(u, 9, generator)
    spacing = (0.006, 0.009, 0.013)[index]
    heights = np.zeros_like(u)
    for centre in np.arange(0.0, 1.0, spacing):
        centre += generator.uniform(-0.4, 0.4) * spacing
        size = generator.uniform(0.45, 1.0)
        half = spacing * generator.uniform(0.7, 1.1) * size
        away = np.abs((u - centre + 0.5) % 1.0 - 0.5) / half
        if generator.uniform() < 0.6:
            tree = size * (1.0 - away)  # a fir
        else:
            tree = size * 0.9 * np.sqrt(np.maximum(0.0, 1.0 - away * away))  # a round crown
        heights = np.maximum(heights, tree)
    return ground + heights


def _city(u: Floats, generator: np.random.Generator, index: int) -> Floats:
    heights = np.zeros_like(u)
    widths = (0.008, 0.012, 0.017)[index]
    start = 0.0
    while start < 1.0:
        width = widths * generator.uniform(0.6, 1.9)
        height = 0.15 + 0.85 * generator.uniform() ** 2.2
        inside = (u >= start) & (u < start + width)
        heights[inside] = height
        if generator.uniform() < 0.3:  # a narrower upper storey
            upper = (u >= start + 0.28 * width) & (u < start + 0.72 * width)
            heights[inside & upper] += 0.1
        start += width + (generator.uniform(0.0, 0.5) * width if generator.uniform() < 0.3 else 0.0)
    return heights


def _islands(u: Floats, generator: np.random.Generator, index: int) -> Floats:
    return np.maximum(1.2 * _waves(u, 9, generator) + 0.25 * _waves(u, 40, generator), -0.5) + 0.05 * index
