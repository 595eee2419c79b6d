"""Rounded bodies seen from the front: ellipsoids melted into one surface, with height, normal and outline per pixel.

An ellipsoid {p : (p - c)^T C^-1 (p - c) = 1} in orthographic view is an ellipse with matrix A = (C_xy)^-1. Its visible height
is z = c_z + b.p + sqrt(s (1 - p^T A p)) with b = A C_xyz and s the Schur complement of C_xy. Unions are polynomial
smooth minima (Quilez, 2013).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latentreel.worlds.canvas import Array, Canvas, Window, clip01, per_frame

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Ellipsoids:
    """One ellipsoid per frame."""

    centres: Floats
    """[N, 3]; x right, y up, z toward the viewer."""

    shapes: Floats
    """Symmetric matrices C = R diag(radii^2) R^T, [N, 3, 3]."""

    @classmethod
    def turned(cls, centres: Floats, radii: Floats, rotations: Floats) -> "Ellipsoids":
        """Ellipsoids of radii [N, 3] along the columns of rotations [N, 3, 3]."""
        axes = rotations * radii[:, None, :]
        return cls(centres, axes @ axes.transpose(0, 2, 1))

    def window(self, canvas: Canvas, margin: float = 0.0) -> Window:
        """The pixels that they can touch."""
        reach = np.sqrt(np.stack([self.shapes[:, 0, 0], self.shapes[:, 1, 1]], axis=1))
        return canvas.window(self.centres, reach + margin)


@dataclass(frozen=True)
class Body:
    """One of the bodies that melt into a surface."""

    shape: Ellipsoids
    seam: Floats | float
    """Width of the zone in which it joins those before it, in picture units, [N] or one for all frames."""

    bump: bool = False
    """Only swells the surface: it fades toward its own outline, which therefore never shows inside another's."""


@dataclass
class Relief:
    """A surface over a window: heights, unit normals, and the signed distance from its outline, all [N, H, W]."""

    canvas: Canvas
    window: Window
    height: Array
    normal: tuple[Array, Array, Array]
    outline: Array

    @classmethod
    def of(cls, canvas: Canvas, bodies: list[Body]) -> "Relief":
        """Melts ellipsoids together in the order given.

        Args:
            canvas: What they shall be painted on.
            bodies: At least one; the first alone has no seam.
        """
        window = _hull([body.shape.window(canvas, margin=1.5 * float(np.max(body.seam))) for body in bodies])
        first, rest = bodies[0], bodies[1:]
        height, normal, outline, _ = _surface(canvas, window, first.shape)
        relief = cls(canvas, window, height, normal, outline)
        for body in rest:
            relief._melt(body)
        return relief

    def _melt(self, body: Body) -> None:
        window = body.shape.window(self.canvas, margin=1.5 * float(np.max(body.seam))) & self.window
        if window.empty:
            return
        height, normal, outline, inside = _surface(self.canvas, window, body.shape)
        inner = window.within(self.window)
        area = (slice(None), inner.rows, inner.columns)
        share, swell = _melting(height - self.height[area], body.seam)
        near = clip01(4.0 - outline * (5.0 / per_frame(np.atleast_1d(body.seam))))  # ends before the window does
        fade = clip01(inside) if body.bump else near
        share *= fade
        swell *= fade
        for old, new in zip((self.height, *self.normal), (height, *normal), strict=True):
            old[area] += share * (new - old[area])
        self.height[area] += swell
        share, swell = _melting(self.outline[area] - outline, body.seam)
        share *= near
        swell *= near
        self.outline[area] += share * (outline - self.outline[area]) - swell


def outline_distance(canvas: Canvas, window: Window, body: Ellipsoids) -> Array:
    """Signed distance from an ellipsoid's outline, negative inside, [N, H, W]."""
    return _surface(canvas, window, body)[2]


def _melting(lead: Array, seam: Floats | float) -> tuple[Array, Array]:
    """The share in a smooth maximum of the surface that leads by `lead`, and how far the melt swells beyond both."""
    width = per_frame(np.atleast_1d(seam))
    share = lead * (0.5 / width)
    share += 0.5
    clip01(share)
    return share, share * (1.0 - share) * width


def _surface(canvas: Canvas, window: Window, body: Ellipsoids) -> tuple[Array, tuple[Array, Array, Array], Array, Array]:
    """Height, unit normal, outline distance and 1 - p^T A p of an ellipsoid, continued smoothly behind its outline."""
    c = body.shapes
    determinant = c[:, 0, 0] * c[:, 1, 1] - c[:, 0, 1] ** 2
    axx, axy, ayy = c[:, 1, 1] / determinant, -c[:, 0, 1] / determinant, c[:, 0, 0] / determinant
    bx, by = axx * c[:, 0, 2] + axy * c[:, 1, 2], axy * c[:, 0, 2] + ayy * c[:, 1, 2]
    s = c[:, 2, 2] - bx * c[:, 0, 2] - by * c[:, 1, 2]
    grid_x, grid_y = canvas.grid(window)
    x, y = grid_x - per_frame(body.centres[:, 0]), grid_y - per_frame(body.centres[:, 1])
    gx = per_frame(axx) * x + per_frame(axy) * y  # half the gradient of p^T A p
    gy = per_frame(axy) * x + per_frame(ayy) * y
    inside = 1.0 - (gx * x + gy * y)
    outline = inside / (-2.0 * np.sqrt(gx * gx + gy * gy) - 1e-6)
    rise = np.sqrt(np.maximum(inside, 0.0)) * per_frame(np.sqrt(s))
    height = per_frame(bx) * x + per_frame(by) * y + rise + per_frame(body.centres[:, 2])
    height += np.minimum(inside, 0.0)
    nx, ny = per_frame(s) * gx - per_frame(bx) * rise, per_frame(s) * gy - per_frame(by) * rise
    length = np.sqrt(nx * nx + ny * ny + rise * rise)
    length += 1e-6
    return height, (nx / length, ny / length, rise / length), outline, inside


def _hull(windows: list[Window]) -> Window:
    windows = [window for window in windows if not window.empty] or windows[:1]
    rows, columns = [window.rows for window in windows], [window.columns for window in windows]
    return Window(
        slice(min(r.start for r in rows), max(r.stop for r in rows)),
        slice(min(c.start for c in columns), max(c.stop for c in columns)),
    )
