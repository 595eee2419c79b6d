"""Eyes with lids, and the brows above them.

An eye is drawn in a patch of the face. Lengths there are in eye units: half the width of an eye. The lids are parabolas that
meet in the corners; a blink lowers the upper one onto the lower, the skin of the lid follows, the lashes stay at its edge.
"""

import numpy as np

from latentreel.worlds import palettes
from latentreel.worlds.canvas import Array, Canvas, covered, covered_band, covered_between, per_frame
from latentreel.worlds.head_pose import Patch, turn
from latentreel.worlds.sitter import Sitter

UPPER_LID, LOWER_LID, CREASE = 0.66, 0.44, 0.98
"""Heights of the open upper lid, the lower lid and the crease above, in eye units."""

IRIS = 0.50
"""Radius of an iris in eye units."""

EYE_V = 0.035
"""Height of the eyes, in head units."""

EYE_TURN = 17.0
"""Degrees by which each eye's opening faces outward."""


def paint_eyes(canvas: Canvas, sitter: Sitter) -> None:
    """Paints both eyes and both brows."""
    for side in (-1.0, 1.0):
        _paint_eye(canvas, sitter, side)
        _paint_brow(canvas, sitter, side)


def _paint_eye(canvas: Canvas, sitter: Sitter, side: float) -> None:
    flat, e = np.zeros(len(sitter)), sitter.eye_radius
    anchor = sitter.point(side * sitter.eye_u, EYE_V, 0.365)
    tilt = turn(flat + side * EYE_TURN, flat, flat - side * 2.0)
    reach = np.stack([1.7 * e, 1.4 * e], axis=1)
    patch = Patch.at(canvas, sitter.pose, anchor, tilt, reach)
    unit = per_frame(e)
    x, y, pixel = patch.u / unit, patch.v / unit, patch.pixel_v / unit
    shown = patch.on_skin(0.07)
    hollow = patch.glow(unit * 1.65, unit * 1.35) * shown
    canvas.paint(patch.window, hollow * 0.42, per_frame(sitter.skin_shadow))

    arch = np.maximum(1.0 - x * x, 0.0)
    arch *= 1.0 + x * (x * 0.30) + x * (0.12 * side)
    closed = sitter["blink"]
    wide = 1.0 + 0.10 * sitter["brow_raise"] + 0.006 * sitter["gaze_y"] - 0.14 * np.maximum(sitter["mouth_smile"], 0.0)
    rest = -0.75 * LOWER_LID  # where the lids meet
    upper = arch * per_frame((1.0 - closed) * UPPER_LID * wide + closed * rest)
    low = -LOWER_LID * (1.0 - 0.22 * np.maximum(sitter["mouth_smile"], 0.0))
    lower = arch * per_frame((1.0 - closed) * low + closed * rest)

    lid = covered_between(y, arch * per_frame(low), arch * CREASE, pixel) * shown
    canvas.paint(patch.window, lid, per_frame(palettes.mix(sitter.skin, sitter.skin_shadow, 0.38)))
    opening = covered_between(y, lower, upper, pixel) * shown
    _paint_eyeball(canvas, sitter, patch, opening, upper - y)
    lashes = covered_band(y - upper, _taper(arch, 0.13, 0.05), pixel) * shown
    lashes *= covered(np.abs(x) - 1.03, patch.pixel_u / unit)
    canvas.paint(patch.window, lashes, per_frame(palettes.mix((0.16, 0.09, 0.08), sitter.skin_shadow, 0.12)))
    crease = covered_band(y - arch * CREASE, _taper(arch, 0.05, 0.0), pixel) * shown
    canvas.paint(patch.window, crease * 0.55, per_frame(sitter.skin_shadow * 0.8))


def _taper(arch: Array, middle: float, ends: float) -> Array:
    """A half width that shrinks from the middle of an arch [N, H, W] in [0, 1] to its ends."""
    return np.sqrt(arch) * (middle - ends) + ends


def _paint_eyeball(canvas: Canvas, sitter: Sitter, patch: Patch, opening: Array, depth: Array) -> None:
    """Paints white, iris, pupil and glint into the opening; `depth` is the distance below the upper lid in eye units."""
    unit = per_frame(sitter.eye_radius)
    canvas.paint(patch.window, opening, per_frame(sitter.point(0.97, 0.965, 0.96)))
    u = per_frame(sitter.eye_radius * 0.98 * np.sin(np.radians(sitter["gaze_x"])))
    v = per_frame(sitter.eye_radius * (0.08 + 0.9 * np.sin(np.radians(sitter["gaze_y"]))))
    colour = palettes.along(palettes.EYES, sitter["eye_colour"])
    discs = (
        (IRIS, colour * 0.45),
        (0.82 * IRIS, colour),
        (0.42 * IRIS, sitter.point(0.06, 0.05, 0.06)),
    )
    for radius, paint in discs:
        disc = patch.disc(u, v, unit * radius, unit * radius)
        canvas.paint(patch.window, disc * opening, per_frame(paint))
    shade = np.clip(1.0 - depth * 2.6, 0.0, 1.0)
    canvas.paint(patch.window, shade * opening * 0.32, per_frame(sitter.point(0.16, 0.12, 0.16)))
    small = unit * (0.34 * IRIS)
    glint = patch.disc(u - unit * (0.36 * IRIS), v + unit * (0.40 * IRIS), small, small)
    canvas.paint(patch.window, glint * opening * 0.95, per_frame(sitter.point(1.0, 1.0, 1.0)))


def _paint_brow(canvas: Canvas, sitter: Sitter, side: float) -> None:
    flat, half = np.zeros(len(sitter)), 1.35 * sitter.eye_radius
    raised = sitter["brow_raise"]
    anchor = sitter.point(side * (sitter.eye_u + 0.008), EYE_V + 1.30 * sitter.eye_radius + 0.028 + 0.04 * raised, 0.365)
    tilt = turn(flat + side * EYE_TURN, flat + 8.0, flat)
    patch = Patch.at(canvas, sitter.pose, anchor, tilt, np.stack([1.1 * half, flat + 0.10], axis=1))
    x = patch.u / per_frame(half) * side  # -1 at the nose, 1 at the temple
    arch = np.maximum(1.0 - x * x, 0.0)
    curve = arch * per_frame(0.028 + 0.012 * raised) - x * per_frame(0.012 + 0.010 * raised)
    thickness = per_frame(sitter.between("brow_thickness", 0.011, 0.025))
    half_width = np.sqrt(arch) * thickness * (1.0 - x * 0.30)
    stroke = covered_band(patch.v - curve, half_width, patch.pixel_v) * patch.on_skin(0.07)
    canvas.paint(patch.window, stroke, per_frame(sitter.brow))
