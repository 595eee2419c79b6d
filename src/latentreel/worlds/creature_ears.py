"""The ears of an animal: flat chains of ellipsoids, a hollow in each that opens to the front.

They are painted twice: before the head, and after it where they hang in front of it.
"""

from dataclasses import dataclass

import numpy as np

from latentreel.worlds import palettes
from latentreel.worlds.canvas import Array, Canvas, clip01, covered, per_frame
from latentreel.worlds.creature import Creature
from latentreel.worlds.creature_fur import furred, lay
from latentreel.worlds.head_pose import SCALE
from latentreel.worlds.relief import Body, Floats, Relief


@dataclass(frozen=True)
class PaintedEar:
    """An ear ready to be laid over the picture."""

    relief: Relief
    coat: Array
    """[3, N, H, W], lit."""

    alpha: Array
    """[N, H, W]."""

    def paint_behind(self, canvas: Canvas) -> None:
        """Paints all of it."""
        canvas.paint(self.relief.window, self.alpha, self.coat)

    def paint_before(self, canvas: Canvas) -> None:
        """Paints what is nearer to the viewer than the surfaces remembered."""
        cover = canvas.covered_part(self.relief.window)
        shown = cover - (1.0 - canvas.visible(self.relief.window, self.relief.height, 0.03))  # 0 where nothing lies behind
        shown /= np.maximum(cover, 0.25)
        canvas.paint(self.relief.window, self.alpha * shown, self.coat)


def ears(canvas: Canvas, creature: Creature) -> list[PaintedEar]:
    """Both ears, that on the left of the image first."""
    return [_ear(canvas, creature, side) for side in (-1.0, 1.0)]


def _ear(canvas: Canvas, creature: Creature, side: float) -> PaintedEar:
    root, tilt, length = creature.ear_root(side), creature.ear_tilt(side), creature.ear_length
    widths = creature.trait(lambda species: species.ear.widths) * creature.ear_size[:, None]
    thickness = creature.trait(lambda species: species.ear.thickness)
    bodies = []
    for place, width in zip((0.0, 0.5, 1.0), widths.T, strict=True):
        centre = root + tilt[:, :, 1] * (place * length)[:, None]
        radii = creature.point(width, 0.3 * length + 0.55 * width, thickness * (1.0 - 0.35 * place))
        bodies.append(Body(creature.pose.ellipsoids(centre, radii, tilt), 0.05))
    relief = Relief.of(canvas, bodies)
    coat = np.empty((3, *relief.height.shape), dtype=np.float32)
    coat[...] = per_frame(creature.base)
    darkness = np.maximum(creature.trait(lambda species: species.ear.dark), 0.95 * creature.marked(5))
    lay(coat, np.broadcast_to(per_frame(darkness), relief.height.shape), creature.dark)

    across, along, pixel = _plane(creature, relief, side)
    along = along / per_frame(length)
    part = np.clip(along, 0.0, 1.0)
    middle = per_frame(4.0 * widths[:, 1] - 2.0 * (widths[:, 0] + widths[:, 2]))
    width = per_frame(widths[:, 0]) + part * per_frame(widths[:, 2] - widths[:, 0]) + part * (1.0 - part) * middle
    reach = 0.5 + (0.3 * length + 0.55 * widths[:, 2]) / length  # from the middle to the end, in lengths
    hollow = creature.trait(lambda species: species.ear.hollow)
    width *= per_frame(np.maximum(hollow, 0.1))
    u = across / width
    v = (along - 0.5) / per_frame(reach * (0.35 + 0.65 * hollow))
    steep = np.minimum(width / pixel * 0.5, 1.5)
    inside = clip01((1.0 - (u * u + v * v)) * steep + 0.3) * per_frame(hollow > 0)
    lay(coat, inside, palettes.mix(creature.base * 0.95, (0.95, 0.62, 0.61), 0.72))
    outward = (creature.pose.rotations @ tilt)[:, :, 2]
    relief.normal = _flattened(relief, outward)
    furred(coat, relief)
    return PaintedEar(relief, coat, covered(relief.outline, canvas.pixel))


def _flattened(relief: Relief, outward: Floats) -> tuple[Array, Array, Array]:
    """Normals that lean toward that of the ear's plane [N, 3], so that the thin rim does not glitter."""
    x, y, z = (0.35 * normal + per_frame(0.65 * plane) for normal, plane in zip(relief.normal, outward.T, strict=True))
    return x, y, z


def _plane(creature: Creature, relief: Relief, side: float) -> tuple[Array, Array, Array]:
    """Where a pixel meets the middle plane of an ear: across and along it from the root, and its width across; head units."""
    axes = SCALE * (creature.pose.rotations @ creature.ear_tilt(side))
    root, u, v = creature.pose.place(creature.ear_root(side)), axes[:, :, 0], axes[:, :, 1]
    determinant = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    safe = np.maximum(determinant, 0.2)
    grid_x, grid_y = relief.canvas.grid(relief.window)
    x, y = grid_x - per_frame(root[:, 0]), grid_y - per_frame(root[:, 1])
    across = per_frame(v[:, 1] / safe) * x - per_frame(v[:, 0] / safe) * y
    along = per_frame(u[:, 0] / safe) * y - per_frame(u[:, 1] / safe) * x
    return across, along, per_frame(np.hypot(v[:, 0], v[:, 1]) / safe) * relief.canvas.pixel
