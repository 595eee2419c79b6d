"""Networks that lie in a pickle as objects whose classes come with their source text: StyleGAN2-ADA's way, and its heirs'.

The text is ignored; of the objects only names, numbers and tensors are read. `network_pickle` finds StyleGAN2s in them,
`stylegan_v_pickle` StyleGAN-Vs.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from latentreel.checkpoints.key_table import ForeignState, loaded, refuse_key_mismatch
from latentreel.checkpoints.plain_values import Record, shown
from latentreel.checkpoints.stored_tensor import StoredTensor
from latentreel.core.errors import InputError
from latentreel.image_generators.stylegan2.config import MAX_MAPPING_LAYERS
from latentreel.nn.mapping_network import LR_MULTIPLIER

NETWORKS = ("G", "D", "G_ema")
GENERATORS = ("G_ema", "G")
MAX_MODULES = 10_000  # these networks have some hundred; a file may say that a module is its own part
MAX_NAMES = 100_000  # of all modules' attributes together; a file may give the same ones to each
MAX_NAME_LENGTH = 500
MAX_BLOCKS = 12  # 8192 px
MAX_CLAMP = 1e30


def holds_networks(content: Any) -> bool:
    """Whether a loaded file looks like this form."""
    return isinstance(content, Mapping) and any(isinstance(content.get(name), Record) for name in NETWORKS)


def default_network(content: Mapping[str, Any]) -> str:
    """Which generator is meant where none is named: the averaged one if it is there."""
    return "G_ema" if isinstance(content.get("G_ema"), Record) else "G"


def network_record(content: Mapping[str, Any], name: str, *, kind: str, where: str) -> Record:
    """The object under a name.

    Raises:
        InputError: It is not there, or of another class.
    """
    record = content.get(name)
    if not isinstance(record, Record):
        found = [key for key in NETWORKS if isinstance(content.get(key), Record)]
        raise InputError(f"{where} holds no {name}", given=", ".join(found) or "no networks")
    if record.kind != kind:
        raise InputError(f"{where}: {name} is an unknown kind of network", given=record.kind, allowed=kind)
    return record


def flatten(record: Record, *, where: str) -> tuple[dict[str, Tensor | StoredTensor], dict[str, Any]]:
    """A module's tensors, and its other attributes, under their full names.

    Raises:
        InputError: The object is no module, or its modules have no end.
    """
    tensors: dict[str, Tensor | StoredTensor] = {}
    attributes: dict[str, Any] = {}
    pending: list[tuple[str, Any]] = [("", record)]
    for prefix, module in pending:
        if not isinstance(module, Record) or not isinstance(module.state, dict):
            raise InputError(f"{where} is damaged: {prefix or 'the network'} is no module")
        if max(len(pending) - MAX_MODULES, len(attributes) - MAX_NAMES, len(prefix) - MAX_NAME_LENGTH) > 0:
            raise InputError(f"{where} is damaged: it has too many modules, or modules that are parts of themselves")
        for part in ("_parameters", "_buffers", "_modules"):
            if not isinstance(module.get(part, {}), dict):
                raise InputError(f"{where} is damaged: {prefix}{part} is no table")
        for name, value in {**module.get("_parameters", {}), **module.get("_buffers", {})}.items():
            if isinstance(value, StoredTensor):
                tensors[f"{prefix}{name}"] = value
            elif value is not None:
                raise InputError(f"{where}: {prefix}{name} is no tensor", given=type(value).__name__)
        attributes |= {f"{prefix}{name}": value for name, value in module.state.items()}
        children = module.get("_modules", {})
        pending += [(f"{prefix}{name}.", child) for name, child in children.items() if child is not None]
    return tensors, attributes


def block_sizes(state: ForeignState, before: str, after: str, *, first: int = 4, where: str) -> list[int]:
    """Resolutions of the blocks, doubling from the first."""
    sizes = [first]
    while f"{before}{sizes[-1]}{after}" in state and len(sizes) <= MAX_BLOCKS:
        sizes.append(2 * sizes[-1])
    if len(sizes) > MAX_BLOCKS + 1:
        raise InputError(f"{where}: no StyleGAN2 has this resolution", given=f"{len(sizes)} blocks or more", allowed=MAX_BLOCKS)
    if len(sizes) < 2:
        refuse_key_mismatch(missing={f"{before}{first}{after}"}, extra=set(), where=where)
    return sizes[:-1]


def axis_size(state: ForeignState, key: str, axis: int, *, where: str) -> int:
    """One size of a tensor that must be there."""
    if key not in state:
        refuse_key_mismatch(missing={key}, extra=set(), where=where)
    if state[key].ndim <= axis:
        raise InputError(f"{where}: {key} has the wrong shape", given=list(state[key].shape), allowed=f"more than {axis} axes")
    return state[key].shape[axis]


def mapping_depth(state: ForeignState, *, where: str) -> int:
    """How many layers the mapping network has."""
    depth = sum(key.startswith("mapping.fc") and key.endswith(".weight") for key in state)
    if depth > MAX_MAPPING_LAYERS:
        raise InputError(f"{where}: the mapping network is too deep", given=depth, allowed=f"{MAX_MAPPING_LAYERS} layers")
    return depth


def conv_clamp(attributes: Mapping[str, Any], key: str, *, where: str) -> float | None:
    """The number to which activations are clamped, if any."""
    clamp = attributes.get(key)
    if clamp is not None and (type(clamp) not in (int, float) or not 0 < clamp <= MAX_CLAMP):
        raise InputError(f"{where}: conv_clamp is out of range", given=shown(clamp), allowed="a number above 0, or none")
    return None if clamp is None else float(clamp)


def check_multiplier(attributes: Mapping[str, Any], layer: str, *, where: str) -> None:
    """Raises an `InputError` if a layer of a mapping network does not learn at the usual rate, which its weights are scaled by."""
    multiplier = attributes.get(f"{layer}.bias_gain", LR_MULTIPLIER)
    if type(multiplier) is not float or multiplier != LR_MULTIPLIER:
        raise InputError(f"{where}: {layer} has another learning rate", given=shown(multiplier), allowed=LR_MULTIPLIER)


def deviation_group(attributes: Mapping[str, Any], *, where: str) -> int:
    """Samples in a group of the minibatch deviation."""
    group, channels = (
        attributes.get(f"b4.mbstd.{name}", default) for name, default in (("group_size", 4), ("num_channels", 1))
    )
    if type(group) is not int or group < 1 or type(channels) is not int or channels != 1:
        problem = f"{where}: D measures a batch's deviation in a way not known here"
        raise InputError(problem, given=f"{shown(group)}, {shown(channels)}", allowed="a group size, and one channel")
    return group


def take_filters(state: dict[str, Tensor | StoredTensor], *, where: str) -> None:
    """Takes the constants of the resampling filters out of the state; they may not be others than ours."""
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
    ours = torch.outer(taps, taps)
    for key in [key for key in state if key.endswith("resample_filter")]:
        theirs = state.pop(key)
        if theirs.shape != ours.shape or not torch.allclose(loaded(theirs).float(), ours, atol=1e-6):
            raise InputError(f"{where}: {key} is another filter", given=list(theirs.shape), allowed="[1, 3, 3, 1]")
