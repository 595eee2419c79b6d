"""A `Video` is frames and a rate, or it is refused."""

import numpy as np
import pytest

from latentreel.core.errors import InputError
from latentreel.core.video import Video


def test_a_video_knows_its_sizes():
    video = Video(np.zeros((50, 4, 6, 3), np.uint8), fps=25)
    assert (len(video), video.height, video.width, video.duration_seconds) == (50, 4, 6, 2.0)


@pytest.mark.parametrize(
    ("shape", "dtype", "fps"),
    [
        ((5, 4, 6), np.uint8, 25),
        ((5, 4, 6, 1), np.uint8, 25),
        ((0, 4, 6, 3), np.uint8, 25),
        ((5, 4, 6, 3), np.float32, 25),
        ((5, 4, 6, 3), np.uint8, 0),
        ((5, 4, 6, 3), np.uint8, float("nan")),
        ((5, 4, 6, 3), np.uint8, float("inf")),
    ],
)
def test_what_is_no_video_is_refused(shape, dtype, fps):
    with pytest.raises(InputError, match=r"uint8 \[T, H, W, 3\]|above 0"):
        Video(np.zeros(shape, dtype), fps=fps)
