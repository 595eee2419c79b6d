"""The head of an animal and its coat: bodies melted into one surface, coloured by where each pixel lies on the head.

Markings are functions of head coordinates, so that they stay where they are as the head turns.
"""

from dataclasses import dataclass

import numpy as np

from latentreel.worlds import palettes
from latentreel.worlds.canvas import Array, Canvas, Number, clip01, covered, per_frame
from latentreel.worlds.creature import Creature
from latentreel.worlds.face_skin import lit
from latentreel.worlds.head_pose import NECK_JOINT, SCALE
from latentreel.worlds.relief import Body, Floats, Relief

SHADOW = np.array([0.62, 0.55, 0.58])
"""What is left of a coat's colour in the shadow."""

FUR_EDGE = 0.035
"""Width over which one colour of fur gives way to another, in head units."""


def head_bodies(creature: Creature) -> list[Body]:
    """Skull, cheeks, muzzle and chin."""
    pose, point, opened, smile = creature.pose, creature.point, creature["mouth_open"], creature["mouth_smile"]
    cheek, fluff = creature.trait(lambda species: species.cheek), creature.between("cheek_size", 0.88, 1.14)
    bodies = [Body(pose.ellipsoids(creature.skull_centre, creature.skull), 0.0)]
    for side in (-1.0, 1.0):
        centre = point(side * cheek[:, 0], cheek[:, 1] + 0.015 * smile, 0.04)
        radii = point(cheek[:, 2] * fluff, cheek[:, 3] * fluff, 0.25)
        bodies.append(Body(pose.ellipsoids(centre, radii), 0.10))
    muzzle, centre = creature.muzzle, creature.muzzle_centre
    bodies.append(Body(pose.ellipsoids(centre, muzzle), 0.07))
    chin = point(0.0, centre[:, 1] - 0.72 * muzzle[:, 1] - 0.075 * opened, centre[:, 2] - 0.05)
    bodies.append(Body(pose.ellipsoids(chin, point(0.66 * muzzle[:, 0], 0.085, 0.78 * muzzle[:, 2])), 0.06))
    return bodies


@dataclass(frozen=True)
class Coordinates:
    """Head coordinates of a surface, each [N, H, W]."""

    x: Array
    y: Array
    z: Array

    @classmethod
    def of(cls, creature: Creature, relief: Relief) -> "Coordinates":
        """Undoes the pose for every pixel of a surface."""
        grid_x, grid_y = relief.canvas.grid(relief.window)
        joints, turned = creature.pose.joints, creature.pose.rotations / SCALE
        x, y = grid_x - per_frame(joints[:, 0]), grid_y - per_frame(joints[:, 1])
        axes = []
        for axis, rest in enumerate(NECK_JOINT.tolist()):
            flat = per_frame(turned[:, 0, axis]) * x + (per_frame(turned[:, 1, axis]) * y + rest)
            axes.append(relief.height * per_frame(turned[:, 2, axis]) + flat)
        return cls(*axes)


def field(x: Array, y: Array, radius_x: Floats, radius_y: Floats) -> Array:
    """A furry disc of radii [N] around the origin, [N, H, W]; nothing where a radius is 0."""
    there = per_frame(radius_x > 0)
    x, y = x / per_frame(np.maximum(radius_x, 0.01)), y / per_frame(np.maximum(radius_y, 0.01))
    steep = per_frame(0.5 * np.minimum(radius_x, radius_y) / FUR_EDGE)
    return clip01((1.0 - (x * x + y * y)) * steep + 0.5) * there


def within(distance: Array, edge: Number = FUR_EDGE) -> Array:
    """How much fur lies on the negative side of a border, [N, H, W]."""
    return clip01(0.5 - distance / edge)


def paint_head(canvas: Canvas, creature: Creature, relief: Relief) -> None:
    """Paints the head without eyes, nose and mouth."""
    alpha = covered(relief.outline, canvas.pixel)
    place = Coordinates.of(creature, relief)
    shape = (3, *alpha.shape)
    coat = np.empty(shape, dtype=np.float32)
    coat[...] = per_frame(creature.base)
    _mark(coat, creature, place)
    furred(coat, relief)
    canvas.paint(relief.window, alpha, coat)
    canvas.occlude(relief.window, alpha, relief.height, relief.normal[2])


def furred(coat: Array, relief: Relief) -> None:
    """Lights the colours [3, N, H, W] of a surface, in place."""
    light = lit(relief, ambient=0.22, diffuse=0.84)
    for channel, left in zip(coat, SHADOW.tolist(), strict=True):
        channel *= light * (1.0 - left) + left


def lay(coat: Array, share: Array, colour: Floats) -> None:
    """Lays a share [N, H, W] of a colour [N, 3] over the colours of a surface, in place."""
    for channel, paint in zip(coat, per_frame(colour), strict=True):
        channel += (paint - channel) * share


def _mark(coat: Array, creature: Creature, place: Coordinates) -> None:
    x, y = place.x, place.y
    front = within(-place.z, 0.10)
    beside = np.abs(x)
    eye_u, eye_v = creature.eye_u, creature.eye_v
    dark = creature.dark

    stripes, points = creature.marked(4), creature.marked(5)
    if stripes.any():
        lay(coat, _stripes(beside, y) * per_frame(stripes) * front, dark)
    for side, level in ((-1.0, 2), (1.0, 3)):
        marked = creature.marked(level)
        if marked.any():
            patch = field(x - per_frame(side * (eye_u + 0.03)), y - per_frame(eye_v + 0.04), 0.24 * marked, 0.25 * marked)
            lay(coat, patch * front, dark)
    blaze = creature.marked(1)
    if blaze.any():
        band = within(beside - 0.05 - np.maximum(y, 0.0) * 0.22) * within(-0.10 - y, 0.10)
        lay(coat, band * front * per_frame(blaze), creature.second)
    height, half_width, half_height = creature.trait(lambda species: species.pale).T
    pale = field(x, y - per_frame(height), half_width, half_height) * front
    lay(coat, pale, creature.second)
    if points.any():
        middle, radii = creature.muzzle_centre, creature.muzzle * 1.2 * points[:, None]
        lay(
            coat,
            field(x, y - per_frame(middle[:, 1]), radii[:, 0], radii[:, 1]) * front,
            palettes.mix(dark, creature.base, 0.22),
        )
    ring = creature.trait(lambda species: species.ring)
    if ring.any():
        u, v = beside - per_frame(eye_u + 0.015), y - per_frame(eye_v - 0.03)
        lay(coat, field(u + v * 0.35, v, ring[:, 0], ring[:, 1]) * front, dark * 0.6)


def _stripes(beside: Array, y: Array) -> Array:
    """Tabby stripes: three on the forehead, two on each cheek."""
    rising = np.maximum(y - 0.14, 0.0) * 0.16
    fore = within(np.abs(beside - 0.15) - rising - 0.008) + within(beside - rising - 0.012)
    fore *= within(0.16 - y)
    out = np.maximum(beside - 0.27, 0.0) * 0.16
    cheek = within(np.abs(y + 0.02 + beside * 0.12) - out) + within(np.abs(y + 0.15 + beside * 0.12) - out)
    cheek *= within(0.29 - beside)
    return clip01(fore + cheek)
