"""Frames of any shape come out at the size that was asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentreel.core.errors import InputError
from latentreel.data.framing import framed, is_enlarged

SIDES = st.integers(1, 70)


@given(height=SIDES, width=SIDES, resolution=st.integers(1, 40), fit=st.sampled_from(["crop", "pad", "keep"]))
def test_the_size_is_what_the_fit_promises(height, width, resolution, fit):
    frame = np.full((height, width, 3), 77, np.uint8)
    result = framed(frame, resolution, fit)
    assert result.dtype == np.uint8
    if fit == "keep":
        assert min(result.shape[:2]) == resolution
        assert max(result.shape[:2]) == round(resolution * max(height, width) / min(height, width))
        assert result.shape[0] >= result.shape[1] if height >= width else result.shape[1] >= result.shape[0]
    else:
        assert result.shape == (resolution, resolution, 3)
    assert set(np.unique(result)) <= ({0, 77} if fit == "pad" else {77})
    assert is_enlarged(frame, resolution, fit) == ((max if fit == "pad" else min)(height, width) < resolution)


def test_a_wide_frame_is_cropped_padded_or_kept():
    frame = np.zeros((4, 8, 3), np.uint8)
    frame[:, :2], frame[:, 2:6], frame[:, 6:] = 10, 20, 30
    assert (framed(frame, 4, "crop") == 20).all()
    assert np.array_equal(framed(frame, 4, "keep"), frame)
    padded = framed(frame, 8, "pad")
    assert np.array_equal(padded[2:6], frame)
    assert not padded[:2].any()
    assert not padded[6:].any()


def test_what_is_no_frame_is_refused():
    for wrong in (np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(InputError, match="uint8"):
            framed(wrong, 4)
