"""Where the head is: the rigid motion from head coordinates to the picture, and flat patches tangent to the head.

Head coordinates: origin between the ears, x to the right of the image, y up, z out of the face. A head is about 0.9 wide and
1.1 high.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latentreel.worlds.canvas import Array, Canvas, Number, Window, covered, per_frame
from latentreel.worlds.relief import Ellipsoids, Floats

SCALE = 1.22
"""Picture units per head unit."""

NECK_JOINT = np.array([0.0, -0.36, -0.12])
"""The point about which the head turns, in head coordinates."""

NECK_JOINT_HEIGHT = -0.44
"""Where the neck joint rests in the picture."""


def turn(yaw: npt.ArrayLike, pitch: npt.ArrayLike, roll: npt.ArrayLike) -> Floats:
    """Rotations [N, 3, 3]: yaw about the head's own vertical, then pitch, then roll in the image plane; all in degrees [N]."""
    cy, cp, cr = (np.cos(np.radians(angle)) for angle in (yaw, pitch, roll))
    sy, sp, sr = (np.sin(np.radians(angle)) for angle in (yaw, pitch, roll))
    zero, one = np.zeros_like(cy), np.ones_like(cy)
    about_y = np.array([[cy, zero, sy], [zero, one, zero], [-sy, zero, cy]])
    about_x = np.array([[one, zero, zero], [zero, cp, sp], [zero, -sp, cp]])
    about_z = np.array([[cr, sr, zero], [-sr, cr, zero], [zero, zero, one]])
    matrices = [np.moveaxis(matrix, -1, 0) for matrix in (about_z, about_x, about_y)]
    return np.asarray(matrices[0] @ matrices[1] @ matrices[2])


@dataclass(frozen=True)
class HeadPose:
    """A rigid motion per frame."""

    rotations: Floats
    """[N, 3, 3]."""

    joints: Floats
    """Where the neck joint is in the picture, [N, 3]."""

    @classmethod
    def of(cls, yaw: Floats, pitch: Floats, roll: Floats, shift_x: Floats, shift_y: Floats) -> "HeadPose":
        """The pose of motion factors [N]: angles in degrees, shifts in image sizes."""
        joints = np.stack([2 * shift_x, 2 * shift_y + NECK_JOINT_HEIGHT, np.zeros_like(shift_x)], axis=1)
        return cls(turn(yaw, pitch, roll), joints)

    def place(self, points: Floats) -> Floats:
        """Head coordinates [N, 3] in the picture, [N, 3]."""
        offsets: Floats = (self.rotations * (points - NECK_JOINT)[:, None, :]).sum(axis=2)
        return self.joints + SCALE * offsets

    def ellipsoids(self, centres: Floats, radii: Floats, tilts: Floats | None = None) -> Ellipsoids:
        """Ellipsoids given in head coordinates, [N, 3] each, with rotations [N, 3, 3] of their own."""
        rotations = self.rotations if tilts is None else self.rotations @ tilts
        return Ellipsoids.turned(self.place(centres), SCALE * radii, rotations)


@dataclass(frozen=True)
class Patch:
    """A flat piece of the head, seen under the head's pose: local coordinates for the pixels that it can touch."""

    canvas: Canvas
    window: Window

    u: Array
    """To the right of the image when seen from the front, in head units, [N, H, W]."""

    v: Array
    """Up, [N, H, W]."""

    pixel_u: Array
    """How far u moves from a pixel to the next, [N, 1, 1]."""

    pixel_v: Array
    """How far v moves from a pixel to the next, [N, 1, 1]."""

    height: Array
    """Toward the viewer, in picture units, [N, H, W]."""

    facing: Array
    """1 where it is turned to the viewer, falling to 0 as it turns its edge, [N, 1, 1]."""

    @classmethod
    def at(cls, canvas: Canvas, pose: HeadPose, anchor: Floats, tilt: Floats | None, reach: Floats) -> "Patch":
        """The patch around a point.

        Args:
            canvas: What it shall be painted on.
            pose: The head's.
            anchor: Where u = v = 0, in head coordinates, [N, 3].
            tilt: Rotations of the patch against the head's front, [N, 3, 3].
            reach: Largest |u| and |v| of interest, [N, 2].
        """
        axes = SCALE * (pose.rotations if tilt is None else pose.rotations @ tilt)
        centre, u_axis, v_axis = pose.place(anchor), axes[:, :, 0], axes[:, :, 1]
        determinant = u_axis[:, 0] * v_axis[:, 1] - u_axis[:, 1] * v_axis[:, 0]
        safe = np.maximum(determinant, 0.05)
        ux, uy, vx, vy = v_axis[:, 1] / safe, -v_axis[:, 0] / safe, -u_axis[:, 1] / safe, u_axis[:, 0] / safe
        window = canvas.window(centre, np.abs(u_axis[:, :2]) * reach[:, :1] + np.abs(v_axis[:, :2]) * reach[:, 1:])
        grid_x, grid_y = canvas.grid(window)
        x, y = grid_x - per_frame(centre[:, 0]), grid_y - per_frame(centre[:, 1])
        u, v = per_frame(ux) * x + per_frame(uy) * y, per_frame(vx) * x + per_frame(vy) * y
        return cls(
            canvas,
            window,
            u,
            v,
            per_frame(np.hypot(ux, uy)) * canvas.pixel,
            per_frame(np.hypot(vx, vy)) * canvas.pixel,
            per_frame(u_axis[:, 2]) * u + per_frame(v_axis[:, 2]) * v + per_frame(centre[:, 2]),
            per_frame(np.clip(determinant / 0.25 - 0.3, 0.0, 1.0)),
        )

    def visible(self, margin: float) -> Array:
        """How much of it shows when the surface beneath may rise by `margin` above it, [N, H, W]."""
        return self.canvas.visible(self.window, self.height + margin, 0.04) * self.facing

    def on_skin(self, margin: float) -> Array:
        """The same for what is drawn on the surface and ends at its outline."""
        return self.visible(margin) * self.canvas.covered_part(self.window)

    def disc(self, u: Number, v: Number, radius_u: Number, radius_v: Number) -> Array:
        """Coverage of an ellipse around (u, v) by each pixel, [N, H, W]."""
        x, y = (self.u - u) / radius_u, (self.v - v) / radius_v
        px, py = self.pixel_u / radius_u, self.pixel_v / radius_v
        square = x * x + y * y
        x *= px
        y *= py
        footprint = np.sqrt(x * x + y * y) + 1e-6
        return covered(square - 1.0, footprint + footprint)

    def glow(self, radius_u: Number, radius_v: Number) -> Array:
        """A soft spot that fades to nothing at its radii, [N, H, W]."""
        x, y = self.u / radius_u, self.v / radius_v
        spot = np.maximum(1.0 - (x * x + y * y), 0.0)
        return np.asarray(spot * spot)
