"""Two-way key tables: how a foreign checkpoint's names and layouts correspond to ours.

A table is the whole importer: reading it left to right exports, right to left imports, and every key that is missing or left
over is named.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from einops import rearrange
from torch import Tensor

from latentreel.core.errors import InputError

PREFIX = "module."
_SHOWN = 3


@dataclass(frozen=True)
class Entry:
    """One tensor under both names."""

    ours: str
    theirs: str
    layout: str = ""
    """Our axes and theirs as an einops pattern, e.g. "o i h w -> 1 o i h w"; empty when they agree."""


def without_prefix(state: Mapping[str, Any]) -> dict[str, Any]:
    """A state dict without the `module.` before every key that a model gets where it is spread over devices."""
    spread = all(isinstance(key, str) and key.startswith(PREFIX) for key in state)
    return {key.removeprefix(PREFIX): value for key, value in state.items()} if spread else dict(state)


def import_state(table: Sequence[Entry], foreign: Mapping[str, Tensor], *, where: str) -> dict[str, Tensor]:
    """A foreign state dict under our names and layouts.

    Args:
        table: The correspondence; must cover `foreign` exactly.
        foreign: Their tensors.
        where: The file's name, for messages.

    Raises:
        InputError: A key is missing or left over, or a tensor has another number of axes.
    """
    known = {entry.theirs for entry in table}
    refuse_key_mismatch(missing=known - foreign.keys(), extra=foreign.keys() - known, where=where)
    return {entry.ours: _relayout(foreign[entry.theirs], entry, backward=True, where=where) for entry in table}


def export_state(table: Sequence[Entry], state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our state dict under the foreign names and layouts; keys of ours that the table does not name are left out."""
    return {entry.theirs: _relayout(state[entry.ours], entry, backward=False, where="export") for entry in table}


def refuse_key_mismatch(*, missing: set[str], extra: set[str], where: str) -> None:
    """Raises an `InputError` that names the keys, if there are any."""
    problems = [
        f"{len(keys)} {word} ({', '.join(sorted(keys)[:_SHOWN])}{', ...' if len(keys) > _SHOWN else ''})"
        for word, keys in (("missing", missing), ("unexpected", extra))
        if keys
    ]
    if problems:
        raise InputError(
            f"{where}: keys do not fit: {' and '.join(problems)}", fix="check that the file is what it is taken for"
        )


def tensors_of(state: Mapping[str, Any], *, where: str) -> dict[str, Tensor]:
    """A foreign state dict without the prefix that spread models have.

    Raises:
        InputError: Something in it is no tensor; the key is named.
    """
    foreign = without_prefix(state)
    refuse_key_mismatch(
        missing=set(), extra={str(key) for key, value in foreign.items() if not isinstance(value, Tensor)}, where=where
    )
    return foreign


def _relayout(tensor: Tensor, entry: Entry, *, backward: bool, where: str) -> Tensor:
    if not entry.layout:
        return tensor
    left, right = (side.strip() for side in entry.layout.split("->"))
    source, target = (right, left) if backward else (left, right)
    axes = [] if source == "()" else source.split()
    fits = tensor.ndim == len(axes) and all(axis != "1" or size == 1 for axis, size in zip(axes, tensor.shape, strict=True))
    if not fits:
        raise InputError(f"{where}: {entry.theirs} has the wrong shape", given=list(tensor.shape), allowed=f"[{source}]")
    return rearrange(tensor, f"{'' if source == '()' else source} -> {'' if target == '()' else target}").contiguous()
