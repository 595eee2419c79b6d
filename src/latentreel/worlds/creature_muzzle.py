"""The nose and the mouth of an animal. Lengths in the mouth are in mouth units: half its width."""

import numpy as np

from latentreel.worlds.canvas import Canvas, clip01, covered, covered_band, per_frame
from latentreel.worlds.creature import Creature
from latentreel.worlds.face_skin import lit, ramp
from latentreel.worlds.head_pose import Patch, turn
from latentreel.worlds.relief import Body, Relief

MOUTH_V = -0.38
"""Height of the mouth, in half heights of the muzzle from its centre."""

NOSE_V = 0.50
"""Height of the nose, likewise."""


def paint_mouth(canvas: Canvas, creature: Creature) -> None:
    """Paints the mouth: a split lip that opens downward, with a tongue in it."""
    flat, smile, opened = np.zeros(len(creature)), creature["mouth_smile"], creature["mouth_open"]
    half = (0.09 + 0.44 * creature.muzzle[:, 0]) * (1.0 + 0.16 * smile - 0.10 * opened)
    centre, radii = creature.muzzle_centre, creature.muzzle
    anchor = creature.point(0.0, centre[:, 1] + MOUTH_V * radii[:, 1], creature.muzzle_front(flat + MOUTH_V))
    patch = Patch.at(canvas, creature.pose, anchor, turn(flat, flat - 8.0, flat), np.stack([1.2 * half, 1.9 * half], axis=1))
    unit = per_frame(half)
    x, y, pixel, pixel_u = patch.u / unit, patch.v / unit, patch.pixel_v / unit, patch.pixel_u / unit
    shown = patch.on_skin(0.14)
    ends = covered(np.abs(x) - 1.0, pixel_u)
    square, beside = np.minimum(x * x, 1.0), np.minimum(np.abs(x), 1.0)
    arch = 1.0 - square
    bend = 0.10 + 0.58 * smile
    line = (square - 0.30) * per_frame(bend) - np.maximum(beside * (1.0 - beside), 0.0) * 0.55
    slope = (beside * per_frame(2.0 * bend + 1.10) - 0.55) * pixel_u
    soft = np.sqrt(slope * slope + pixel * pixel)
    lower = line - arch * per_frame(1.12 * opened)
    slope += beside * per_frame(2.24 * opened) * pixel_u
    below = np.sqrt(slope * slope + pixel * pixel)
    opening = np.maximum(covered(y - line, soft) - covered(y - lower, below), 0.0) * ends * shown
    canvas.paint(patch.window, opening, per_frame(creature.point(0.33, 0.06, 0.10)))
    tongue = covered(y - lower - arch * 0.40, pixel + 0.12) * covered(beside - 0.72, pixel + 0.2) * opening
    canvas.paint(patch.window, tongue * 0.9, per_frame(creature.point(0.95, 0.45, 0.50)))
    teeth = covered(line - y - 0.36, pixel) * covered(beside - 0.26, pixel_u) * opening
    canvas.paint(
        patch.window, teeth * per_frame(creature.trait(lambda s: s.teeth)), per_frame(creature.point(0.98, 0.97, 0.95))
    )
    dark = per_frame(creature.second * np.array([0.25, 0.17, 0.18]) * (1.0 - 0.8 * creature.marked(5))[:, None])
    stroke = covered_band(y - line, np.sqrt(arch) * 0.06 + 0.05, soft) * ends
    split = covered_band(x, 0.07, pixel_u) * covered(line - y, soft) * covered(y - 0.9, pixel)
    canvas.paint(patch.window, np.maximum(stroke, split) * shown * 0.9, dark)


def paint_nose(canvas: Canvas, creature: Creature) -> None:
    """Paints the nose, a shining ball at the upper end of the muzzle."""
    flat, size = np.zeros(len(creature)), creature.between("nose_size", 0.84, 1.2)
    half_width, half_height = creature.trait(lambda species: species.nose).T * size
    centre, radii = creature.muzzle_centre, creature.muzzle
    middle = creature.point(0.0, centre[:, 1] + NOSE_V * radii[:, 1], creature.muzzle_front(flat + NOSE_V) - 0.005)
    shape = creature.pose.ellipsoids(middle, creature.point(half_width, half_height, 0.05))
    relief = Relief.of(canvas, [Body(shape, 0.0)])
    alpha = covered(relief.outline, canvas.pixel)
    canvas.paint(relief.window, alpha, ramp(creature.nose * 0.5, creature.nose, lit(relief, ambient=0.2, diffuse=0.85)))
    nx, ny, _ = relief.normal
    gleam = clip01((ny - nx * 0.5) * 2.2 - 0.75) * alpha
    canvas.paint(relief.window, gleam * 0.55, per_frame(0.35 + 0.65 * np.sqrt(creature.nose)))
