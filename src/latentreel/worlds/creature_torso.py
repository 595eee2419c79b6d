"""The chest and shoulders of an animal, with a pale bib."""

import numpy as np

from latentreel.worlds.canvas import Canvas, clip01, covered, per_frame
from latentreel.worlds.creature import Creature
from latentreel.worlds.creature_fur import SHADOW
from latentreel.worlds.face_skin import lit
from latentreel.worlds.relief import Body, Ellipsoids, Relief, outline_distance


def paint_torso(canvas: Canvas, creature: Creature) -> None:
    """Paints neck, chest and shoulders, darker under the chin."""
    x, y = 2 * creature["shift_x"], 2 * creature["shift_y"]
    upright = np.broadcast_to(np.eye(3), (len(creature), 3, 3))
    lean = 0.10 * np.sin(np.radians(creature["roll"]))
    chest = Ellipsoids.turned(creature.point(x, y - 1.10, -0.2), creature.point(0.70, 0.52, 0.36), upright)
    neck = Ellipsoids.turned(creature.point(x + lean, y - 0.58, -0.2), creature.point(0.33, 0.34, 0.22), upright)
    relief = Relief.of(canvas, [Body(chest, 0.0), Body(neck, 0.14)])
    alpha = covered(relief.outline, canvas.pixel)
    grid_x, grid_y = canvas.grid(relief.window)
    u, v = (grid_x - per_frame(x)) / 0.30, (grid_y - per_frame(y - 0.96)) / 0.34
    bib = clip01((1.0 - (u * u + v * v)) * 3.0 + 0.5)
    light = lit(relief, ambient=0.22, diffuse=0.80)
    head = creature.pose.ellipsoids(creature.skull_centre, creature.skull)
    light *= 0.30 + 0.70 * clip01(outline_distance(canvas, relief.window, head) * (1 / 0.26))
    darkness = creature.trait(lambda species: species.torso_dark)[:, None]
    base = per_frame(creature.base * 0.94 * (1.0 - darkness) + creature.dark * darkness)
    second = per_frame(creature.second * (1.0 - darkness) + creature.dark * darkness)
    coat = base + (second - base) * bib
    for channel, left in zip(coat, SHADOW.tolist(), strict=True):
        channel *= light * (1.0 - left) + left
    canvas.paint(relief.window, alpha, coat)
