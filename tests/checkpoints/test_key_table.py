"""A key table reads both ways, and names every key that does not fit."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from latentreel.checkpoints.key_table import Entry, export_state, import_state
from latentreel.core.errors import InputError

LAYOUTS = {
    "": (2, 3),
    "o i -> i o": (2, 3),
    "c h w -> 1 c h w": (2, 3, 4),
    "o -> 1 o 1 1": (5,),
    "() -> 1": (),
    "c a b -> b 1 a c": (2, 3, 4),
}


@given(st.lists(st.sampled_from(sorted(LAYOUTS)), max_size=6), st.permutations(range(6)))
def test_what_is_exported_is_imported_bit_for_bit(layouts, names):
    table = [Entry(f"ours.{i}", f"theirs.{names[i]}", layout) for i, layout in enumerate(layouts)]
    state = {f"ours.{i}": torch.randn(LAYOUTS[layout]) for i, layout in enumerate(layouts)}
    foreign = export_state(table, state | {"ours alone": torch.zeros(1)})
    assert foreign.keys() == {entry.theirs for entry in table}
    back = import_state(table, foreign, where="file")
    assert back.keys() == state.keys()
    assert all(torch.equal(back[key], tensor) for key, tensor in state.items())


def test_a_layout_moves_each_axis_where_it_says():
    x = torch.randn(2, 3)
    assert torch.equal(export_state([Entry("a", "b", "o i -> 1 i o")], {"a": x})["b"], x.T[None])


def test_missing_and_left_over_keys_are_named():
    table = [Entry(name, name) for name in "abcde"]
    with pytest.raises(InputError) as caught:
        import_state(table, {"a": torch.zeros(1), "x": torch.zeros(1)}, where="weights.pt")
    assert "weights.pt: keys do not fit: 4 missing (b, c, d, ...) and 1 unexpected (x)" in str(caught.value)


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 4), (1, 3, 4, 5)])
def test_a_tensor_with_other_axes_is_named(shape):
    with pytest.raises(InputError, match=r"weights.pt: theirs has the wrong shape; given: .*; allowed: \[1 o i\]"):
        import_state([Entry("ours", "theirs", "o i -> 1 o i")], {"theirs": torch.zeros(shape)}, where="weights.pt")
