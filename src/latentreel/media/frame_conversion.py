"""What a decoded frame looks like when it is shown: RGB of full range, on black, with square pixels, upright.

The colours follow ITU-R BT.601, BT.709 and BT.2020 (non-constant luminance); chroma is interpolated between its samples.
"""

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from PIL import Image

from latentreel.media.limits import DecodeLimits

Pixels = npt.NDArray[np.uint8]

MAX_ASPECT = 8
"""Pixels longer than this to either side are a damaged header."""

# ITU-T H.273, "matrix coefficients", as FFmpeg numbers them
_UNTAGGED = (2, 3)
_MATRICES = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}
_HIGH_DYNAMIC_RANGE = {16: "PQ", 18: "HLG"}  # ITU-T H.273, "transfer characteristics"

_EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
_ONE = 1 << 16  # the display matrix is in 16.16 fixed point


class FrameConverter:
    """Makes pixels of the frames of one stream, and notes what that took."""

    def __init__(self, path: Path, aspect: Fraction | None, limits: DecodeLimits, notes: list[str]) -> None:
        """Keeps what is the same for all frames.

        Args:
            path: Of the file; for messages.
            aspect: Width by height of a pixel.
            limits: What a frame may ask for; it may change its size midway.
            notes: Each kind of change is added once.
        """
        self._path, self._limits, self._notes = path, limits, notes
        self._aspect = believable(aspect)
        if aspect and not self._aspect:
            note(notes, f"pixels of {_ratio(aspect)} are not believed: left as stored")
        self._reformatter = VideoReformatter()

    def __call__(self, frame: av.VideoFrame) -> Pixels:
        """Converts a frame.

        Returns:
            RGB pixels, uint8 [H, W, 3].

        Raises:
            LimitError: It is larger than allowed.
        """
        width = square_width(frame.width, self._aspect)
        self._limits.require_frame(self._path, frame.height, max(width, frame.width))
        pixels = self._rgb(frame)
        if self._aspect and width != frame.width:
            note(self._notes, f"pixels of {_ratio(self._aspect)} made square")
            pixels = np.asarray(Image.fromarray(pixels).resize((width, frame.height), Image.Resampling.BICUBIC))
        if frame.interlaced_frame:
            note(self._notes, "interlaced: each frame weaves two moments")
        return self._upright(frame, pixels)

    def _rgb(self, frame: av.VideoFrame) -> Pixels:
        layout = frame.format
        has_alpha = layout.has_palette or any(component.is_alpha for component in layout.components)
        matrix = colour_range = None
        if not layout.is_rgb and not layout.has_palette:
            matrix, colour_range = self._matrix(frame), frame.color_range or _untagged_range(layout.name)
        if frame.color_trc in _HIGH_DYNAMIC_RANGE:
            note(
                self._notes, f"high dynamic range ({_HIGH_DYNAMIC_RANGE[frame.color_trc]}) as stored: not mapped to a screen's"
            )
        shown = self._reformatter.reformat(
            frame,
            format="rgba" if has_alpha else "rgb24",
            src_colorspace=matrix,
            src_color_range=colour_range,
            dst_color_range=ColorRange.JPEG,
            interpolation=_EXACT,
        )
        pixels = shown.to_ndarray().astype(np.uint8, copy=False)
        return onto_black(pixels, self._notes) if has_alpha else pixels

    def _matrix(self, frame: av.VideoFrame) -> Colorspace:
        tag = frame.colorspace
        if tag not in _MATRICES and tag not in _UNTAGGED:
            note(self._notes, f"colour matrix {tag} is not known here: read as if untagged")
        return _MATRICES.get(tag, Colorspace.ITU709 if frame.height >= 720 or frame.width > 1024 else Colorspace.ITU601)

    def _upright(self, frame: av.VideoFrame, pixels: Pixels) -> Pixels:
        side_data: Any = frame.side_data.get("DISPLAYMATRIX")
        if side_data is None:
            return pixels
        a, b, _, c, d = struct.unpack("=5i", bytes(side_data)[:20])  # x' = a x + c y; y' = b x + d y
        if not (a or b or c or d):
            return pixels
        across = {abs(a), abs(d)} == {0} and {abs(b), abs(c)} == {_ONE}
        if not across and not ({abs(b), abs(c)} == {0} and {abs(a), abs(d)} == {_ONE}):
            note(self._notes, f"to be shown turned clockwise by {-frame.rotation % 360} degrees: left as stored")
            return pixels
        along_x, along_y = (c, b) if across else (a, d)
        pixels = pixels.swapaxes(0, 1) if across else pixels
        pixels = pixels[:: -1 if along_y < 0 else 1, :: -1 if along_x < 0 else 1]
        if a * d - b * c < 0:
            note(self._notes, "mirrored")
        elif frame.rotation:
            note(self._notes, f"turned clockwise by {-frame.rotation % 360} degrees")
        return np.ascontiguousarray(pixels)


def onto_black(pixels: Pixels, notes: list[str]) -> Pixels:
    """Lets black shine through.

    Args:
        pixels: RGB and alpha, uint8 [H, W, 4].
        notes: Get a note if anything is transparent.

    Returns:
        RGB, uint8 [H, W, 3].
    """
    alpha = pixels[..., 3:]
    if alpha.min() == 255:
        return np.ascontiguousarray(pixels[..., :3])
    note(notes, "alpha dropped onto black")
    return ((pixels[..., :3].astype(np.uint16) * alpha + 127) // 255).astype(np.uint8)


def square_width(width: int, aspect: Fraction | None) -> int:
    """The columns of a frame when its pixels are made square; the rows stay as they are."""
    return max(1, round(width * aspect)) if aspect else width


def believable(aspect: Fraction | None) -> Fraction | None:
    """The aspect of a pixel, unless no camera has such pixels."""
    return aspect if aspect and 1 / MAX_ASPECT <= aspect <= MAX_ASPECT else None


def note(notes: list[str], text: str) -> None:
    """Adds a note, once."""
    if text not in notes:
        notes.append(text)


def _ratio(aspect: Fraction) -> str:
    return f"{aspect.numerator}:{aspect.denominator}"


def _untagged_range(layout: str) -> ColorRange:
    return ColorRange.JPEG if layout.startswith(("yuvj", "gray", "ya")) else ColorRange.MPEG
