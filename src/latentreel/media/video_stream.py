"""`VideoStream`: a video that is decoded as it is read; frames taken from it by time, not by index."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from latentreel.core.errors import InputError

Pixels = npt.NDArray[np.uint8]
Seconds = npt.NDArray[np.float64]

UNKNOWN_FPS = 25.0
"""The rate of what has none of its own: a folder of frames, a still, a container that declares nothing usable."""

FPS_BOUND = 1000
"""Rates from here on are units of time that a container declares, and no frame rates."""

EARLY = 0.25
"""A frame counts as shown this part of a frame before its time: containers round times, to 1/100 s in a GIF."""


@dataclass(frozen=True)
class VideoStream:
    """The counterpart of `Video` in constant memory."""

    frames: Iterator[Pixels]
    """RGB frames, uint8 [H, W, 3]; once through. The file is closed at the end."""

    fps: float
    """Frames per second; where the intervals differ, what most of them are."""

    num_frames: int | None
    """How many frames are to be expected; a damaged file gives fewer."""

    duration_seconds: float | None = None
    """How long it is to be expected; the last frame counts as one usual interval, whatever its file says."""

    times: list[float] = field(default_factory=list)
    """When each frame that was read is shown, in seconds after the first; rises strictly."""

    notes: list[str] = field(default_factory=list)
    """What was done to the frames, and what is wrong with the file; complete when all frames were read."""


def evenly(frames: Iterator[Pixels], fps: float, num_frames: int | None, notes: list[str] | None = None) -> VideoStream:
    """A stream of frames at equal intervals.

    Args:
        frames: RGB, uint8 [H, W, 3] each.
        fps: Their rate.
        num_frames: How many there are to be, if that is known.
        notes: What may grow while the frames are made.

    Returns:
        The stream; its times come with the frames.
    """
    times: list[float] = []

    def timed() -> Iterator[Pixels]:
        for frame in frames:
            times.append(len(times) / fps)
            yield frame

    duration = None if num_frames is None else num_frames / fps
    return VideoStream(timed(), fps, num_frames, duration, times, [] if notes is None else notes)


def at_rate(stream: VideoStream, fps: float) -> VideoStream:
    """The same video at a constant rate: frame k is the one that is shown at k / fps seconds.

    Args:
        stream: Any stream, not read yet.
        fps: Frames per second of the result. A frame that is shown for several of them comes several times, as one array.

    Returns:
        A stream as long in time. It shares the notes.

    Raises:
        InputError: The rate is not possible.
    """
    if not 0 < fps < FPS_BOUND:
        raise InputError("the frame rate is out of range", given=fps, allowed="above 0 and below 1000 frames per second")
    early = EARLY / stream.fps

    def frames() -> Iterator[Pixels]:
        count, shown = 0, None
        for index, following in enumerate(stream.frames):
            while shown is not None and count / fps < stream.times[index] - early:
                yield shown
                count += 1
            shown = following
        while shown is not None and count / fps < stream.times[-1] + 1 / stream.fps - early:
            yield shown
            count += 1

    seconds = stream.duration_seconds
    return evenly(frames(), fps, None if seconds is None else _frames_before(seconds - early, fps), stream.notes)


def _frames_before(end: float, fps: float) -> int:
    """How many k there are with k / fps < end, as that division rounds: the product end * fps may round the other way."""
    count = max(0, math.ceil(end * fps) - 1)
    while count / fps < end:
        count += 1
    return count


def frame_at(stream: VideoStream, seconds: float) -> Pixels:
    """The frame that is shown at a time; reads the stream up to there.

    Args:
        stream: Any stream, not read yet.
        seconds: After the first frame.

    Returns:
        RGB pixels, uint8 [H, W, 3].

    Raises:
        InputError: The video is not shown at that time.
    """
    early, shown = EARLY / stream.fps, None
    for index, frame in enumerate(stream.frames):
        if seconds < stream.times[index] - early:
            break
        shown = frame
    else:
        end = stream.times[-1] + 1 / stream.fps - early if stream.times else 0.0
        shown = shown if seconds < end else None
    if shown is None or seconds < 0:
        raise InputError("no frame is shown at this time", given=f"{seconds:g} s", allowed=f"0 to {stream.times[-1]:g} s")
    return shown


def constant_rate(times: Seconds, claims: Sequence[float]) -> float | None:
    """The frames per second that all times agree with: to a quarter of a frame, else to half of one.

    Args:
        times: Seconds after the first frame, sorted, [T].
        claims: Rates that the container declares, the most credible first. The mean rate is tried after them.

    Returns:
        The rate; None where the intervals differ.
    """
    mean = [(len(times) - 1) / float(times[-1])] if len(times) > 1 and times[-1] > 0 else []
    possible = [rate for rate in (*claims, *mean) if 0 < rate < FPS_BOUND]
    errors = [float(np.abs(times * rate - np.arange(len(times))).max(initial=0)) for rate in possible]
    for bound in (EARLY, 2 * EARLY):
        for rate, error in zip(possible, errors, strict=True):
            if error <= bound:
                return rate
    return None if mean else UNKNOWN_FPS


def usual_rate(times: Seconds) -> float:
    """The frames per second of most frames: the mean of the intervals that are near the median.

    Args:
        times: Seconds after the first frame, sorted, two different ones at least, [T].

    Returns:
        The rate, below 1000.
    """
    intervals = np.diff(np.unique(times))
    median = np.median(intervals)
    near = intervals[np.abs(intervals - median) <= EARLY * median]
    interval = near.mean() if len(near) else median
    return float(min(1 / interval, FPS_BOUND - 1))
