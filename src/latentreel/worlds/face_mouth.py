"""The mouth: two lips along one curve, with teeth and tongue between them as it opens.

Lengths are in mouth units: half the width of the mouth.
"""

import numpy as np

from latentreel.worlds.canvas import Canvas, covered, covered_band, covered_between, per_frame
from latentreel.worlds.head_pose import Patch, turn
from latentreel.worlds.sitter import Sitter


def paint_mouth(canvas: Canvas, sitter: Sitter) -> None:
    """Paints the mouth."""
    flat, smile, opened = np.zeros(len(sitter)), sitter["mouth_smile"], sitter["mouth_open"]
    half = sitter.between("mouth_width", 0.115, 0.155) * (1.0 + 0.16 * smile - 0.16 * opened)
    anchor = sitter.point(0.0, sitter.mouth_v, 0.40)
    patch = Patch.at(canvas, sitter.pose, anchor, turn(flat, flat - 6.0, flat), np.stack([1.2 * half, 1.9 * half], axis=1))
    unit = per_frame(half)
    x, y, pixel = patch.u / unit, patch.v / unit, patch.pixel_v / unit
    shown = patch.on_skin(0.08)

    square = np.minimum(x * x, 1.0)
    arch = 1.0 - square
    middle = (square - 0.45) * per_frame(0.50 * smile)  # corners up for a smile
    full = sitter.between("lip_fullness", 0.8, 1.25)
    bow = 0.55 + np.minimum(np.abs(x) * 1.8, 0.45)  # the dip under the nose
    upper_inner = middle + arch * per_frame(0.16 * opened)
    lower_inner = middle - arch * per_frame(0.72 * opened)
    upper_outer = upper_inner + arch * bow * per_frame(0.25 * full)
    lower_outer = lower_inner - arch * per_frame(0.33 * full)

    lip = sitter.skin * np.array([0.88, 0.58, 0.55]) + np.array([0.04, 0.0, 0.015])
    shade = covered(y - middle + arch * per_frame(0.75 * opened + 0.62), pixel * 3.0)
    shade *= covered(lower_outer - arch * 0.32 - y, pixel + 0.30) * arch
    canvas.paint(patch.window, shade * shown * 0.4, per_frame(sitter.skin_shadow))
    upper = covered_between(y, middle, upper_outer, pixel) * shown
    canvas.paint(patch.window, upper, per_frame(lip * 0.86))
    lower = covered_between(y, lower_outer, middle, pixel) * shown
    canvas.paint(patch.window, lower, per_frame(lip))
    gleam = covered_band(y - lower_inner + per_frame(0.17 * full), 0.05, pixel + 0.05) * arch * arch * shown
    canvas.paint(patch.window, gleam * 0.28, per_frame(1.0 - 0.35 * (1.0 - lip)))

    opening = covered_between(y, lower_inner, upper_inner, pixel) * shown
    canvas.paint(patch.window, opening, per_frame(sitter.point(0.30, 0.07, 0.09)))
    tongue = covered(y - lower_inner - arch * 0.26, pixel + 0.15) * opening
    canvas.paint(patch.window, tongue * 0.8, per_frame(sitter.point(0.78, 0.34, 0.36)))
    teeth = covered(upper_inner - y - 0.22, pixel) * covered(np.abs(x) - 0.8, patch.pixel_u / unit) * opening
    canvas.paint(patch.window, teeth, per_frame(sitter.point(0.97, 0.96, 0.93)))
    line = covered_band(y - middle, np.sqrt(arch) * 0.06, pixel) * shown
    line *= covered(np.abs(x) - 1.0, patch.pixel_u / unit) * per_frame(np.clip(1.0 - 4.0 * opened, 0.0, 1.0))
    canvas.paint(patch.window, line, per_frame(lip * np.array([0.50, 0.38, 0.40])))
