"""Video files in: any container FFmpeg knows, folders of frames, and stills, as RGB uint8 frames in the order they are shown.

What cannot be read is an `InputError` that names the file and the reason;
a file that breaks off midway gives what came before, with a warning and a note.
"""

import itertools
import logging
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps

from latentreel.core.errors import InputError
from latentreel.core.video import Video
from latentreel.media.containers import UNREADABLE, Track, decode_track, open_track, reason
from latentreel.media.frame_conversion import note, onto_black
from latentreel.media.limits import DEFAULT_LIMITS, DecodeLimits, LimitError
from latentreel.media.video_stream import UNKNOWN_FPS, VideoStream, at_rate

Pixels = npt.NDArray[np.uint8]

VIDEO_SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif", ".mpg", ".mpeg", ".ts", ".wmv", ".flv"})
IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".ppm"})

_log = logging.getLogger(__name__)


def load_video(path: Path | str, *, limits: DecodeLimits = DEFAULT_LIMITS, min_frames: int = 1) -> Video:
    """Reads a whole clip.

    Args:
        path: A video file, a GIF, a folder of frames, or a still image (a clip of one frame).
        limits: What the file may ask for.
        min_frames: As for `open_video`.

    Returns:
        The clip, as `open_video` gives it.

    Raises:
        InputError: It is missing, cannot be decoded, changes its frame size, or passes a limit.
    """
    stream = open_video(path, limits=limits, min_frames=min_frames)
    frames: list[Pixels] = []
    for frame in stream.frames:
        if frames and frame.shape != frames[0].shape:
            raise InputError(f"{path}: frame {len(frames)} has another size", given=_size(frame), allowed=_size(frames[0]))
        frames.append(frame)
        limits.require_memory(Path(path), max(len(frames), stream.num_frames or 0), *frame.shape[:2])
    clip = np.empty((len(frames), *frames[0].shape), np.uint8)
    for t in range(len(clip)):  # a frame goes as its copy comes, so that memory holds the clip once
        clip[t], frames[t] = frames[t], clip[:0]
    return Video(clip, stream.fps)


def open_video(
    path: Path | str, *, limits: DecodeLimits = DEFAULT_LIMITS, min_frames: int = 1, constant_rate: bool = True
) -> VideoStream:
    """Opens a clip to be decoded frame by frame: upright, with square pixels, on black, evenly spaced in time.

    Pixels that are not square are made so by resizing the width. Of several video streams the one with most pixels is read.

    Args:
        path: A video file, a GIF, a folder of frames, or a still image.
        limits: What the file may ask for; asked before memory is taken, and of every frame.
        min_frames: How many frames must be decoded. A damaged file with less is refused, when it breaks off.
        constant_rate: Whether a file of variable rate, where times are off by more than half a frame, is brought to its
            usual rate by `at_rate`. Else its frames are as stored, and `times` say when.

    Returns:
        The stream; the first frame is decoded already, so whatever is wholly unusable fails here.

    Raises:
        InputError: It is missing, empty, not a video, passes a limit, or too few of its frames can be decoded.
    """
    path, times, notes = Path(path), list[float](), list[str]()
    _require_content(path)
    if path.is_dir() or path.suffix.lower() in IMAGE_SUFFIXES:
        images = list_frames(path) if path.is_dir() else [path]
        if not images:
            raise InputError(f"the folder {path} holds no frames", allowed=", ".join(sorted(IMAGE_SUFFIXES)))
        limits.require_length(path, len(images))
        timed: Iterator[tuple[float, Pixels]] = (
            (index / UNKNOWN_FPS, _read_image(image, limits, notes)) for index, image in enumerate(images)
        )
        track = Track(path, 0, UNKNOWN_FPS, True, len(images), len(images) / UNKNOWN_FPS)
    else:
        track = open_track(path, limits, notes)
        timed = decode_track(track, limits, notes)
    frames = _until_damage(track, timed, times, notes, limits, min_frames)
    frames = itertools.chain([next(frames)], frames)
    stream = VideoStream(frames, track.fps, track.num_frames, track.duration_seconds, times, notes)
    if track.is_constant or not constant_rate:
        return stream
    note(notes, f"variable frame rate: brought to {track.fps:.4g} frames per second")
    stream = at_rate(stream, track.fps)
    limits.require_length(path, stream.num_frames or 0)
    return stream


def load_image(path: Path | str, *, limits: DecodeLimits = DEFAULT_LIMITS) -> Pixels:
    """Reads a still, turned upright as its EXIF says, on black where it is transparent; of an animation the first frame.

    Returns:
        RGB pixels, uint8 [H, W, 3].

    Raises:
        InputError: It is missing, not an image, damaged, or too large.
    """
    return _read_image(Path(path), limits, [])


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


def _until_damage(
    track: Track,
    timed: Iterator[tuple[float, Pixels]],
    times: list[float],
    notes: list[str],
    limits: DecodeLimits,
    min_frames: int,
) -> Iterator[Pixels]:
    """The frames up to where one cannot be decoded; what is wrong then becomes a note and a warning, or a refusal."""
    problem = ""
    try:
        for time, frame in timed:
            limits.require_length(track.path, len(times) + 1)
            times.append(time)
            yield frame
    except LimitError:
        raise
    except UNREADABLE as error:
        if not times and isinstance(error, InputError):
            raise
        if not times:
            raise InputError(f"{track.path}: no frame can be decoded: {reason(error)}") from error
        problem = f"breaks off after {len(times)} of {track.num_frames} frames: {reason(error)}"
    if not problem and len(times) < track.num_frames:
        problem = f"gives {len(times)} of the {track.num_frames} frames that it declares"
    if len(times) < max(1, min_frames):
        raise InputError(f"{track.path} has too few frames", given=problem or len(times), allowed=f"{min_frames} or more")
    if problem:
        notes.append(problem)
        _log.warning("%s %s", track.path, problem)


def _read_image(path: Path, limits: DecodeLimits, notes: list[str]) -> Pixels:
    _require_content(path)
    try:
        with Image.open(path) as image:
            limits.require_frame(path, image.height, image.width)
            if image.getexif().get(ExifTags.Base.Orientation, 1) != 1:
                note(notes, "turned upright")
            upright = ImageOps.exif_transpose(image)
        if upright.mode.startswith("I"):  # 16 bits of grey, which PIL would cut off at 255
            grey = np.asarray(upright).clip(0, 0xFFFF) / 257
            return np.repeat(np.rint(grey).astype(np.uint8)[..., None], 3, axis=-1)
        if upright.mode.endswith(("A", "a")) or "transparency" in upright.info:
            return onto_black(np.array(upright.convert("RGBA")), notes)
        return np.array(upright.convert("RGB"))
    except InputError:
        raise
    except Image.DecompressionBombError as error:  # above twice the limit of PIL, which it asks first
        raise LimitError(f"{path} declares too large a frame", given=str(error), allowed=Image.MAX_IMAGE_PIXELS) from error
    except Exception as error:  # the plugins of PIL raise nearly anything on damaged files
        raise InputError(f"cannot read the image {path}: {reason(error)}") from error


def _require_content(path: Path) -> None:
    try:
        status = path.stat()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise InputError(f"{path} is neither a file nor a folder")  # a pipe may never end
    if stat.S_ISREG(status.st_mode) and not status.st_size:
        raise InputError(f"{path} is empty", given="0 bytes")


def _size(frame: Pixels) -> str:
    return f"{frame.shape[1]}x{frame.shape[0]}"
