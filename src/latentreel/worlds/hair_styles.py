"""Hair: each style is a few ellipsoids fixed to the head, melted together, and shown where they rise above the skin.

Lengths are head units; the hairline is where the hair's surface dives under the skull's.
"""

from dataclasses import dataclass

import numpy as np

from latentreel.worlds.canvas import Canvas, covered, per_frame
from latentreel.worlds.face_skin import lit, ramp
from latentreel.worlds.head_pose import turn
from latentreel.worlds.relief import Body, Relief
from latentreel.worlds.sitter import Sitter


@dataclass(frozen=True)
class Tuft:
    """One ellipsoid of hair."""

    centre: tuple[float, float, float]
    radii: tuple[float, float, float]
    lean: float = 0.0
    """Degrees about the axis to the viewer: its upper end goes to the side that the fringe falls to."""

    tip: float = 0.0
    """Degrees about the axis through the ears: its upper end goes backward."""

    seam: float = 0.06
    behind: bool = False
    """Hangs behind the neck and shoulders."""


STYLES: tuple[tuple[Tuft, ...], ...] = (
    (  # short: a cap with a fringe swept to one side
        Tuft((0.0, 0.19, -0.12), (0.458, 0.395, 0.475)),
        Tuft((0.10, 0.435, 0.10), (0.27, 0.125, 0.24), lean=-12.0, seam=0.10),
        Tuft((-0.20, 0.40, 0.06), (0.17, 0.13, 0.22), lean=24.0, seam=0.10),
    ),
    (  # long: parted on one side, falling behind the shoulders
        Tuft((0.0, -0.26, -0.22), (0.50, 0.66, 0.30), behind=True),
        Tuft((0.0, 0.18, -0.12), (0.485, 0.425, 0.48)),
        Tuft((-0.415, -0.14, -0.02), (0.105, 0.42, 0.20), lean=-4.0, seam=0.14),
        Tuft((0.415, -0.14, -0.02), (0.105, 0.42, 0.20), lean=4.0, seam=0.14),
        Tuft((0.14, 0.36, 0.12), (0.30, 0.13, 0.22), lean=28.0, seam=0.10),
        Tuft((-0.26, 0.34, 0.08), (0.20, 0.12, 0.22), lean=-40.0, seam=0.10),
    ),
    (  # bob: chin-long, with a straight fringe
        Tuft((0.0, -0.04, -0.18), (0.50, 0.42, 0.34), behind=True),
        Tuft((0.0, 0.15, -0.11), (0.495, 0.455, 0.48)),
        Tuft((-0.40, -0.11, -0.06), (0.125, 0.31, 0.27), lean=-5.0, seam=0.20),
        Tuft((0.40, -0.11, -0.06), (0.125, 0.31, 0.27), lean=5.0, seam=0.20),
        Tuft((0.0, 0.355, 0.08), (0.385, 0.20, 0.315), seam=0.15),
    ),
    (  # bun: parted in the middle and gathered, with a ball on top
        Tuft((0.0, 0.615, -0.16), (0.165, 0.15, 0.165), behind=True),
        Tuft((0.0, 0.185, -0.125), (0.452, 0.392, 0.47)),
        Tuft((0.19, 0.355, 0.06), (0.135, 0.22, 0.25), lean=-38.0, seam=0.09),
        Tuft((-0.19, 0.355, 0.06), (0.135, 0.22, 0.25), lean=38.0, seam=0.09),
    ),
    (  # curly: a round cloud
        Tuft((0.0, 0.19, -0.19), (0.60, 0.51, 0.49)),
        Tuft((0.30, 0.45, -0.02), (0.22, 0.20, 0.25), seam=0.10),
        Tuft((-0.30, 0.45, -0.02), (0.22, 0.20, 0.25), seam=0.10),
        Tuft((0.0, 0.55, 0.0), (0.24, 0.18, 0.26), seam=0.10),
    ),
    (  # receding: a wreath around a bare crown
        Tuft((0.0, 0.075, -0.135), (0.466, 0.235, 0.425), tip=-8.0),
    ),
)
"""In the order of the factor `hair_style`."""

SPECK = Tuft((0.0, 0.0, -0.2), (0.02, 0.02, 0.02))
"""Hair too small and too deep to matter."""


def paint_hair(canvas: Canvas, sitter: Sitter, *, behind: bool) -> None:
    """Paints what hangs behind the body, before it; or the rest, after the face."""
    tufts = _tufts(sitter, behind=behind)
    if not tufts:
        return
    relief = Relief.of(canvas, tufts)
    outline = covered(relief.outline, canvas.pixel)
    dark = sitter.hair * 0.52
    if behind:
        hanging = np.array([any(tuft.behind for tuft in style) for style in STYLES])
        outline *= per_frame(hanging[sitter["hair_style"].round().astype(int)])
        light = lit(relief, ambient=0.05, diffuse=0.55)
        canvas.paint(relief.window, outline, ramp(dark * 0.85, sitter.hair, light))
        return
    clear = canvas.visible(relief.window, relief.height, canvas.height_step(relief.normal[2]) + 0.018)
    near = canvas.visible(relief.window, relief.height + 0.045, 0.12)
    canvas.paint(relief.window, near * outline * 0.30, per_frame(sitter.skin_shadow * 0.55))
    light = lit(relief, ambient=0.16, diffuse=0.86)
    gloss = light * light
    gloss *= gloss
    alpha = outline * clear
    colours = ramp(dark, sitter.hair, light)
    colours += per_frame(0.20 * (1.0 - sitter.hair) * (0.3 + sitter.hair)) * (gloss * gloss)
    canvas.paint(relief.window, alpha, colours)
    canvas.occlude(relief.window, alpha, relief.height, relief.normal[2])


def _tufts(sitter: Sitter, *, behind: bool) -> list[Body]:
    """The tufts of a layer; styles with fewer than another in the batch are filled up with specks inside the head."""
    kinds = sitter["hair_style"].round().astype(int)
    layers = {kind: [tuft for tuft in STYLES[kind] if tuft.behind == behind] for kind in np.unique(kinds)}
    side, width = sitter["hair_side"], sitter.width
    bodies = []
    for number in range(max(len(layer) for layer in layers.values())):
        chosen = [layers[kind][number] if number < len(layers[kind]) else SPECK for kind in kinds]
        centre, radii = (np.array([getattr(tuft, name) for tuft in chosen]) for name in ("centre", "radii"))
        lean, tip, seam = (np.array([getattr(tuft, name) for tuft in chosen]) for name in ("lean", "tip", "seam"))
        centre[:, 0] *= side * width
        radii[:, 0] *= width
        tilts = turn(np.zeros(len(sitter)), tip, lean * side)
        bodies.append(Body(sitter.pose.ellipsoids(centre, radii, tilts), seam))
    return bodies
