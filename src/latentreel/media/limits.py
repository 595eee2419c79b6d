"""`DecodeLimits`: how much a file may make the decoder do, asked before memory is taken; a few bytes can declare any size."""

from dataclasses import dataclass, fields
from pathlib import Path

from latentreel.core.errors import InputError


class LimitError(InputError):
    """A file is refused because it passes one of the `DecodeLimits`, not because it is damaged."""


@dataclass(frozen=True, kw_only=True)
class DecodeLimits:
    """What a file may ask for. All can be raised by whoever trusts his files."""

    max_frame_pixels: int = 8192 * 8192
    """Rows times columns of a frame, as stored and as shown. A decoder holds about twenty frames of this size."""

    max_frames: int = 1_000_000
    """Frames of a video: nine hours at 30 frames per second."""

    max_bytes: int = 8 * 2**30
    """Of the clip that `load_video` takes whole: 46 s of 30 fps 1080p. Longer ones are read through `open_video`."""

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) < 1:
                raise InputError(f"{field.name} is out of range", given=getattr(self, field.name), allowed="1 or more")

    def require_frame(self, path: Path, height: int, width: int) -> None:
        """Raises `LimitError` where a frame is too large."""
        if height * width > self.max_frame_pixels:
            raise LimitError(
                f"{path} declares too large a frame",
                given=f"{width}x{height}",
                allowed=f"{self.max_frame_pixels} pixels",
                fix=_raise("max_frame_pixels"),
            )

    def require_length(self, path: Path, num_frames: int) -> None:
        """Raises `LimitError` where there are too many frames."""
        if num_frames > self.max_frames:
            raise LimitError(
                f"{path} declares too many frames",
                given=f"{num_frames} or more",
                allowed=self.max_frames,
                fix="cut it into shorter clips, or " + _raise("max_frames"),
            )

    def require_memory(self, path: Path, num_frames: int, height: int, width: int) -> None:
        """Raises `LimitError` where so many frames of that size are too much for the memory."""
        frame_bytes = height * width * 3
        if num_frames * frame_bytes > self.max_bytes:
            raise LimitError(
                f"{path} is too large to be loaded whole",
                given=f"{num_frames} or more frames of {width}x{height}",
                allowed=f"{self.max_bytes // frame_bytes} such frames",
                fix="cut it into shorter clips, scale it down, or " + _raise("max_bytes"),
            )


DEFAULT_LIMITS = DecodeLimits()


_FLAGS = {
    "max_frame_pixels": "--max-frame-pixels",
    "max_frames": "--max-video-frames",
}  # of `latentreel train` and `latentreel data`


def _raise(name: str) -> str:
    flag = f" (training and data: {_FLAGS[name]})" if name in _FLAGS else ""
    return f"raise {name}{flag} if you trust the file"
