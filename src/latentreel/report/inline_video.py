"""Clips as the bytes of a video that a page carries."""

import math
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from latentreel.core.video import Video
from latentreel.media.encode import save_video

Pixels = npt.NDArray[np.uint8]

ENCODED_PIXELS = 128
"""Least width of a clip inside its file: below, halving the resolution of colour for the encoder would show."""


MOST_ENLARGED_PIXELS = 1024
"""Height to which a clip is enlarged at most: a narrow one would else grow without end."""


def enlarged(clip: Pixels, *, least: int = ENCODED_PIXELS) -> Pixels:
    """A clip [T, H, W, 3] with frames at least so wide, by a whole factor, or as wide as their height allows."""
    height, width = clip.shape[1:3]
    factor = min(math.ceil(least / width), max(1, MOST_ENLARGED_PIXELS // height))
    if factor == 1:
        return clip
    size = width * factor, height * factor
    return np.stack([np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.BICUBIC)) for frame in clip])


def mp4_bytes(frames: Pixels, fps: float) -> bytes:
    """The whole file."""
    with tempfile.TemporaryDirectory(prefix="latentreel-") as folder:
        return save_video(Video(frames, fps), Path(folder) / "clip.mp4").read_bytes()
