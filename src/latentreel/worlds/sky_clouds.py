"""Three layers of drifting clouds, lit from the sun's side and from above, their undersides in shade."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latentreel.worlds.canvas import Array, Canvas, clip01, per_frame
from latentreel.worlds.sky_factors import Scene
from latentreel.worlds.sky_light import SkyLight
from latentreel.worlds.sky_motion import PERIOD_WIDTHS
from latentreel.worlds.sky_noise import SIDE, Floats, cloud_sheets

LIGHT_REACH = 3 / 64
"""How far toward the light a cloud looks for what shades it, in image widths."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """How one layer of clouds looks."""

    name: str
    amount: str
    """The factor that says how much of it there is."""

    scant: float
    """Height of the noise, in deviations, above which there is cloud when there are fewest."""

    full: float
    """The same when there are most."""

    rising: float
    """How much sparser it is at the top of the sky than at the horizon, in deviations of the noise."""

    softness: tuple[float, float]
    """Over how many deviations an edge runs, at the ends of the factor `cloud_softness`."""

    opacity: float
    """How much of what is behind its thickest parts they hide."""

    relief: float
    """How strongly it is shaded."""

    haze: float
    """How much of its colour is the horizon's."""


LAYERS = (
    Layer(
        name="far",
        amount="veil_amount",
        scant=1.5,
        full=-0.7,
        rising=0.0,
        softness=(1.6, 2.6),
        opacity=0.75,
        relief=0.35,
        haze=0.25,
    ),
    Layer(
        name="middle",
        amount="cloud_amount",
        scant=1.1,
        full=-0.5,
        rising=1.4,
        softness=(0.8, 2.0),
        opacity=0.95,
        relief=1.0,
        haze=0.25,
    ),
    Layer(
        name="near",
        amount="cloud_amount",
        scant=1.5,
        full=-0.3,
        rising=-1.4,
        softness=(0.8, 2.0),
        opacity=0.97,
        relief=1.15,
        haze=0.0,
    ),
)
"""From the back to the front."""


def paint_clouds(canvas: Canvas, scene: Scene, light: SkyLight) -> None:
    """All layers, from the back to the front."""
    for layer in LAYERS:
        _paint_layer(canvas, scene, light, layer)


def _paint_layer(canvas: Canvas, scene: Scene, light: SkyLight, layer: Layer) -> None:
    reach = round(LIGHT_REACH * canvas.resolution)
    noise, height = _noise(canvas, scene, layer, reach)
    amount, soft = scene[layer.amount], scene["cloud_softness"]
    threshold = layer.scant + (layer.full - layer.scant) * amount
    softness = layer.softness[0] + (layer.softness[1] - layer.softness[0]) * soft
    noise -= per_frame(threshold) + np.float32(layer.rising) * (height - np.float32(0.5))
    noise *= per_frame(1.0 / softness)
    here = noise[:, reach:, reach:-reach]
    left, right = noise[:, :-reach, : -2 * reach], noise[:, :-reach, 2 * reach :]
    toward = left + (0.5 + 0.5 * light.side) * (right - left)  # the cloud on the way to the light
    cover = clip01(here.copy())
    cover *= cover * (3.0 - 2.0 * cover)
    lit = clip01(0.58 + np.float32(layer.relief) * (here - toward) * per_frame(softness) * 0.8 - 0.16 * clip01(here))
    lit += 0.3 * light.glow * (1.0 - 0.6 * cover)
    shade = light.shade + np.float32(layer.haze) * (light.horizon - light.shade)
    bright = light.lit + np.float32(0.6 * layer.haze) * (light.horizon - light.lit)
    cover *= np.float32(layer.opacity)
    canvas.paint(canvas.whole, cover, shade + lit * (bright - shade))


def _noise(canvas: Canvas, scene: Scene, layer: Layer, reach: int) -> tuple[Array, Array]:
    """The layer's noise on the picture and `reach` pixels beyond its sides and top, and the heights of those rows in the sky."""
    resolution = canvas.resolution
    x = (np.arange(-reach, resolution + reach) + 0.5) / resolution  # [W'] in image widths
    y = 1.0 - 2.0 * (np.arange(-reach, resolution) + 0.5) / resolution  # [H'] on the canvas
    base = scene.base[:, None]
    height = (y - base) / (1.0 - base)
    distance = 1.0 / (1.0 + np.maximum(0.5 * (y - base), -0.1))  # flatter toward the horizon
    u = (x - scene[f"drift_{layer.name}"][:, None]) / PERIOD_WIDTHS
    v = scene[f"shape_{layer.name}"][:, None] - 1.45 * distance
    columns, across = _texels(u)
    rows, down = _texels(v)
    places = rows[:, :, None] * (SIDE + 1) + columns[:, None, :]
    noise = _mixed(scene, layer, places, across[:, None, :], down[:, :, None])
    return noise, height.astype(np.float32)[:, :, None]


def _mixed(scene: Scene, layer: Layer, places: npt.NDArray[np.intp], across: Array, down: Array) -> Array:
    """The layer's sheets mixed, linearly between texels: `places` is the lower left of four, the others say how far beyond."""
    corners = (
        (0, (1 - across) * (1 - down)),
        (1, across * (1 - down)),
        (SIDE + 1, (1 - across) * down),
        (SIDE + 2, across * down),
    )
    weights = [per_frame(weight) for weight in _sheet_weights(scene)]
    sheets = cloud_sheets(layer.name)
    total = np.zeros(places.shape, dtype=np.float32)
    for step, share in corners:
        texel = weights[0] * sheets[0][step:].take(places)
        for weight, sheet in zip(weights[1:], sheets[1:], strict=True):
            texel += weight * sheet[step:].take(places)
        texel *= share
        total += texel
    return total


def _texels(position: Floats) -> tuple[npt.NDArray[np.intp], Array]:
    """Texels at positions in periods, and how far beyond them."""
    scaled = (position % 1.0) * SIDE
    whole = np.minimum(np.floor(scaled), SIDE - 1.0)
    return whole.astype(np.intp), (scaled - whole).astype(np.float32)


def _sheet_weights(scene: Scene) -> tuple[Floats, Floats, Floats, Floats]:
    """How much of each sheet there is, [N] each: the variance stays the same while the clouds turn through their shapes."""
    angle = 2.0 * np.pi * scene["evolution"]
    small = 0.42 - 0.30 * scene["cloud_scale"]
    large = np.sqrt(1.0 - small * small)
    first = 0.5 + 0.5 * np.cos(angle * 2.0)
    norm = small / np.sqrt(first * first + (1.0 - first) * (1.0 - first))
    return large * np.cos(angle), large * np.sin(angle), first * norm, (1.0 - first) * norm
