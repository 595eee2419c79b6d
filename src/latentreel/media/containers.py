"""Video files in the containers that FFmpeg reads: which stream, at which rate, which frame when.

A file is gone through twice: first for the times of its packets, which costs little and tells length and rate of any container,
then for its frames.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import av
import numpy as np
import numpy.typing as npt

from latentreel.core.errors import InputError
from latentreel.media.frame_conversion import FrameConverter, believable, note, square_width
from latentreel.media.limits import DecodeLimits
from latentreel.media.video_stream import FPS_BOUND, Seconds, constant_rate, usual_rate

Pixels = npt.NDArray[np.uint8]

DEMUXERS = (
    *("mov", "matroska", "avi", "gif", "mpeg", "mpegvideo", "mpegts", "asf", "flv"),
    *("apng", "dv", "h264", "hevc", "ivf", "m4v", "mjpeg", "mxf", "nut", "obu", "ogg", "rm", "wtv", "yuv4mpegpipe"),
)
"""The containers that are read. Not among them: playlists, which name other files and may never end."""

CUT_OFF = 0.9
"""A file that has less than this part of the seconds it declares was cut off."""

STALL_SECONDS = 60
"""How long a read may take."""

UNREADABLE = (av.FFmpegError, OSError, ValueError)
"""What PyAV raises on files that are damaged or no videos."""

_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""FFmpeg's own decoders do not see the alpha of WebM."""


@dataclass(frozen=True)
class Track:
    """The video stream of a file that is read, and what its packets tell."""

    path: Path
    index: int
    """Of the stream in the container."""

    fps: float
    is_constant: bool
    """Whether the frames come at equal intervals."""

    num_frames: int
    """To be expected."""

    duration_seconds: float
    """From the first frame to one usual interval after the last."""


@dataclass(frozen=True)
class _PacketTimes:
    times: Seconds
    """When the frames are shown: seconds after the first, sorted, [T]; empty where the container does not tell."""

    num_frames: int
    """By the packets or the header, whichever has more."""

    end: float | None
    """When the last frame ceases to be shown."""


def open_track(path: Path, limits: DecodeLimits, notes: list[str]) -> Track:
    """Looks through a file without decoding it.

    Args:
        path: The file.
        limits: What it may declare.
        notes: Get what is worth knowing.

    Returns:
        What to expect.

    Raises:
        InputError: It is no video, or declares too much.
    """
    with _open(path, {"codec_whitelist": "none"}) as container:  # no decoder is opened, whatever the file declares
        stream = _best_stream(path, container, notes)
        limits.require_frame(path, stream.height, stream.width)
        limits.require_frame(path, stream.height, square_width(stream.width, believable(stream.sample_aspect_ratio)))
        limits.require_length(path, stream.frames)
        claims = [float(rate) for rate in (stream.average_rate, stream.guessed_rate) if rate and 0 < rate < FPS_BOUND]
        found, declared_seconds = _packet_times(path, container, stream, limits), _declared_seconds(container, stream)
        index = stream.index
    if found.end is not None and len(found.times) > 1 and found.end < CUT_OFF * declared_seconds:
        note(notes, f"ends after {found.end:.3g} of the {declared_seconds:.3g} seconds that it declares")
    constant = constant_rate(found.times, claims)
    fps = constant or usual_rate(found.times)
    duration = float(found.times[-1]) + 1 / fps if len(found.times) else found.num_frames / fps
    return Track(path, index, fps, constant is not None, found.num_frames, duration)


def decode_track(track: Track, limits: DecodeLimits, notes: list[str]) -> Iterator[tuple[float, Pixels]]:
    """Decodes the frames in the order they are shown.

    Args:
        track: What to decode.
        limits: What a frame may ask for.
        notes: Get what was done to the frames, and what is wrong with them.

    Yields:
        Seconds after the first frame, rising strictly, and RGB pixels, uint8 [H, W, 3].

    Raises:
        LimitError: A frame is too large.
        av.FFmpegError, OSError, ValueError: The file is damaged here.
    """
    first: int | None = None
    time = 0.0
    max_pixels = {"max_pixels": str(max(2 * limits.max_frame_pixels, 2**16))}  # coded frames are padded to whole blocks
    with _open(track.path, max_pixels) as container:
        stream = next((stream for stream in container.streams.video if stream.index == track.index), None)
        if stream is None:
            raise ValueError("its video stream is gone")
        convert = FrameConverter(track.path, stream.sample_aspect_ratio, limits, notes)
        for count, frame in enumerate(_decoded(container, stream, max_pixels, notes)):
            stamp = _stamp(frame, container)
            first = stamp if first is None else first
            elapsed = 0.0 if stamp is None or first is None else float((stamp - first) * (stream.time_base or 0))
            time = elapsed if elapsed > time or not count else time + 1 / track.fps
            yield time, convert(frame)


def reason(error: Exception) -> str:
    """What went wrong, in FFmpeg's or the system's words."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _open(path: Path, options: dict[str, str]) -> "av.container.InputContainer":
    options = {"protocol_whitelist": "file", "format_whitelist": ",".join(DEMUXERS), **options}
    try:
        # An absolute path is never taken for a protocol or a flag.
        return av.open(str(path.absolute()), options=options, metadata_errors="replace", timeout=STALL_SECONDS)
    except UNREADABLE as error:
        allowed = " ".join(DEMUXERS) if isinstance(error, av.ArgumentError) else None  # the answer to other containers
        raise InputError(f"{path} is not a video that can be read: {reason(error)}", allowed=allowed) from error


def _best_stream(path: Path, container: "av.container.InputContainer", notes: list[str]) -> "av.VideoStream":
    """The one with most pixels, then the one that players begin with; never a cover picture."""
    streams = [stream for stream in container.streams.video if not stream.disposition & av.stream.Disposition.attached_pic]
    known = [stream for stream in streams if stream.codec_context is not None]
    if not known:
        kinds = sorted({"a cover picture" if stream.type == "video" else stream.type for stream in container.streams})
        given = (
            "a codec that this FFmpeg does not know"
            if streams
            else f"only {' and '.join(kinds)}"
            if kinds
            else "no streams at all"
        )
        raise InputError(f"{path} has no video stream", given=given)
    best = max(known, key=lambda s: (s.width * s.height, bool(s.disposition & av.stream.Disposition.default), -s.index))
    if len(streams) > 1:
        note(notes, f"the best of {len(streams)} video streams is read: {best.width}x{best.height}")
    return best


def _packet_times(
    path: Path, container: "av.container.InputContainer", stream: "av.VideoStream", limits: DecodeLimits
) -> _PacketTimes:
    stamps: list[int] = []
    count = hidden = end = 0
    with contextlib.suppress(*UNREADABLE):  # where it breaks off, so will the decoding, which says so
        for packet in container.demux(stream):
            if not packet.size:
                continue
            count, hidden = count + 1, hidden + packet.is_discard
            stamp = _stamp(packet, container)
            if stamp is not None and not packet.is_discard:
                stamps.append(stamp)
                end = max(end, stamp + (packet.duration or 0))
            if count > limits.max_frames:
                break
    limits.require_length(path, count)
    num_frames = max(count, stream.frames) - hidden
    if not stamps or len(stamps) < count - hidden:
        return _PacketTimes(np.zeros(0), num_frames, None)
    base = float(stream.time_base or 0)
    times = np.sort(np.array(stamps, np.float64)) * base
    return _PacketTimes(times - times[0], num_frames, float(end * base - times[0]))


def _stamp(unit: "av.Packet[av.VideoStream] | av.VideoFrame", container: "av.container.InputContainer") -> int | None:
    """When a packet or frame is shown, in its stream's unit. AVI has no such times, and FFmpeg's guess is wrong for H.264."""
    return unit.dts if unit.pts is None or container.format.name == "avi" else unit.pts


def _declared_seconds(container: "av.container.InputContainer", stream: "av.VideoStream") -> float:
    """How long the video is by the container's header; 0 where it does not say so of the video alone."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return (container.duration or 0) / av.time_base if len(container.streams) == 1 else 0.0


def _decoded(
    container: "av.container.InputContainer", stream: "av.VideoStream", options: dict[str, str], notes: list[str]
) -> Iterator["av.VideoFrame"]:
    """The frames of a stream, from the first that can be decoded to the first that cannot."""
    decoder = _decoder(stream, notes)
    decoder.thread_type = "AUTO"
    decoder.options = options
    failure: av.FFmpegError | None = None
    count = skipped = damaged = 0
    try:
        for packet in container.demux(stream):
            if not packet.size and packet.dts is not None:
                continue  # holds nothing; only the end has no time
            try:
                frames = decoder.decode(packet)
            except av.FFmpegError as error:
                if count:
                    raise
                failure, skipped = failure or error, skipped + 1
                continue
            for frame in frames:
                count, damaged = count + 1, damaged + frame.is_corrupt
                yield frame
    finally:
        if count and failure:
            note(notes, f"the first {skipped} packets cannot be decoded: {reason(failure)}")
        if damaged:
            note(notes, f"damaged frames, as far as the decoder can tell: {damaged}")
    if not count and failure:
        raise failure


def _decoder(stream: "av.VideoStream", notes: list[str]) -> "av.VideoCodecContext":
    """The stream's decoder; for WebM with alpha one that sees it."""
    name = _ALPHA_DECODERS.get(stream.codec_context.name)
    if name and stream.metadata.get("alpha_mode") == "1":
        try:
            return cast(av.VideoCodecContext, av.CodecContext.create(name, "r"))
        except UNREADABLE:
            note(notes, f"alpha is not seen (this FFmpeg lacks {name}): colours are as stored")
    return stream.codec_context
