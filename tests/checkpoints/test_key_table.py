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
    back = import_state(table, foreign, own=state, where="file")
    assert back.keys() == state.keys()
    assert all(torch.equal(back[key], tensor) for key, tensor in state.items())


def test_a_layout_moves_each_axis_where_it_says():
    x = torch.randn(2, 3)
    assert torch.equal(export_state([Entry("a", "b", "o i -> 1 i o")], {"a": x})["b"], x.T[None])


def test_missing_and_left_over_keys_are_named():
    table = [Entry(name, name) for name in "abcde"]
    with pytest.raises(InputError) as caught:
        import_state(table, {"a": torch.zeros(1), "x": torch.zeros(1)}, own={}, where="weights.pt")
    assert "weights.pt: keys do not fit: 4 missing (b, c, d, ...) and 1 unexpected (x)" in str(caught.value)


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 4), (1, 3, 5)])
def test_a_tensor_of_another_shape_is_named(shape):
    table, own = [Entry("ours", "theirs", "o i -> 1 o i")], {"ours": torch.zeros(3, 4)}
    with pytest.raises(InputError, match=r"weights.pt: theirs has the wrong shape; given: .*; allowed: \[1, 3, 4\]"):
        import_state(table, {"theirs": torch.zeros(shape)}, own=own, where="weights.pt")


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64])
def test_a_tensor_of_another_type_is_named(dtype):
    with pytest.raises(
        InputError, match=r"weights.pt: theirs has the wrong number format; given: torch\..*; allowed: torch.float32"
    ):
        import_state(
            [Entry("ours", "theirs")], {"theirs": torch.zeros(2, dtype=dtype)}, own={"ours": torch.zeros(2)}, where="weights.pt"
        )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floats_become_ours(dtype):
    given = torch.tensor([0.5, 2.0], dtype=dtype)
    ours = import_state([Entry("ours", "theirs")], {"theirs": given}, own={"ours": torch.zeros(2)}, where="weights.pt")["ours"]
    assert ours.dtype == torch.float32
    assert ours.tolist() == [0.5, 2.0]
