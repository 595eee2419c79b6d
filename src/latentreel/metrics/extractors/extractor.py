"""`Extractor`: a network that looks at videos and gives features of them. All scores stand on it.

Whatever the network, it takes the frames as they are, in uint8, and brings them to its own size and range itself: how a picture is
resized is part of what is measured.
"""

from typing import Literal, NamedTuple, Protocol, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from latentreel.core.errors import InputError
from latentreel.core.shapes import check_shape

LooksAt = Literal["clips", "frames"]


class Seen(NamedTuple):
    """What an extractor sees in M clips, or in M frames."""

    features: Tensor
    """float32 [M, F]."""

    logits: Tensor | None
    """Before the softmax over classes, float32 [M, C]; None where the network does not classify."""


class Extractor(Protocol):
    """A network with the preparation of pictures that belongs to it, on whichever device it was put."""

    @property
    def name(self) -> str:
        """What it is called in results."""
        ...

    @property
    def digest(self) -> str:
        """SHA-256 of its weights in hexadecimal: two results are of one network where it is the same."""
        ...

    @property
    def looks_at(self) -> LooksAt:
        """Whether it gives features of whole clips, or of every frame by itself."""
        ...

    @property
    def width(self) -> int | None:
        """How many features, F; None where that shows at the first call only."""
        ...

    @property
    def dtype(self) -> torch.dtype | None:
        """The number format it computes in; None where its file decides, and --precision changes nothing."""
        ...

    def __call__(self, clips: Tensor) -> Seen:
        """Looks at all clips at once, without gradients; the caller chooses how many memory allows.

        Args:
            clips: uint8 [N, T, H, W, 3].

        Returns:
            Features of M = N clips, or of M = N * T frames, those of one clip next to each other.

        Raises:
            InputError: The clips have another shape or number format, or too few frames for the network.
        """
        ...


def check_clips(clips: Tensor) -> None:
    """Raises an `InputError` unless these are clips as extractors take them: uint8 [N, T, H, W, 3], none of the sizes 0."""
    check_shape(clips, "N T H W 3", name="clips")
    if clips.dtype != torch.uint8:
        raise InputError("clips have the wrong number format", given=clips.dtype, allowed=torch.uint8)
    if clips.numel() == 0:
        raise InputError("clips without a single pixel", given=list(clips.shape), allowed="no size of 0")


def resized(frames: Tensor, size: tuple[int, int]) -> Tensor:
    """Frames at another size: bilinear between the centres of pixels, not antialiased, not rounded.

    Args:
        frames: uint8 [M, H, W, 3].
        size: Height and width.

    Returns:
        float32 [M, 3, *size] in 0..255, in memory with the channels last.
    """
    pixels = frames.movedim(-1, 1).float()  # [M, 3, H, W]
    return pixels if pixels.shape[-2:] == size else F.interpolate(pixels, size=size, mode="bilinear", align_corners=False)


def check_looks_at(looks_at: str) -> None:
    """Raises an `InputError` unless this is something that an extractor can look at."""
    if looks_at not in get_args(LooksAt):
        raise InputError("that is nothing to look at", given=looks_at, allowed=", ".join(get_args(LooksAt)))
