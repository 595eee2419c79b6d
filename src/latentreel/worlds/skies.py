"""The skies world: time-lapse skies over a still horizon, clouds that drift and change, light that shifts.

A view is an identity vector (`sky_factors`), a course of the weather a motion matrix (`sky_motion`).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from latentreel.worlds.canvas import Canvas
from latentreel.worlds.sky_clouds import paint_clouds
from latentreel.worlds.sky_factors import IDENTITY_FACTORS, Scene
from latentreel.worlds.sky_horizon import paint_horizon
from latentreel.worlds.sky_light import SkyLight
from latentreel.worlds.sky_motion import MOTION_FACTORS, sample_motion
from latentreel.worlds.world import Factor, Factors, World

SMALLEST_PAINTED = 64
"""Smaller pictures are averages of one of this resolution: clouds have detail that fewer pixels would miss."""


@dataclass(frozen=True, kw_only=True)
class SkiesWorld(World):
    """An endless collection of videos of drawn skies."""

    NAME: ClassVar[str] = "skies"
    IDENTITY_FACTORS: ClassVar[tuple[Factor, ...]] = IDENTITY_FACTORS
    MOTION_FACTORS: ClassVar[tuple[Factor, ...]] = MOTION_FACTORS

    def sample_motion(self, generator: np.random.Generator) -> Factors:
        """The course of one sky, float32 [T, M]."""
        return sample_motion(self.num_frames, self.fps, generator)

    def paint(self, identities: Factors, motions: Factors) -> npt.NDArray[np.uint8]:
        """Paints from the back to the front."""
        scene = Scene(identities, motions)
        canvas = Canvas(len(scene), max(self.resolution, SMALLEST_PAINTED))
        light = SkyLight(canvas, scene)
        light.paint(canvas, scene)
        paint_clouds(canvas, scene, light)
        paint_horizon(canvas, scene, light)
        return _shrunk(canvas, self.resolution).frames()


def _shrunk(canvas: Canvas, resolution: int) -> Canvas:
    """The picture with fewer pixels, each the mean of those it covers; added in a fixed order, so to the bit the same."""
    factor = canvas.resolution // resolution
    if factor == 1:
        return canvas
    small = Canvas(canvas.colours.shape[1], resolution)
    for row in range(factor):
        for column in range(factor):
            small.colours += canvas.colours[:, :, row::factor, column::factor]
    small.colours /= factor * factor
    return small
