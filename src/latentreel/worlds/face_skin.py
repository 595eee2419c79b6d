"""The head without hair: skull, jaw, chin, cheeks, nose and ears melted into one surface, lit and coloured."""

import numpy as np

from latentreel.worlds.canvas import Array, Canvas, clip01, covered, per_frame
from latentreel.worlds.head_pose import Patch, turn
from latentreel.worlds.relief import Body, Ellipsoids, Floats, Relief
from latentreel.worlds.sitter import Sitter

LIGHT = np.array([-0.42, 0.52, 0.74])
"""Where the light comes from: over the viewer's left shoulder."""


def lit(relief: Relief, *, ambient: float, diffuse: float) -> Array:
    """How much light each pixel of a surface gets, [N, H, W] in [0, 1]."""
    direction = (LIGHT / np.linalg.norm(LIGHT)).astype(np.float32)
    nx, ny, nz = relief.normal
    light = nx * (direction[0] * diffuse) + ny * (direction[1] * diffuse) + nz * (direction[2] * diffuse)
    light += ambient
    return clip01(light)


def ramp(shadow: Floats, light: Floats, amount: Array) -> Array:
    """Colours from shadow [N, 3] to light [N, 3] by an amount [N, H, W], as [3, N, H, W]."""
    low, step = per_frame(shadow), per_frame(light - shadow)
    return low + step * amount


def skull(sitter: Sitter) -> tuple[Floats, Floats]:
    """Centre and radii of the ellipsoid that the hair sits on, [N, 3] each."""
    return sitter.point(0.0, 0.14, -0.06), sitter.point(0.425 * sitter.width, 0.385, 0.46)


def head_bodies(sitter: Sitter) -> list[Body]:
    """Skull, jaw, chin, cheeks, nose and ears."""
    w, length, nose = sitter.width, sitter.length, sitter.between("nose_size", 0.82, 1.2)
    drop = 0.055 * sitter["mouth_open"]
    pose, point = sitter.pose, sitter.point
    flat = np.zeros(len(sitter))
    bodies = [
        Body(pose.ellipsoids(*skull(sitter)), 0.0),
        Body(jaw(sitter), 0.16),
        Body(pose.ellipsoids(point(0.0, 0.02 - 0.40 * length - drop, 0.12), point(0.165 * w, 0.13, 0.20)), 0.12, bump=True),
    ]
    for side in (-1.0, 1.0):
        cheek = point(side * 0.20 * w, -0.10 * length + 0.02 * sitter["mouth_smile"], 0.13)
        bodies.append(Body(pose.ellipsoids(cheek, point(0.17, 0.15, 0.225)), 0.12, bump=True))
    bridge = turn(flat, flat - 12.0, flat)
    bodies.append(Body(pose.ellipsoids(point(0.0, -0.03 * length, 0.33), point(0.065, 0.18, 0.135), bridge), 0.07, bump=True))
    bodies.append(Body(pose.ellipsoids(point(0.0, nose_v(sitter), 0.40), nose[:, None] * point(0.066, 0.058, 0.12)), 0.05))
    for side in (-1.0, 1.0):
        outward = turn(flat + side * 62.0, flat, flat + side * 8.0)
        ear = pose.ellipsoids(point(side * 0.415 * w, -0.02, -0.07), point(0.075, 0.115, 0.035), outward)
        bodies.append(Body(ear, 0.025))
    return bodies


def jaw(sitter: Sitter) -> Ellipsoids:
    """The ellipsoid of the lower face."""
    drop = 0.017 * sitter["mouth_open"]
    centre = sitter.point(0.0, 0.01 - 0.09 * sitter.length - drop, 0.05)
    return sitter.pose.ellipsoids(centre, sitter.point(0.365 * sitter.width, 0.40 * sitter.length, 0.36))


def nose_v(sitter: Sitter) -> Floats:
    """The height of the tip of the nose, in head units."""
    return -0.02 - 0.09 * sitter.length


def paint_head(canvas: Canvas, sitter: Sitter, relief: Relief) -> None:
    """Paints the bare head, without eyes, brows and mouth."""
    alpha = covered(relief.outline, canvas.pixel)
    light = lit(relief, ambient=0.25, diffuse=0.75)
    canvas.paint(relief.window, alpha, ramp(sitter.skin_shadow, sitter.skin, light))
    canvas.occlude(relief.window, alpha, relief.height, relief.normal[2])
    _paint_ears(canvas, sitter)
    _paint_cheeks(canvas, sitter)
    _paint_nose(canvas, sitter)


def _paint_ears(canvas: Canvas, sitter: Sitter) -> None:
    flat = np.zeros(len(sitter))
    for side in (-1.0, 1.0):
        anchor = sitter.point(side * 0.43 * sitter.width, -0.02, -0.035)
        tilt = turn(flat + side * 62.0, flat, flat + side * 8.0)
        patch = Patch.at(canvas, sitter.pose, anchor, tilt, sitter.point(0.06, 0.09, 0.0)[:, :2])
        if not patch.window.empty:
            hollow = patch.glow(0.055, 0.085) * patch.on_skin(0.05)
            canvas.paint(patch.window, hollow * 0.7, per_frame(sitter.skin_shadow * np.array([0.95, 0.85, 0.82])))


def _paint_cheeks(canvas: Canvas, sitter: Sitter) -> None:
    flat = np.zeros(len(sitter))
    blush = sitter.skin * np.array([0.98, 0.72, 0.68])
    for side in (-1.0, 1.0):
        anchor = sitter.point(side * 0.225 * sitter.width, -0.13 * sitter.length + 0.015 * sitter["mouth_smile"], 0.33)
        patch = Patch.at(
            canvas, sitter.pose, anchor, turn(flat + side * 28.0, flat, flat), sitter.point(0.18, 0.15, 0.0)[:, :2]
        )
        glow = patch.glow(0.18, 0.15) * patch.on_skin(0.06)
        canvas.paint(patch.window, glow * per_frame(0.34 + 0.12 * sitter["mouth_smile"]), per_frame(blush))


def _paint_nose(canvas: Canvas, sitter: Sitter) -> None:
    flat = np.zeros(len(sitter))
    nose = sitter.between("nose_size", 0.82, 1.2)
    under = sitter.point(0.0, nose_v(sitter) - 0.052 * nose, 0.45)
    patch = Patch.at(canvas, sitter.pose, under, turn(flat, flat - 25.0, flat), sitter.point(0.11 * nose, 0.06, 0.0)[:, :2])
    shadow = patch.glow(per_frame(0.105 * nose), 0.055) * patch.on_skin(0.06)
    canvas.paint(patch.window, shadow * 0.75, per_frame(sitter.skin_shadow * 0.92))
    dark = per_frame(sitter.skin_shadow * np.array([0.55, 0.42, 0.42]))
    for side in (-1.0, 1.0):
        nostril = patch.disc(per_frame(side * 0.030 * nose), 0.002, per_frame(0.018 * nose), 0.011)
        canvas.paint(patch.window, nostril * patch.on_skin(0.05) * 0.8, dark)
    tip = sitter.point(-0.015, nose_v(sitter) + 0.015, 0.52)
    patch = Patch.at(canvas, sitter.pose, tip, None, sitter.point(0.04, 0.035, 0.0)[:, :2])
    glint = patch.glow(0.038, 0.032) * patch.on_skin(0.06)
    canvas.paint(patch.window, glint * 0.45, per_frame(1.0 - 0.5 * (1.0 - sitter.skin)))
