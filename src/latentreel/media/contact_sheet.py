"""Many pictures in one: contact sheets of clips, grids of videos, and stills out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from latentreel.core.errors import InputError
from latentreel.core.files import atomic_path

Pixels = npt.NDArray[np.uint8]

GAP_PIXELS = 2
GAP_GREY = 255
NAME_PIXELS = 12


def contact_sheet(rows: Sequence[Pixels], *, columns: int = 8, scale: float = 1.0, names: Sequence[str] = ()) -> Pixels:
    """Clips as rows of evenly spaced frames, the first and the last among them.

    Args:
        rows: Clips, uint8 [T, H, W, 3] each; T may differ, H and W may not.
        columns: Frames shown per clip; a shorter clip shows all it has.
        scale: Size of a frame on the sheet relative to its own.
        names: Written at the left of the rows, one for each; none for no margin.

    Returns:
        uint8 [H', W', 3].

    Raises:
        InputError: There is no clip, or their sizes differ.
    """
    _require_tileable(rows, columns)
    picked = [clip[np.linspace(0, len(clip) - 1, min(columns, len(clip))).round().astype(int)] for clip in rows]
    tiles = [[_resized(frame, scale) for frame in clip] for clip in picked]
    sheet = _tiled(tiles)
    return np.concatenate([_margin(names, len(sheet)), sheet], axis=1) if names else sheet


def video_grid(videos: Sequence[Pixels], *, columns: int) -> Pixels:
    """Several clips side by side as one; a shorter clip holds its last frame.

    Args:
        videos: Clips, uint8 [T, H, W, 3] each; T may differ, H and W may not.
        columns: Clips per row of the grid.

    Returns:
        uint8 [T, H', W', 3], T of the longest.

    Raises:
        InputError: There is no clip, or their sizes differ.
    """
    _require_tileable(videos, columns)
    rows = [videos[i : i + columns] for i in range(0, len(videos), columns)]
    moments = range(max(map(len, videos)))
    return np.stack([_tiled([[clip[min(t, len(clip) - 1)] for clip in row] for row in rows]) for t in moments])


def save_image(path: Path | str, pixels: Pixels) -> Path:
    """Writes a PNG, whole or not at all.

    Args:
        path: Where to; the suffix is `.png`.
        pixels: RGB, uint8 [H, W, 3].

    Returns:
        The path written to.

    Raises:
        InputError: The suffix or the pixels are another, or the path cannot be written to.
    """
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise InputError("images are written as PNG", given=path, allowed="a path that ends in .png")
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[-1] != 3 or 0 in pixels.shape:
        raise InputError("pixels have the wrong form", given=f"{pixels.dtype} {list(pixels.shape)}", allowed="uint8 [H, W, 3]")
    with atomic_path(path) as temporary:
        Image.fromarray(pixels).save(temporary)
    return path


def _tiled(rows: Sequence[Sequence[Pixels]]) -> Pixels:
    """Tiles of one size, [H, W, 3] each, laid out in rows with thin gaps between; missing tiles are left blank."""
    height, width, channels = rows[0][0].shape
    down, right = height + GAP_PIXELS, width + GAP_PIXELS
    sheet = np.full((len(rows) * down, max(map(len, rows)) * right, channels), GAP_GREY, np.uint8)
    for i, row in enumerate(rows):
        for j, tile in enumerate(row):
            sheet[i * down : i * down + height, j * right : j * right + width] = tile
    return sheet[:-GAP_PIXELS, :-GAP_PIXELS]


def _margin(names: Sequence[str], height: int) -> Pixels:
    """Names in black on white, one above the other at equal distances, [height, W, 3]."""
    font = ImageFont.load_default(NAME_PIXELS)
    margin = Image.new("RGB", (round(max(map(font.getlength, names))) + NAME_PIXELS, height), "white")
    draw = ImageDraw.Draw(margin)
    for row, name in enumerate(names):
        middle = (margin.width / 2, (row + 0.5) * (height + GAP_PIXELS) / len(names) - GAP_PIXELS / 2)
        draw.text(middle, name, fill="black", font=font, anchor="mm")
    return np.asarray(margin)


def _resized(frame: Pixels, scale: float) -> Pixels:
    """Whole factors repeat pixels, so that small frames stay crisp; others are antialiased."""
    if scale >= 1 and scale == int(scale):
        return frame.repeat(int(scale), axis=0).repeat(int(scale), axis=1)
    size = max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale))
    return np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.LANCZOS))


def _require_tileable(clips: Sequence[Pixels], columns: int) -> None:
    if not len(clips) or columns < 1:
        raise InputError("nothing to show", given=f"{len(clips)} clips in {columns} columns", allowed="1 or more of each")
    forms = sorted({f"{clip.dtype} {list(clip.shape[1:])}" for clip in clips})
    if len(forms) > 1 or any(clip.dtype != np.uint8 or clip.ndim != 4 or 0 in clip.shape for clip in clips):
        raise InputError("clips cannot be shown together", given=", ".join(forms), allowed="uint8 [T, H, W, 3] of one size")
