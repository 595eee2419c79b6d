"""Video files in: any container FFmpeg knows, folders of frames, and stills, as RGB uint8 frames in the order they are shown.

What cannot be read is an `InputError` that names the file and the reason;
a file that breaks off midway gives what came before, with a warning.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from latentreel.core.errors import InputError
from latentreel.core.video import Video

Pixels = npt.NDArray[np.uint8]

VIDEO_SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif", ".mpg", ".mpeg", ".ts", ".wmv", ".flv"})
IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".ppm"})

MAX_FRAME_PIXELS = 8192 * 8192
"""The largest frame that is decoded; a file may declare any size in a few bytes, so this is asked before memory is taken."""

MAX_CLIP_BYTES = 8 * 2**30
"""The largest clip that `load_video` takes whole: 46 s of 30 fps 1080p; longer ones are read through `open_video`."""

UNKNOWN_FPS = 25.0
"""The rate of what has none of its own: a folder of frames, a still, a container that declares nothing usable."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class VideoStream:
    """A video that is decoded as it is read; the counterpart of `Video` in constant memory."""

    frames: Iterator[Pixels]
    """RGB frames, uint8 [H, W, 3]; once through. The file is closed at the end."""

    fps: float
    """Frames per second, on average."""

    num_frames: int | None
    """How many frames the container declares; None where it does not (mkv, webm)."""


def load_video(path: Path | str) -> Video:
    """Reads a whole clip.

    Args:
        path: A video file, a GIF, a folder of frames, or a still image (a clip of one frame).

    Returns:
        The clip, upright.

    Raises:
        InputError: It is missing, cannot be decoded, changes its frame size, or is larger than `MAX_CLIP_BYTES`.
    """
    stream = open_video(path)
    frames: list[Pixels] = []
    for frame in stream.frames:
        if frames and frame.shape != frames[0].shape:
            raise InputError(f"{path}: frame {len(frames)} has another size", given=_size(frame), allowed=_size(frames[0]))
        frames.append(frame)
        if max(len(frames), stream.num_frames or 0) * frame.nbytes > MAX_CLIP_BYTES:
            raise InputError(
                f"{path} is too large to be loaded whole",
                given=f"{max(len(frames), stream.num_frames or 0)} or more frames of {_size(frame)}",
                allowed=f"{MAX_CLIP_BYTES // frame.nbytes} such frames",
                fix="cut it into shorter clips or scale it down",
            )
    clip = np.empty((len(frames), *frames[0].shape), np.uint8)
    for t in range(len(clip)):  # a frame goes as its copy comes, so that memory holds the clip once
        clip[t], frames[t] = frames[t], clip[:0]
    return Video(clip, stream.fps)


def open_video(path: Path | str) -> VideoStream:
    """Opens a clip to be decoded frame by frame.

    Args:
        path: A video file, a GIF, a folder of frames, or a still image.

    Returns:
        The stream; the first frame is decoded already, so whatever is wholly unusable fails here.

    Raises:
        InputError: It is missing, empty, not a video, or none of its frames can be decoded.
    """
    path = Path(path)
    _require_content(path)
    if path.is_dir():
        images = list_frames(path)
        if not images:
            raise InputError(f"the folder {path} holds no frames", allowed=", ".join(sorted(IMAGE_SUFFIXES)))
        return VideoStream(_decode_ahead(path, map(load_image, images), len(images)), UNKNOWN_FPS, len(images))
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return VideoStream(iter([load_image(path)]), UNKNOWN_FPS, 1)
    return _open_container(path)


def load_image(path: Path | str) -> Pixels:
    """Reads a still, turned upright as its EXIF says; of an animation the first frame, of transparency the colours beneath.

    Returns:
        RGB pixels, uint8 [H, W, 3].

    Raises:
        InputError: It is missing, not an image, damaged, or larger than `MAX_FRAME_PIXELS`.
    """
    path = Path(path)
    _require_content(path)
    try:
        with Image.open(path) as image:
            _require_size(path, image.height, image.width)
            return np.array(ImageOps.exif_transpose(image).convert("RGB"))
    except InputError:
        raise
    except Exception as error:  # the plugins of PIL raise nearly anything on damaged files
        raise InputError(f"cannot read the image {path}: {str(error) or type(error).__name__}") from error


def list_frames(folder: Path) -> list[Path]:
    """The images that lie directly in a folder, in natural order: `frame2.png` before `frame10.png`."""
    try:
        files = list(folder.iterdir())
    except OSError as error:
        raise InputError(f"cannot look into {folder}: {error.strerror}") from error
    images = (file for file in files if file.suffix.lower() in IMAGE_SUFFIXES and not file.name.startswith("."))
    return sorted(images, key=lambda file: natural_key(file.name))


def natural_key(name: str) -> tuple[str | int, ...]:
    """A sort key that compares runs of digits as numbers; the name itself comes last and breaks ties."""
    parts = re.split(r"(\d+)", name.lower())
    return (*(int(part) if i % 2 else part for i, part in enumerate(parts)), name)


def _open_container(path: Path) -> VideoStream:
    try:
        # An absolute path is never taken for a protocol or a flag; local files are all that a playlist may refer to.
        container = av.open(str(path.absolute()), options={"protocol_whitelist": "file"}, metadata_errors="replace")
    except (av.FFmpegError, OSError, ValueError) as error:
        raise InputError(f"{path} is not a video that can be read: {_reason(error)}") from error
    if not container.streams.video:
        kinds = sorted({stream.type for stream in container.streams})
        container.close()
        raise InputError(f"{path} has no video stream", given=f"only {' and '.join(kinds)}" if kinds else "no streams at all")
    stream = container.streams.video[0]
    _require_size(path, stream.height, stream.width)
    fps, num_frames = _frame_rate(container, stream), stream.frames or None
    return VideoStream(_decode_ahead(path, _decode(path, container, stream), num_frames), fps, num_frames)


def _decode(path: Path, container: "av.container.InputContainer", stream: "av.VideoStream") -> Iterator[Pixels]:
    stream.thread_type = "AUTO"
    with container:
        for frame in container.decode(stream):
            _require_size(path, frame.height, frame.width)  # which may change midway
            pixels: Pixels = frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
            yield np.ascontiguousarray(np.rot90(pixels, frame.rotation // 90)) if frame.rotation else pixels


def _decode_ahead(path: Path, frames: Iterator[Pixels], declared: int | None) -> Iterator[Pixels]:
    """Decodes the first frame at once; where a later one cannot be decoded, ends early with a warning."""

    def rest() -> Iterator[Pixels]:
        count = 1
        yield first
        try:
            for frame in frames:
                yield frame
                count += 1
            if count < (declared or 0):
                _log.warning("%s gives only %d of the %d frames it declares", path, count, declared)
        except (av.FFmpegError, OSError, ValueError) as error:
            _log.warning("%s breaks off after %d frames (%s); the rest is left out", path, count, _reason(error))

    try:
        first = next(frames)
    except StopIteration:
        raise InputError(f"{path} holds no frame") from None
    except InputError:
        raise
    except (av.FFmpegError, OSError, ValueError) as error:
        raise InputError(f"{path}: no frame can be decoded: {_reason(error)}") from error
    return rest()


def _frame_rate(container: "av.container.InputContainer", stream: "av.VideoStream") -> float:
    """What the container declares, unless it is no sane rate; a GIF declares delays, so that its frames are counted instead."""
    seconds = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0
    counted = stream.frames / seconds if container.format.name == "gif" and seconds else None
    claims = (counted, stream.average_rate, stream.guessed_rate)
    return next((float(rate) for rate in claims if rate and 0 < rate < 1000), UNKNOWN_FPS)


def _require_content(path: Path) -> None:
    try:
        is_empty = path.stat().st_size == 0
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    if is_empty and path.is_file():
        raise InputError(f"{path} is empty", given="0 bytes")


def _require_size(path: Path, height: int, width: int) -> None:
    if height * width > MAX_FRAME_PIXELS:
        raise InputError(f"{path} declares too large a frame", given=f"{width}x{height}", allowed=f"{MAX_FRAME_PIXELS} pixels")


def _size(frame: Pixels) -> str:
    return f"{frame.shape[1]}x{frame.shape[0]}"


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
