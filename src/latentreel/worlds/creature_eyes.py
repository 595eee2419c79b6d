"""Large round eyes with lids, and the tufts above them that are an animal's brows.

Lengths are in eye units: half the width of an eye. The lids are shallow curves; a blink lowers the upper one onto the lower.
"""

import numpy as np

from latentreel.worlds.canvas import Array, Canvas, clip01, covered, covered_band, covered_between, per_frame
from latentreel.worlds.creature import Creature
from latentreel.worlds.head_pose import Patch, turn
from latentreel.worlds.relief import Floats

IRIS = 0.72
"""Radius of an iris in eye units."""

EYE_TURN = 19.0
"""Degrees by which each eye faces outward."""

CLOSED = -0.42
"""Where the lids meet, in eye units."""


def paint_eyes(canvas: Canvas, creature: Creature) -> None:
    """Paints both eyes and both brows."""
    for side in (-1.0, 1.0):
        _paint_eye(canvas, creature, side)
        _paint_brow(canvas, creature, side)


def _paint_eye(canvas: Canvas, creature: Creature, side: float) -> None:
    flat, e, smile = np.zeros(len(creature)), creature.eye_radius, np.maximum(creature["mouth_smile"], 0.0)
    slant = creature.trait(lambda species: species.eye_slant)
    anchor = creature.point(side * creature.eye_u, creature.eye_v, creature.skull_front(creature.eye_u, creature.eye_v) + 0.015)
    tilt = turn(flat + side * EYE_TURN, flat + 4.0, -side * slant)
    patch = Patch.at(canvas, creature.pose, anchor, tilt, np.stack([1.3 * e, 1.35 * e], axis=1))
    unit = per_frame(e)
    x, y, pixel = patch.u / unit, patch.v / unit, patch.pixel_v / unit
    shown = patch.on_skin(0.09)
    darkness = 0.10 + 0.75 * np.maximum(_patched(creature, side), creature.trait(lambda species: species.ring[0] > 0))
    lid = creature.base + (creature.dark - creature.base) * darkness[:, None]
    canvas.paint(
        patch.window,
        patch.disc(0.0, 0.0, unit * 1.13, unit * 1.16) * shown * per_frame(1.0 - 0.8 * creature["blink"]),
        per_frame(creature.dark * 0.6),
    )
    ball = patch.disc(0.0, 0.0, unit, unit * 1.03) * shown
    canvas.paint(patch.window, ball, per_frame(lid))

    closed, square = creature["blink"], np.minimum(x * x, 1.3)
    high = 0.86 + 0.24 * creature["brow_raise"] + 0.006 * creature["gaze_y"] - 0.08 * smile
    low = -1.15 + 0.30 * smile
    upper = per_frame((1.0 - closed) * high + closed * CLOSED) - square * per_frame(0.30 - 0.62 * closed)
    lower = per_frame((1.0 - closed) * low + closed * CLOSED) + square * per_frame(0.10 + 0.22 * closed)
    opening = covered_between(y, lower, upper, pixel) * ball
    _paint_eyeball(canvas, creature, patch, opening, upper - y)
    rim = covered_band(y - upper, per_frame(0.09 + 0.05 * closed), pixel)
    rim *= patch.disc(0.0, 0.0, unit * 1.10, unit * 1.12) * shown
    canvas.paint(patch.window, rim, per_frame(creature.dark * 0.45))


def _paint_eyeball(canvas: Canvas, creature: Creature, patch: Patch, opening: Array, depth: Array) -> None:
    """Paints white, iris, pupil and glints into the opening; `depth` is the distance below the upper lid in eye units."""
    e, unit = creature.eye_radius, per_frame(creature.eye_radius)
    canvas.paint(patch.window, opening, per_frame(creature.point(0.98, 0.975, 0.97)))
    u = per_frame(e * 0.86 * np.sin(np.radians(creature["gaze_x"])))
    v = per_frame(e * 1.05 * np.sin(np.radians(creature["gaze_y"])))
    for radius, paint in ((IRIS, creature.iris * 0.45), (0.84 * IRIS, creature.iris), (0.54 * IRIS, creature.iris * 0.10)):
        disc = patch.disc(u, v, unit * radius, unit * radius)
        canvas.paint(patch.window, disc * opening, per_frame(paint))
    shade = clip01(1.0 - depth * 2.8)
    canvas.paint(patch.window, shade * opening * 0.30, per_frame(creature.point(0.12, 0.10, 0.14)))
    white = per_frame(creature.point(1.0, 1.0, 1.0))
    for offset_u, offset_v, radius in ((-0.34, 0.38, 0.36), (0.36, -0.34, 0.18)):
        small = unit * (radius * IRIS)
        glint = patch.disc(u + unit * (offset_u * IRIS), v + unit * (offset_v * IRIS), small, small)
        canvas.paint(patch.window, glint * opening * 0.95, white)


def _paint_brow(canvas: Canvas, creature: Creature, side: float) -> None:
    flat, half, raised = np.zeros(len(creature)), 0.56 * creature.eye_radius, creature["brow_raise"]
    u, v = creature.eye_u + 0.01, creature.eye_v + 1.22 * creature.eye_radius + 0.035 + 0.038 * raised
    anchor = creature.point(side * u, v, creature.skull_front(u, v) + 0.005)
    tilt = turn(flat + side * EYE_TURN, flat + 20.0, side * (8.0 - 10.0 * raised))
    patch = Patch.at(canvas, creature.pose, anchor, tilt, np.stack([1.2 * half, flat + 0.08], axis=1))
    x = patch.u / per_frame(half)
    arch = np.maximum(1.0 - x * x, 0.0)
    stroke = covered_band(patch.v - arch * 0.018, np.sqrt(arch) * 0.026, patch.pixel_v) * patch.on_skin(0.08)
    stroke *= covered(np.abs(x) - 1.0, patch.pixel_u / per_frame(half))
    patched = _patched(creature, side)[:, None]
    canvas.paint(patch.window, stroke, per_frame(creature.dark * 0.8 * (1.0 - patched) + creature.base * patched))


def _patched(creature: Creature, side: float) -> Floats:
    """1 for the animals that have a dark patch on this eye, else 0, [N]."""
    return creature.marked(2 if side < 0 else 3)
