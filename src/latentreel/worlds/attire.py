"""What surrounds the head: backdrop, neck, a jumper with a collar, glasses."""

import numpy as np

from latentreel.worlds import palettes
from latentreel.worlds.canvas import Array, Canvas, Window, clip01, covered, covered_band, per_frame
from latentreel.worlds.face_eyes import EYE_V
from latentreel.worlds.face_skin import jaw, lit, ramp
from latentreel.worlds.head_pose import SCALE, Patch
from latentreel.worlds.relief import Body, Ellipsoids, Floats, Relief, outline_distance
from latentreel.worlds.sitter import Sitter
from latentreel.worlds.subject import Subject

NECKLINE = (-0.765, 0.235, 0.13)
"""Height, half width and half height of the ellipse where the jumper ends."""

COLLAR_WIDTH = 0.065
"""Width of the band around it."""


def paint_backdrop(canvas: Canvas, sitter: Subject) -> None:
    """Paints a soft gradient of two neighbouring colours over the whole canvas."""
    value = 0.52 + 0.40 * sitter["background_lightness"]
    top = palettes.from_hue(sitter["background_hue"], 0.34, value)
    bottom = palettes.from_hue(sitter["background_hue"] + 0.25 * sitter["background_shift"], 0.40, value - 0.14)
    x, y = canvas.grid(canvas.whole)
    amount = clip01(0.5 + y * 0.5 - x * 0.12)
    canvas.colours[...] = ramp(bottom, top, amount)


def paint_neck(canvas: Canvas, sitter: Sitter) -> None:
    """Paints the neck, darker under the chin."""
    x, y = 2 * sitter["shift_x"], 2 * sitter["shift_y"]
    upright = np.broadcast_to(np.eye(3), (len(sitter), 3, 3))
    lean = 0.10 * np.sin(np.radians(sitter["roll"]))
    neck = Ellipsoids.turned(sitter.point(x + lean, y - 0.66, -0.18), sitter.point(0.18 * sitter.width, 0.55, 0.19), upright)
    chest = Ellipsoids.turned(sitter.point(x, y - 1.06, -0.2), sitter.point(0.43, 0.36, 0.22), upright)
    relief = Relief.of(canvas, [Body(neck, 0.0), Body(chest, 0.14)])
    alpha = covered(relief.outline, canvas.pixel)
    light = lit(relief, ambient=0.24, diffuse=0.66)
    below_chin = clip01(outline_distance(canvas, relief.window, jaw(sitter)) * (1 / 0.22))
    light *= 0.25 + 0.75 * below_chin
    canvas.paint(relief.window, alpha, ramp(sitter.skin_shadow * 0.92, sitter.skin, light))
    canvas.occlude(relief.window, alpha, relief.height, relief.normal[2])


def paint_clothes(canvas: Canvas, sitter: Sitter) -> None:
    """Paints shoulders in a jumper with a round collar."""
    x, y = 2 * sitter["shift_x"], 2 * sitter["shift_y"]
    upright = np.broadcast_to(np.eye(3), (len(sitter), 3, 3))
    torso = Ellipsoids.turned(sitter.point(x, y - 1.33, -0.15), sitter.point(0.86, 0.56, 0.34), upright)
    trapezius = Ellipsoids.turned(sitter.point(x, y - 1.04, -0.2), sitter.point(0.45, 0.36, 0.22), upright)
    relief = Relief.of(canvas, [Body(torso, 0.0), Body(trapezius, 0.22)])
    neckline = _neckline(canvas, sitter, relief.window)
    below = covered(-neckline, canvas.pixel)
    colour = _cloth(sitter)
    light = lit(relief, ambient=0.22, diffuse=0.80)
    alpha = covered(relief.outline, canvas.pixel) * below
    canvas.paint(relief.window, alpha, ramp(colour * 0.55, colour, light))
    band = alpha * covered(neckline - COLLAR_WIDTH, canvas.pixel)
    canvas.paint(relief.window, band, ramp(colour * 0.55, palettes.mix(colour, (1.0, 1.0, 1.0), 0.35), light))


def _cloth(sitter: Sitter) -> Floats:
    lightness = sitter["clothes_lightness"]
    return palettes.from_hue(sitter["clothes_hue"], 0.58 - 0.22 * lightness, 0.42 + 0.48 * lightness)


def _neckline(canvas: Canvas, sitter: Sitter, window: Window) -> Array:
    """Signed distance from the ellipse where the jumper ends, to first order."""
    height, radius_u, radius_v = NECKLINE
    grid_x, grid_y = canvas.grid(window)
    x = (grid_x - per_frame(2 * sitter["shift_x"])) / radius_u
    y = (grid_y - per_frame(2 * sitter["shift_y"] + height)) / radius_v
    gx, gy = x / radius_u, y / radius_v
    return (x * x + y * y - 1.0) / (2.0 * np.sqrt(gx * gx + gy * gy) + 1e-6)


def paint_glasses(canvas: Canvas, sitter: Sitter) -> None:
    """Paints rims, bridge and temples on those who wear glasses."""
    worn = sitter["glasses"]
    if not worn.any():
        return
    radius_u, radius_v = 0.145 * sitter.width, 0.122
    eye_u, front = sitter.eye_u + 0.008, 0.45
    frame = sitter.point(0.16, 0.13, 0.14)
    for side in (-1.0, 1.0):
        hinge = sitter.point(side * (eye_u + 0.9 * radius_u), EYE_V + 0.045, front - 0.02)
        ear = sitter.point(side * 0.43 * sitter.width, EYE_V + 0.03, -0.04)
        _paint_rod(canvas, sitter, hinge, ear, frame, worn, hideable=True)
    for side in (-1.0, 1.0):
        anchor = sitter.point(side * eye_u, EYE_V - 0.005, front)
        patch = Patch.at(
            canvas, sitter.pose, anchor, None, np.stack([1.2 * radius_u, np.full_like(radius_u, 1.25 * radius_v)], axis=1)
        )
        x, y = patch.u / per_frame(radius_u), patch.v / radius_v
        xx, yy = x * x, y * y
        size = np.sqrt(np.sqrt(xx * xx + yy * yy + 1.1 * xx * yy)) - 1.0  # between ellipse and rectangle
        pixel = (patch.pixel_u / per_frame(radius_u) * xx + patch.pixel_v / radius_v * yy) / (xx + yy + 1e-6)
        shown = per_frame(worn) * patch.visible(0.10)
        lens = covered(size, pixel) * shown
        canvas.paint(patch.window, lens * 0.10, per_frame(sitter.point(0.85, 0.93, 1.0)))
        rim = covered_band(size, 0.085, pixel) * shown
        canvas.paint(patch.window, rim, per_frame(frame))
    inner = sitter.eye_u - 0.9 * radius_u
    _paint_rod(
        canvas,
        sitter,
        sitter.point(-inner, EYE_V + 0.03, front),
        sitter.point(inner, EYE_V + 0.03, front),
        frame,
        worn,
        hideable=False,
    )


def _paint_rod(canvas: Canvas, sitter: Sitter, a: Floats, b: Floats, colour: Floats, worn: Floats, *, hideable: bool) -> None:
    """Paints a thin straight rod between two points of the head, [N, 3] each in head coordinates."""
    a, b = sitter.pose.place(a), sitter.pose.place(b)
    half_width = 0.011 * SCALE
    window = canvas.window((a + b) / 2, np.abs(b - a)[:, :2] / 2 + half_width)
    if window.empty:
        return
    along = b - a
    square = np.maximum((along[:, :2] ** 2).sum(axis=1), 1e-6)
    x, y = _offsets(canvas, window, a)
    position = clip01(x * per_frame(along[:, 0] / square) + y * per_frame(along[:, 1] / square))
    dx, dy = x - position * per_frame(along[:, 0]), y - position * per_frame(along[:, 1])
    alpha = covered_band(np.sqrt(dx * dx + dy * dy), half_width, canvas.pixel) * per_frame(worn)
    if hideable:
        alpha *= canvas.visible(window, per_frame(a[:, 2]) + position * per_frame(along[:, 2]) + 0.03, 0.03)
    canvas.paint(window, alpha, per_frame(colour))


def _offsets(canvas: Canvas, window: Window, origin: Floats) -> tuple[Array, Array]:
    x, y = canvas.grid(window)
    return x - per_frame(origin[:, 0]), y - per_frame(origin[:, 1])
