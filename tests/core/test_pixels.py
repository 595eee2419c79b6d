"""Pixels keep their values on the way in and out."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from latentreel.core.pixels import to_float, to_uint8


@given(stn.arrays(np.uint8, st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.just(3))))
def test_every_frame_survives_the_round_trip(frames):
    images = to_float(frames)
    assert images.shape == (len(frames), 3, *frames.shape[1:3])
    assert images.dtype == torch.float32
    assert images.abs().max() <= 1
    assert np.array_equal(to_uint8(images), frames)


def test_every_value_survives_and_the_ends_are_the_ends():
    values = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    images = to_float(values)
    assert np.array_equal(to_uint8(images), values)
    assert (images.min(), images.max()) == (-1, 1)


def test_values_outside_the_range_are_clipped():
    images = torch.tensor([-3.0, -1.0, 0.0, 1.0, 1.5]).reshape(5, 1, 1, 1).expand(5, 3, 1, 1).bfloat16().requires_grad_()
    assert to_uint8(images)[:, 0, 0, 0].tolist() == [0, 0, 128, 255, 255]
