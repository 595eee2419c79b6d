"""The light of a sky: its colours by the hour, the gradient from zenith to horizon, the sun or moon and its glow."""

from dataclasses import dataclass

import numpy as np

from latentreel.worlds.canvas import Array, Canvas, covered, per_frame
from latentreel.worlds.palettes import along
from latentreel.worlds.sky_factors import Scene

Colour = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Mood:
    """The colours of a sky at one time of the day and in one weather."""

    zenith: Colour
    middle: Colour
    horizon: Colour
    lit: Colour
    shade: Colour
    sun: Colour
    land: Colour
    glow: float
    """How strongly the sun or moon shines, 0 to 1."""

    lamps: float
    """How brightly windows are lit, 0 to 1."""


MOODS = (
    Mood(  # night
        zenith=(0.02, 0.03, 0.10),
        middle=(0.05, 0.08, 0.20),
        horizon=(0.14, 0.20, 0.34),
        lit=(0.40, 0.46, 0.60),
        shade=(0.07, 0.09, 0.18),
        sun=(0.95, 0.96, 0.90),
        land=(0.015, 0.02, 0.045),
        glow=0.45,
        lamps=1.0,
    ),
    Mood(  # dawn
        zenith=(0.30, 0.38, 0.64),
        middle=(0.72, 0.60, 0.72),
        horizon=(1.00, 0.78, 0.60),
        lit=(1.00, 0.85, 0.75),
        shade=(0.54, 0.44, 0.60),
        sun=(1.00, 0.93, 0.76),
        land=(0.16, 0.14, 0.21),
        glow=0.8,
        lamps=0.3,
    ),
    Mood(  # morning
        zenith=(0.20, 0.45, 0.80),
        middle=(0.48, 0.69, 0.91),
        horizon=(0.87, 0.92, 0.93),
        lit=(0.99, 0.97, 0.93),
        shade=(0.58, 0.65, 0.77),
        sun=(1.00, 0.98, 0.88),
        land=(0.14, 0.22, 0.17),
        glow=0.7,
        lamps=0.0,
    ),
    Mood(  # noon
        zenith=(0.07, 0.29, 0.70),
        middle=(0.25, 0.53, 0.88),
        horizon=(0.69, 0.85, 0.96),
        lit=(0.97, 0.98, 1.00),
        shade=(0.54, 0.63, 0.75),
        sun=(1.00, 1.00, 0.94),
        land=(0.13, 0.24, 0.11),
        glow=0.7,
        lamps=0.0,
    ),
    Mood(  # storm
        zenith=(0.27, 0.33, 0.41),
        middle=(0.44, 0.50, 0.55),
        horizon=(0.76, 0.76, 0.70),
        lit=(0.82, 0.83, 0.82),
        shade=(0.22, 0.25, 0.31),
        sun=(0.97, 0.95, 0.86),
        land=(0.08, 0.10, 0.10),
        glow=0.4,
        lamps=0.25,
    ),
    Mood(  # golden hour
        zenith=(0.30, 0.43, 0.66),
        middle=(0.78, 0.70, 0.60),
        horizon=(1.00, 0.80, 0.45),
        lit=(1.00, 0.89, 0.64),
        shade=(0.53, 0.40, 0.40),
        sun=(1.00, 0.94, 0.66),
        land=(0.17, 0.12, 0.07),
        glow=0.95,
        lamps=0.1,
    ),
    Mood(  # dusk
        zenith=(0.19, 0.15, 0.40),
        middle=(0.64, 0.27, 0.45),
        horizon=(1.00, 0.48, 0.20),
        lit=(1.00, 0.56, 0.38),
        shade=(0.32, 0.17, 0.34),
        sun=(1.00, 0.80, 0.48),
        land=(0.07, 0.045, 0.09),
        glow=0.9,
        lamps=0.6,
    ),
    Mood(  # twilight
        zenith=(0.06, 0.08, 0.24),
        middle=(0.19, 0.19, 0.44),
        horizon=(0.64, 0.43, 0.50),
        lit=(0.54, 0.45, 0.60),
        shade=(0.14, 0.13, 0.29),
        sun=(0.97, 0.90, 0.82),
        land=(0.035, 0.035, 0.075),
        glow=0.5,
        lamps=0.9,
    ),
)
"""Evenly spaced around the circle of the factor `mood`."""

SUN_RADIUS = 0.075
"""Of the disc of sun or moon, in half image widths."""


class SkyLight:
    """The colours of N pictures, each [3, N, 1, 1], and the glow around the sun, [N, H, W]."""

    def __init__(self, canvas: Canvas, scene: Scene) -> None:
        """Of a scene on a canvas."""
        position = (scene["mood"] + 0.5 / len(MOODS) * scene["hour"]) % 1.0
        exposure = 0.98 + 0.14 * scene["brightness"]

        def colour(name: str) -> Array:
            row = tuple(getattr(mood, name) for mood in (*MOODS, MOODS[0]))
            return per_frame(along(row, position) * exposure[:, None])

        self.zenith, self.middle, self.horizon = colour("zenith"), colour("middle"), colour("horizon")
        self.lit, self.shade, self.sun, self.land = colour("lit"), colour("shade"), colour("sun"), colour("land")
        hours = np.linspace(0.0, 1.0, len(MOODS) + 1)
        strength = np.interp(position, hours, [mood.glow for mood in (*MOODS, MOODS[0])])
        self.lamps = per_frame(np.interp(position, hours, [mood.lamps for mood in (*MOODS, MOODS[0])]))
        """How brightly windows are lit, [N, 1, 1]."""
        self.side = per_frame(scene["sun_x"])
        """Where the sun is, from -1 at the left edge to 1 at the right, [N, 1, 1]."""
        x, y = canvas.grid(canvas.whole)
        sun_y = scene.base + 0.12 + (0.75 - scene.base) * scene["sun_y"]
        across, up = x - self.side, y - per_frame(sun_y)
        self._squared = across * across + up * up
        nearness = 1.0 / (1.0 + self._squared * 5.0)
        self.glow: Array = per_frame(strength) * nearness * nearness
        self.strength = per_frame(strength)
        """How strongly the sun shines, [N, 1, 1]."""

    def paint(self, canvas: Canvas, scene: Scene) -> None:
        """The gradient, the glow and the disc."""
        _, y = canvas.grid(canvas.whole)
        base = per_frame(scene.base)
        height = np.clip((y - base) / (1.0 - base), 0.0, 1.0)  # [N, H, 1]
        falling = 1.0 - height
        gradient = falling * falling * self.horizon + 2.0 * height * falling * self.middle + height * height * self.zenith
        np.copyto(canvas.colours, gradient)
        canvas.paint(canvas.whole, 0.7 * self.glow, self.sun)
        disc = covered(np.sqrt(self._squared) - np.float32(SUN_RADIUS), canvas.pixel)
        canvas.paint(canvas.whole, disc * np.minimum(1.0, 0.35 + self.strength), np.minimum(1.0, self.sun * 1.05))
