"""Files of every kind, written small."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

WriteClip = Callable[..., Path]


def moving_square(num_frames: int = 6, height: int = 32, width: int = 32) -> np.ndarray:
    """A square that goes right: no two frames are alike."""
    frames = np.full((num_frames, height, width, 3), 40, np.uint8)
    for t in range(num_frames):
        left = (2 * t) % max(1, width - 8)
        frames[t, 8:16, left : left + 8] = (220, 120 - t, 60)
    return frames


@pytest.fixture(scope="session")
def write_clip() -> WriteClip:
    """Writes frames [T, H, W, 3 or 4] with any codec into any container, with any times."""

    def write(
        path: Path,
        frames: np.ndarray,
        *,
        codec: str = "libx264",
        container: str | None = None,
        pix_fmt: str = "yuv420p",
        stamps: Sequence[int] | None = None,
        unit: Fraction = Fraction(1, 25),
        matrix: int = 1,
        full_range: bool = False,
        aspect: Fraction | None = None,
        turn: tuple[int, bool] | None = None,
        options: dict[str, str] | None = None,
    ) -> Path:
        with av.open(str(path), "w", format=container) as out:
            stream = out.add_stream(codec, rate=25, options=options or {})
            stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], pix_fmt
            context = stream.codec_context
            context.colorspace, context.color_range = matrix, 2 if full_range else 1
            if stamps is not None:
                context.time_base = stream.time_base = unit
            if aspect is not None:
                context.sample_aspect_ratio = aspect
            if turn is not None:
                stream.set_display_rotation(turn[0], hflip=turn[1])
            for index, frame in enumerate(frames):
                picture = av.VideoFrame.from_ndarray(frame, format="rgba" if frame.shape[-1] == 4 else "rgb24")
                picture = picture.reformat(format=pix_fmt, dst_colorspace=matrix, dst_color_range=2 if full_range else 1)
                picture.pts, picture.time_base = index if stamps is None else stamps[index], unit
                out.mux(stream.encode(picture))
            out.mux(stream.encode(None))
        return path

    return write
