"""`Video`: frames and their rate, the value that every command reads or writes."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latentreel.core.errors import InputError


@dataclass(frozen=True, eq=False)
class Video:
    """A clip in memory.

    Shapes: T frames, H rows, W columns.
    """

    frames: npt.NDArray[np.uint8]
    """RGB pixels, uint8 in [0, 255], shape [T, H, W, 3]."""

    fps: float
    """Frames per second, above 0."""

    def __post_init__(self) -> None:
        if self.frames.dtype != np.uint8 or self.frames.ndim != 4 or self.frames.shape[-1] != 3 or 0 in self.frames.shape:
            raise InputError(
                "frames have the wrong form",
                given=f"{self.frames.dtype} {list(self.frames.shape)}",
                allowed="uint8 [T, H, W, 3], nothing empty",
            )
        if not 0 < self.fps < 1000:
            raise InputError(
                "the frame rate is out of range", given=self.fps, allowed="above 0 and below 1000 frames per second"
            )

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def height(self) -> int:
        """Rows of a frame."""
        return int(self.frames.shape[1])

    @property
    def width(self) -> int:
        """Columns of a frame."""
        return int(self.frames.shape[2])

    @property
    def duration_seconds(self) -> float:
        """Playing time in seconds."""
        return len(self) / self.fps
