"""A batch of pictures to paint on: antialiased edges by pixel coverage, colours laid over each other.

The picture spans [-1, 1] in both directions, x to the right and y up; geometry knows pixels only through `Canvas.pixel`.
Nothing but additions, multiplications, divisions, square roots and comparisons touches the pixels. Each is exact or correctly
rounded, so that a frame is the same to the bit whatever the batch it is drawn in.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating[Any]]
"""float32: per frame [N, 1, 1], per pixel [N, H, W], colours with a leading 3."""

Number = Array | float
"""A plain float mixes with float32 arrays without widening them; a numpy scalar of float64 would widen them."""


FAR = -9.0
"""A height behind everything."""


def per_frame(values: npt.ArrayLike) -> Array:
    """Numbers [N] as float32 [N, 1, 1], colours [N, 3] as [3, N, 1, 1]."""
    array = np.asarray(values, dtype=np.float32)
    return array.T[..., None, None]


def clip01(values: Array) -> Array:
    """Values limited to [0, 1], in place."""
    np.maximum(values, 0, out=values)
    return np.minimum(values, 1, out=values)


def covered(distance: Array, pixel: Number) -> Array:
    """How much of a pixel lies on the negative side of an edge.

    Args:
        distance: Signed distance of the pixel's centre from the edge.
        pixel: A pixel's width in the same unit.
    """
    return clip01(0.5 - distance / pixel)


def covered_band(distance: Array, half_width: Number, pixel: Number) -> Array:
    """How much of a pixel lies within `half_width` of a line; right also for lines thinner than a pixel."""
    scaled, reach = distance / pixel, half_width / pixel
    scaled += 0.5
    return clip01(scaled + reach) - clip01(scaled - reach)


def covered_between(value: Array, low: Number, high: Number, pixel: Number) -> Array:
    """How much of a pixel lies between two edges; nothing where they meet or cross."""
    return np.maximum(covered(value - high, pixel) - covered(value - low, pixel), 0.0)


@dataclass(frozen=True)
class Window:
    """A rectangle of pixels, the same for all frames of a batch."""

    rows: slice
    columns: slice

    @property
    def empty(self) -> bool:
        """Whether it holds no pixel."""
        return bool(self.rows.start >= self.rows.stop or self.columns.start >= self.columns.stop)

    def within(self, outer: "Window") -> "Window":
        """Its common part with another, in coordinates of that other."""
        return Window(_relative(self.rows, outer.rows), _relative(self.columns, outer.columns))

    def __and__(self, other: "Window") -> "Window":
        return Window(_common(self.rows, other.rows), _common(self.columns, other.columns))


class Canvas:
    """N square pictures and what has been painted on them so far."""

    def __init__(self, num_frames: int, resolution: int) -> None:
        """An all-black canvas of float32 [3, N, H, W]."""
        self.resolution = resolution
        self.pixel = 2.0 / resolution
        self.colours = np.zeros((3, num_frames, resolution, resolution), dtype=np.float32)
        self.height = np.full((num_frames, resolution, resolution), FAR, dtype=np.float32)
        self.cover = np.zeros_like(self.height)
        self.step = np.zeros_like(self.height)
        centres = ((np.arange(resolution) + 0.5) * (2.0 / resolution) - 1.0).astype(np.float32)
        self._x, self._y = centres[None, None, :], -centres[None, :, None]
        self.whole = Window(slice(0, resolution), slice(0, resolution))

    def window(self, centres: npt.NDArray[np.float64], reach: npt.NDArray[np.float64]) -> Window:
        """The pixels that boxes can touch.

        Args:
            centres: Midpoints of the boxes, [N, 2 or more].
            reach: Half width and half height of the boxes, [N, 2].
        """
        margin = 1.5 * self.pixel
        low = ((centres[:, :2] - reach).min(axis=0) - margin).tolist()
        high = ((centres[:, :2] + reach).max(axis=0) + margin).tolist()
        return Window(self._slice(-high[1], -low[1]), self._slice(low[0], high[0]))

    def grid(self, window: Window) -> tuple[Array, Array]:
        """Coordinates of the pixels' centres: x [1, 1, W] and y [1, H, 1]."""
        return self._x[:, :, window.columns], self._y[:, window.rows]

    def paint(self, window: Window, alpha: Array, colour: Array) -> None:
        """Lays a colour over the window.

        Args:
            window: Where.
            alpha: How much of each pixel it covers, [N, H, W].
            colour: In [0, 1], [3, N, 1, 1] or [3, N, H, W].
        """
        assert alpha.dtype == np.float32
        for channel, paint in zip(self.colours, colour, strict=True):
            below = channel[:, window.rows, window.columns]
            difference = paint - below
            difference *= alpha
            below += difference

    def occlude(self, window: Window, alpha: Array, height: Array, facing: Array) -> None:
        """Remembers a surface that may hide what comes later.

        Args:
            window: Where.
            alpha: How much of each pixel it covers, [N, H, W].
            height: Toward the viewer, [N, H, W].
            facing: The z of its unit normal, [N, H, W].
        """
        area = (slice(None), window.rows, window.columns)
        step = self.height_step(facing)
        higher = (alpha > 0) & (height > self.height[area])
        np.copyto(self.height[area], height, where=higher)
        np.copyto(self.step[area], step, where=higher)
        np.maximum(self.cover[area], alpha, out=self.cover[area])

    def height_step(self, facing: Array) -> Array:
        """How far a surface's height changes within a pixel, from the z of its unit normal."""
        return np.asarray(self.pixel / np.maximum(facing, 0.08))

    def visible(self, window: Window, height: Array, softness: Number) -> Array:
        """How much of something at a height [N, H, W] shows beside the surfaces remembered; they hide it within `softness`."""
        area = (slice(None), window.rows, window.columns)
        hidden = (self.height[area] - height) / (self.step[area] + softness)
        hidden += 0.5
        return 1.0 - clip01(hidden) * self.cover[area]

    def covered_part(self, window: Window) -> Array:
        """How much of each pixel the surfaces remembered cover, [N, H, W]."""
        return self.cover[:, window.rows, window.columns]

    def frames(self) -> npt.NDArray[np.uint8]:
        """The pictures as uint8 [N, H, W, 3]."""
        bytes_ = self.colours * 255.0
        bytes_ += 0.5
        np.clip(bytes_, 0.0, 255.0, out=bytes_)
        return np.ascontiguousarray(np.moveaxis(bytes_.astype(np.uint8), 0, -1))

    def _slice(self, low: float, high: float) -> slice:
        start, stop = math.floor((low + 1.0) / self.pixel), math.ceil((high + 1.0) / self.pixel)
        return slice(min(max(start, 0), self.resolution), min(max(stop, 0), self.resolution))


def _common(a: slice, b: slice) -> slice:
    return slice(max(a.start, b.start), min(a.stop, b.stop))


def _relative(inner: slice, outer: slice) -> slice:
    return slice(max(inner.start, outer.start) - outer.start, min(inner.stop, outer.stop) - outer.start)
