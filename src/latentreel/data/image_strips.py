"""Image strips: all frames of a clip side by side, or one below the other, in one picture.

The form in which MoCoGAN (Tulyakov et al. 2018) keeps its data. Frames are square, so a strip of T frames is exactly T times as
wide as high. That is how strips are told from photographs and frames, whatever their suffix says.
"""

import numpy as np
from PIL import Image

from latentreel.core.errors import InputError
from latentreel.data.source_files import SourceFile
from latentreel.media.decode import load_image
from latentreel.media.limits import DEFAULT_LIMITS, DecodeLimits
from latentreel.media.video_stream import UNKNOWN_FPS, VideoStream, evenly

FEWEST_FRAMES = 8
"""A picture of fewer is no strip: photographs and spectrograms four times as wide as high exist, such short clips do not."""

SAMPLED = 32
"""Pictures of a source, evenly spread, whose sizes decide what all of them are."""


def are_strips(pictures: list[SourceFile]) -> bool:
    """Whether most pictures of a source are strips; of many, some are looked at. No pixels are decoded."""
    sampled = pictures[:: max(1, len(pictures) // SAMPLED)]
    sizes = [size for picture in sampled if (size := declared_size(picture)) is not None]
    return 2 * sum(_num_frames(*size) >= FEWEST_FRAMES for size in sizes) > len(sizes)


def open_strip(file: SourceFile, *, limits: DecodeLimits = DEFAULT_LIMITS) -> VideoStream:
    """Opens a strip as a clip, on black where it is transparent.

    Args:
        file: The strip.
        limits: What the strip, as one frame, may ask for.

    Raises:
        InputError: It cannot be decoded, or is no whole number of squares.
    """
    with file.on_disk() as path:
        strip = load_image(path, limits=limits)
    height, width = strip.shape[:2]
    count = _num_frames(width, height)
    if not count:
        allowed = "a width that is a multiple of the height, or a height that is one of the width"
        raise InputError(f"{file.name} is no strip of square frames", given=f"{width}x{height}", allowed=allowed)
    return evenly(iter(np.split(strip, count, axis=1 if width > height else 0)), UNKNOWN_FPS, count)


def _num_frames(width: int, height: int) -> int:
    """How many squares a picture consists of; 0: of no whole number."""
    short, long = sorted((width, height))
    return 0 if long % short else long // short


def declared_size(file: SourceFile) -> tuple[int, int] | None:
    """Width and height as the picture declares them; None where it cannot be read."""
    try:
        with file.open() as stream, Image.open(stream) as image:
            width, height = image.size
    except Exception:  # the plugins of PIL raise nearly anything on damaged files
        return None
    return (width, height) if width and height else None
