"""A wrong shape says what was expected and what was given."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from latentreel.core.errors import InputError
from latentreel.core.shapes import check_shape


@given(st.lists(st.integers(0, 4), max_size=4), st.lists(st.sampled_from(["N", "D", "3"]), max_size=4))
def test_a_shape_passes_if_each_axis_fits(shape, layout):
    fits = len(shape) == len(layout) and all(
        {"N": size, "D": 2, "3": 3}[axis] == size for axis, size in zip(layout, shape, strict=True)
    )
    if fits:
        check_shape(torch.zeros(shape), " ".join(layout), name="x", D=2)
    else:
        with pytest.raises(InputError, match="x has the wrong shape"):
            check_shape(torch.zeros(shape), " ".join(layout), name="x", D=2)


def test_the_message_shows_both_shapes():
    with pytest.raises(InputError) as caught:
        check_shape(torch.zeros(2, 4, 3), "N L D", name="w", L=6)
    assert str(caught.value) == "w has the wrong shape; given: [2, 4, 3]; allowed: [N, L=6, D]"
