"""Frames of any shape brought to the size that training takes: cropped, padded, or with their proportions kept."""

from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from latentreel.core.errors import InputError

Pixels = npt.NDArray[np.uint8]

Fit = Literal["crop", "pad", "keep"]
"""crop: the centre square. pad: the whole frame in a square, on black. keep: the whole frame; no square unless it is one."""


def framed(frame: Pixels, resolution: int, fit: Fit = "crop") -> Pixels:
    """A frame at the size of training, resized with antialiased Lanczos.

    Args:
        frame: uint8 [H, W, 3], of any size.
        resolution: Rows and columns of the result; for "keep" its shorter side.
        fit: What becomes of frames that are no squares.

    Returns:
        uint8 [resolution, resolution, 3]; for "keep" the longer side is longer, in proportion.

    Raises:
        InputError: The frame has another form.
    """
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[-1] != 3 or 0 in frame.shape:
        raise InputError("a frame has the wrong form", given=f"{frame.dtype} {list(frame.shape)}", allowed="uint8 [H, W, 3]")
    height, width = frame.shape[:2]
    if fit == "pad":
        return _on_black(_resized(frame, resolution / max(height, width)), resolution)
    if fit == "crop":
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        frame = frame[top : top + side, left : left + side]
    return _resized(frame, resolution / min(height, width))


def centre_square(frame: Pixels, resolution: int) -> Pixels:
    """The centre square of a frame, resized."""
    return framed(frame, resolution, "crop")


def framing_notes(frame: Pixels, resolution: int) -> list[str]:
    """What `centre_square` does to a frame that is not of its size already, in words."""
    height, width = frame.shape[:2]
    side, notes = min(height, width), []
    if height != width:
        notes.append(f"{width}x{height} is no square: the centre {side}x{side} is taken")
    if side != resolution:
        notes.append(f"{'enlarged' if side < resolution else 'shrunk'} from {side}x{side} to {resolution}x{resolution}")
    return notes


def is_enlarged(frame: Pixels, resolution: int, fit: Fit) -> bool:
    """Whether `framed` makes pixels that were not there."""
    height, width = frame.shape[:2]
    return bool((max(height, width) if fit == "pad" else min(height, width)) < resolution)


def _resized(frame: Pixels, scale: float) -> Pixels:
    height, width = (max(1, round(side * scale)) for side in frame.shape[:2])
    if (height, width) == frame.shape[:2]:
        return frame
    # `reducing_gap` box-filters very large frames first.
    return np.asarray(Image.fromarray(frame).resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0))


def _on_black(frame: Pixels, resolution: int) -> Pixels:
    height, width = frame.shape[:2]
    top, left = (resolution - height) // 2, (resolution - width) // 2
    square = np.zeros((resolution, resolution, 3), np.uint8)
    square[top : top + height, left : left + width] = frame
    return square
