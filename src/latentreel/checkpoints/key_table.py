"""Two-way key tables: how a foreign checkpoint's names and layouts correspond to ours.

A table is the whole importer: reading it left to right exports, right to left imports, and every key that is missing or left
over is named.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from einops import rearrange
from torch import Tensor, nn

from latentreel.checkpoints.stored_tensor import StoredTensor
from latentreel.core.errors import InputError

PREFIX = "module."
M = TypeVar("M", bound=nn.Module)
ForeignState = Mapping[str, Tensor | StoredTensor]

_SHOWN = 3
_CHECK = "check that the file is what it is taken for"


@dataclass(frozen=True)
class Entry:
    """One tensor under both names."""

    ours: str
    theirs: str
    layout: str = ""
    """Our axes and theirs as an einops pattern, e.g. "o i h w -> 1 o i h w"; empty when they agree."""


@contextmanager
def empty_network(*, where: str) -> Iterator[None]:
    """Networks built in here have no weights yet: what sizes a file claims takes no memory.

    Raises:
        InputError: No network can have such sizes.
    """
    try:
        with torch.device("meta"):
            yield
    except RuntimeError as error:
        raise InputError(f"{where}: no network has these sizes: {str(error).splitlines()[0]}") from error


def without_prefix(state: Mapping[str, Any]) -> dict[str, Any]:
    """A state dict without the `module.` before every key that a model gets where it is spread over devices."""
    spread = all(isinstance(key, str) and key.startswith(PREFIX) for key in state)
    return {key.removeprefix(PREFIX): value for key, value in state.items()} if spread else dict(state)


def import_module(module: M, table: Sequence[Entry], foreign: ForeignState, *, where: str) -> M:
    """Gives a module the weights of a foreign state dict.

    Args:
        module: Best built on the meta device: then the weights take memory once.
        table: The correspondence; must cover `foreign` and the module's own state exactly.
        foreign: Their tensors, in memory or still in the file.
        where: The file's name, for messages.

    Returns:
        The module, in eval mode, frozen.

    Raises:
        InputError: A key is missing or left over, or a tensor has another shape or number format; it is named as the file names it.
    """
    own = module.state_dict()
    state = import_state(table, foreign, own=own, where=where)
    module.load_state_dict(state, assign=any(tensor.is_meta for tensor in own.values()))
    return module.eval().requires_grad_(False)


def import_state(table: Sequence[Entry], foreign: ForeignState, *, own: Mapping[str, Tensor], where: str) -> dict[str, Tensor]:
    """A foreign state dict under our names and layouts; arguments and errors are those of `import_module`.

    Args:
        own: Tensors of the shapes and number formats that are wanted, under our names.
    """
    check_state(table, foreign, own=own, where=where)
    return {
        entry.ours: _relayout(loaded(foreign[entry.theirs]), _reversed(entry.layout)).to(own[entry.ours].dtype).contiguous()
        for entry in table
    }


def check_state(table: Sequence[Entry], foreign: ForeignState, *, own: Mapping[str, Tensor], where: str) -> None:
    """Raises what `import_state` would raise, without loading anything."""
    require_keys(table, foreign, where=where)
    for entry in table:
        given, wanted = foreign[entry.theirs], own[entry.ours]
        shape = _relayout(torch.empty(wanted.shape, device="meta"), entry.layout).shape
        if given.shape != shape:
            problem = f"{where}: {entry.theirs} has the wrong shape"
            raise InputError(problem, given=list(given.shape), allowed=list(shape), fix=_CHECK)
        if given.dtype.is_floating_point != wanted.dtype.is_floating_point or given.dtype.is_complex:
            problem = f"{where}: {entry.theirs} has the wrong number format"
            raise InputError(problem, given=given.dtype, allowed=wanted.dtype, fix=_CHECK)


def loaded(value: Tensor | StoredTensor) -> Tensor:
    """A tensor in memory of its own."""
    return value.load() if isinstance(value, StoredTensor) else value.detach().clone()


def export_state(table: Sequence[Entry], state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our state dict under the foreign names and layouts; keys of ours that the table does not name are left out."""
    return {entry.theirs: _relayout(state[entry.ours].detach(), entry.layout).contiguous() for entry in table}


def require_keys(table: Sequence[Entry], foreign: ForeignState, *, where: str) -> None:
    """Raises an `InputError` that names the keys of the table that are missing, and those that are left over."""
    known = {entry.theirs for entry in table}
    refuse_key_mismatch(missing=known - foreign.keys(), extra=foreign.keys() - known, where=where)


def refuse_key_mismatch(*, missing: set[str], extra: set[str], where: str) -> None:
    """Raises an `InputError` that names the keys, if there are any."""
    problems = [
        f"{len(keys)} {word} ({', '.join(sorted(keys)[:_SHOWN])}{', ...' if len(keys) > _SHOWN else ''})"
        for word, keys in (("missing", missing), ("unexpected", extra))
        if keys
    ]
    if problems:
        raise InputError(f"{where}: keys do not fit: {' and '.join(problems)}", fix=_CHECK)


def tensors_of(state: Mapping[str, Any], *, where: str) -> dict[str, Tensor | StoredTensor]:
    """A foreign state dict without the prefix that spread models have; nothing is loaded yet.

    Raises:
        InputError: Something in it is no tensor; the key is named.
    """
    foreign = without_prefix(state)
    others = {
        str(key) for key, value in foreign.items() if not isinstance(key, str) or not isinstance(value, Tensor | StoredTensor)
    }
    refuse_key_mismatch(missing=set(), extra=others, where=where)
    return foreign


def _relayout(tensor: Tensor, layout: str) -> Tensor:
    left, right = layout.split("->") if layout else ("", "")
    return rearrange(tensor, f"{_axes(left)} -> {_axes(right)}") if layout else tensor


def _axes(side: str) -> str:
    return "" if side.strip() == "()" else side.strip()


def _reversed(layout: str) -> str:
    return "->".join(reversed(layout.split("->")))
