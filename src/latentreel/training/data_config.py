"""What a training run can be told about its data. Loads nothing heavy."""

from dataclasses import dataclass
from typing import Literal

from latentreel.core.errors import InputError


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Where frames come from, and which of them are taken."""

    data: str
    """A folder or an archive of videos, of frame folders, of image strips or (for image generators) of images; several archives,
    as "data-{000..009}.tar"; their addresses (http, https); or a procedural world, as "world:faces"."""

    stream: bool = False
    """Read tar archives as the run goes and keep nothing on disk, which addresses always do. Each video gives one clip per epoch;
    weighting, clip_seconds, held_out, classes and scores need everything on disk."""

    fit: Literal["crop", "pad"] = "crop"
    """What becomes of frames that are no squares: the centre square, or the whole frame on black."""

    weighting: Literal["frames", "videos"] = "frames"
    """frames: every clip is as likely, so long videos come more often. videos: every video is, however long."""

    held_out: float = 0.0
    """Share of the data that training does not see; what falls to it depends on names alone. The run's held_out.txt lists it."""

    group_by: str = "file"
    """What is never parted by held_out: file; class, the first folder; prefix, names up to the first of "-_. "; or a regular
    expression, as "subject[0-9]+"."""

    mirror: bool = False
    """Show each clip flipped left to right half of the time."""

    max_frame_pixels: int = 8192 * 8192
    """Files whose frames are larger are left out: a few bytes can declare any size. Raise it for files that you trust."""

    max_video_frames: int = 1_000_000
    """Videos of more frames are left out."""

    world_videos: int = 2048
    """How many videos to draw when the data is a procedural world."""

    world_frames: int = 32
    """Frames of each of them (App. B: clips are cut from 32 consecutive frames); 1 draws stills."""

    def __post_init__(self) -> None:
        for name in ("world_videos", "world_frames", "max_frame_pixels", "max_video_frames"):
            self.require(name, getattr(self, name) >= 1, "at least 1")
        plain = self.weighting == "frames" and not self.held_out
        self.require("stream", not self.stream or plain, "False, with weighting or held_out")
        self.require("held_out", 0 <= self.held_out < 1, "0 up to, but not including, 1")

    def require(self, name: str, holds: bool, allowed: str) -> None:
        """Raises an `InputError` that names the field if its value is not allowed."""
        if not holds:
            raise InputError(f"{name} is out of range", given=getattr(self, name), allowed=allowed)
