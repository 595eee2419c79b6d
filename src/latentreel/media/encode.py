"""Video files out: MP4 (H.264), GIF, and folders of PNG frames, whole or as a stream in constant memory.

A file appears under its final name when it is complete, or not at all.
"""

import contextlib
import itertools
import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import av
import numpy as np
import numpy.typing as npt
from PIL import Image

from latentreel.core.errors import InputError
from latentreel.core.files import atomic_path
from latentreel.core.video import Video

Pixels = npt.NDArray[np.uint8]
VideoFormat = Literal["mp4", "gif", "frames"]

MP4_ENCODERS = {
    "libx264": {"crf": "16", "preset": "medium"},  # a constant rate factor of 18 is commonly held to be visually lossless
    "mpeg4": {"flags": "+qscale", "global_quality": "236"},  # quantiser 2 of 31, in FFmpeg's 118 steps each
}
"""The encoders of MP4 with their options, best first; the second is in every FFmpeg, but browsers do not play it."""

MAX_GIF_FPS = 50
"""The shortest delay that browsers honour is two hundredths of a second."""

_BT709 = 1
_LIMITED_RANGE = 1

_log = logging.getLogger(__name__)


def save_video(video: Video, path: Path | str, *, format: VideoFormat | None = None) -> Path:
    """Writes a clip.

    Args:
        video: The clip.
        path: Where to: `.mp4`, `.gif`, or a folder for PNG frames (no suffix, or a final "/").
        format: Overrides what the path says.

    Returns:
        The path written to.

    Raises:
        InputError: The path has an unknown suffix, cannot be written to, or holds something else.
    """
    with VideoWriter(path, fps=video.fps, format=format) as writer:
        writer.write(video.frames)
    return writer.path


class VideoWriter:
    """Writes a video chunk by chunk in constant memory; a context manager.

    The video appears when the block ends, and does not if the block raises.

    * mp4: H.264, 4:2:0, BT.709, its index in front so that browsers play it at once. 4:2:0 needs even sizes: an odd one is
      padded by repeating the last column or row.
    * gif: a palette of its own for every frame, error diffusion, endless; delays are multiples of 1/100 s, right on average.
    * frames: `000000.png`, `000001.png`, ... in a folder, lossless; the frame rate is not kept.
    """

    def __init__(self, path: Path | str, *, fps: float, format: VideoFormat | None = None) -> None:
        """Checks all that can be checked before the first frame is made.

        Args:
            path: As for `save_video`.
            fps: Frames per second, may be fractional.
            format: Overrides what the path says.

        Raises:
            InputError: The format or the rate is not possible, or something else stands under that name.
        """
        self.path = Path(path)
        self.format = format or _format_of(path)
        if self.format not in _SINKS:
            raise InputError("unknown video format", given=self.format, allowed=", ".join(_SINKS))
        highest = MAX_GIF_FPS if self.format == "gif" else 999
        if not 0.01 <= fps <= highest:
            raise InputError(
                f"{self.format} cannot have this frame rate", given=fps, allowed=f"0.01 to {highest} frames per second"
            )
        _require_free(self.path, self.format)
        self._rate = Fraction(fps).limit_denominator(10_000)
        self._stack = contextlib.ExitStack()
        self._temporary: Path | None = None
        self._add: Callable[[Pixels], None] | None = None
        self._shape: tuple[int, ...] = ()

    def __enter__(self) -> Self:
        self._temporary = self._stack.enter_context(atomic_path(self.path))
        return self

    def write(self, frames: Pixels) -> None:
        """Appends frames.

        Args:
            frames: RGB, uint8 [T, H, W, 3], all of one size.

        Raises:
            InputError: The frames have another form or size than the first, or cannot be encoded or stored.
        """
        assert self._temporary is not None, "write inside `with VideoWriter(...) as writer:`"
        shape = self._shape or frames.shape[1:]
        if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[1:] != shape or shape[-1] != 3 or 0 in shape:
            expected = ", ".join(map(str, self._shape)) or "H, W, 3"
            raise InputError(
                "frames have the wrong form", given=f"{frames.dtype} {list(frames.shape)}", allowed=f"uint8 [T, {expected}]"
            )
        with _storage_errors(self.path):
            for frame in frames:
                if self._add is None:
                    self._shape = shape
                    self._add = self._stack.enter_context(_SINKS[self.format](self._temporary, self._rate, *shape[:2]))
                self._add(frame)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        nothing = InputError(f"{self.path} is not written: it has no frames") if error is None and self._add is None else None
        if nothing is not None:
            self._stack.__exit__(type(nothing), nothing, None)
            raise nothing
        with _storage_errors(self.path):
            self._stack.__exit__(kind, error, trace)


@contextlib.contextmanager
def _mp4(path: Path, rate: Fraction, height: int, width: int) -> Iterator[Callable[[Pixels], None]]:
    encoder = next((name for name in MP4_ENCODERS if name in av.codecs_available), None)
    if encoder is None:
        raise InputError(
            "this FFmpeg has no encoder for mp4", allowed=", ".join(MP4_ENCODERS), fix="pip install av, or write a gif"
        )
    if encoder != "libx264":
        _log.warning(
            "this FFmpeg lacks libx264; %s is encoded with %s, which browsers do not play; pip install av", path.name, encoder
        )
    padding = ((0, height % 2), (0, width % 2), (0, 0))
    with av.open(str(path.absolute()), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream(encoder, rate=rate, options=MP4_ENCODERS[encoder])
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width, stream.pix_fmt = height + height % 2, width + width % 2, "yuv420p"
        context = stream.codec_context
        context.color_range, context.colorspace = _LIMITED_RANGE, _BT709
        context.color_primaries, context.color_trc = _BT709, _BT709

        def add(frame: Pixels) -> None:
            picture = av.VideoFrame.from_ndarray(np.pad(frame, padding, mode="edge"), format="rgb24")
            picture = picture.reformat(format="yuv420p", dst_colorspace="ITU709")
            picture.pts, picture.time_base = next(clock), 1 / rate
            container.mux(stream.encode(picture))

        clock = itertools.count()
        yield add
        container.mux(stream.encode(None))


@contextlib.contextmanager
def _gif(path: Path, rate: Fraction, height: int, width: int) -> Iterator[Callable[[Pixels], None]]:
    graph = av.filter.Graph()
    source = graph.add_buffer(width=width, height=height, format=av.VideoFormat("rgb24"), time_base=1 / rate)
    split, sink = graph.add("split"), graph.add("buffersink")
    palette = graph.add("palettegen", "stats_mode=single:reserve_transparent=0")
    dither = graph.add("paletteuse", "new=1:dither=sierra2_4a")
    source.link_to(split)
    split.link_to(palette, 0, 0)
    split.link_to(dither, 1, 0)
    palette.link_to(dither, 0, 1)
    dither.link_to(sink)
    graph.configure()
    with av.open(str(path.absolute()), "w", format="gif") as container:
        stream = container.add_stream("gif", rate=rate)
        stream.height, stream.width, stream.pix_fmt = height, width, "pal8"

        def add(frame: Pixels | None) -> None:
            picture = None if frame is None else av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
            if picture is not None:
                picture.pts, picture.time_base = next(clock), 1 / rate
            graph.push(picture)
            with contextlib.suppress(av.BlockingIOError, av.EOFError):  # the graph wants more, or has given all
                while True:
                    container.mux(stream.encode(graph.vpull()))

        clock = itertools.count()
        yield add
        add(None)
        container.mux(stream.encode(None))


@contextlib.contextmanager
def _frames(path: Path, *_: object) -> Iterator[Callable[[Pixels], None]]:
    path.mkdir()
    numbers = itertools.count()
    yield lambda frame: Image.fromarray(frame).save(path / f"{next(numbers):06d}.png")


_SINKS: dict[VideoFormat, Callable[[Path, Fraction, int, int], AbstractContextManager[Callable[[Pixels], None]]]] = {
    "mp4": _mp4,
    "gif": _gif,
    "frames": _frames,
}


def _format_of(path: Path | str) -> VideoFormat:
    suffix = Path(path).suffix.lower()
    if str(path).endswith(("/", os.sep)) or not suffix:
        return "frames"
    formats: dict[str, VideoFormat] = {".mp4": "mp4", ".gif": "gif"}
    if suffix not in formats:
        raise InputError(
            "unknown kind of video file", given=path, allowed=".mp4, .gif, or a folder for PNG frames (no suffix, or a final /)"
        )
    return formats[suffix]


def _require_free(path: Path, format: VideoFormat) -> None:
    """Refuses to replace what is not a video: a folder stands where a file shall be, or the folder holds more than frames."""
    if not path.name or path.name == "..":
        raise InputError("this path names no file", given=path)
    if format != "frames" and path.is_dir():
        raise InputError(f"cannot write {path}: a folder has that name")
    if format == "frames" and path.exists():
        others = [path] if path.is_file() else [f for f in path.iterdir() if not re.fullmatch(r"\d{6,}\.png", f.name)]
        if others:
            raise InputError(
                f"{path} is not replaced by frames: it holds something else", given=others[0].name, fix="name a new folder"
            )


@contextlib.contextmanager
def _storage_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (av.FFmpegError, OSError) as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
