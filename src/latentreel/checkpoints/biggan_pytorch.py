"""BigGAN-PyTorch's generator state dicts (`G_ema.pth`), the format most public PyTorch BigGAN weights come in.

Every key may carry the prefix `module.` of a model that was saved while spread over several devices. In some files the norms'
statistics lie one level deeper, under `.bn`, perhaps with a counter that only training reads: the level is taken out and the
counter dropped. All sizes are found from the tensors.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from torch import Tensor

from latentreel.checkpoints.key_table import (
    Entry,
    ForeignState,
    empty_network,
    export_state,
    import_module,
    refuse_key_mismatch,
    tensors_of,
    without_prefix,
)
from latentreel.checkpoints.stored_tensor import StoredTensor
from latentreel.core.errors import InputError
from latentreel.image_generators.biggan.config import WIDTHS, BigGANConfig
from latentreel.image_generators.biggan.generator import BigGANGenerator

SUFFIX = ".pth"
TELLING = {"output_layer.2.weight", "blocks.0.0.bn1.gain.weight"}  # the discriminator's files have neither

_NORM = re.compile(r"(blocks\.[0-9]+\.0\.bn[12]|output_layer\.0)\.(bn\.)?(.+)")
_BLOCK = re.compile(r"blocks\.([0-9]{1,3})\.([01])\..+")


def recognizes(content: Any) -> bool:
    """Whether a loaded file looks like this format."""
    return isinstance(content, Mapping) and not TELLING.isdisjoint(without_prefix(content))


def import_generator(content: Mapping[str, Any], *, where: str) -> BigGANGenerator:
    """A generator in eval mode, frozen.

    Args:
        content: What the file holds.
        where: The file's name, for messages.

    Raises:
        InputError: Keys are missing or left over, or shapes contradict each other.
    """
    state = _flattened(tensors_of(content, where=where), where=where)
    config = find_config(state, where=where)
    with empty_network(where=where):
        empty = BigGANGenerator(config)
    return import_module(empty, key_table(config), state, where=where)


def export_generator(generator: BigGANGenerator, *, drop_clamp: bool = False) -> dict[str, Tensor]:  # noqa: ARG001
    """The content of a `G_ema.pth` that other programs read; a BigGAN has no clamp to drop."""
    return export_state(key_table(generator.config), generator.state_dict())


def find_config(state: ForeignState, *, where: str) -> BigGANConfig:
    """Resolution, widths and variant, read off the tensors.

    Args:
        state: Tensors under their names, without prefix and without the level `.bn`.
        where: The file's name, for messages.

    Raises:
        InputError: A tensor that tells a size is missing, has another number of axes, or tells an impossible size.
    """
    found = [match for match in map(_BLOCK.fullmatch, state) if match]
    num_blocks = 1 + max((int(match[1]) for match in found), default=0)
    resolutions = {len(widths) - 1: resolution for resolution, widths in WIDTHS.items()}
    if num_blocks not in resolutions:
        allowed = ", ".join(f"{blocks} ({resolution} px)" for blocks, resolution in resolutions.items())
        raise InputError(f"{where}: no BigGAN has this number of blocks", given=num_blocks, allowed=allowed)
    convs = [_axes(state, f"blocks.{i}.0.conv1.weight", 4, where=where) for i in range(num_blocks)]
    first, gain = (_axes(state, key, 2, where=where) for key in ("linear.weight", "blocks.0.0.bn1.gain.weight"))
    tables = "shared.weight" not in state and "blocks.0.0.bn1.gain.u0" not in state and gain[1] == convs[0][1]
    classes, shared = (gain[0], 0) if tables else _axes(state, "shared.weight", 2, where=where)
    hierarchical = not tables and gain[1] > shared
    try:
        return BigGANConfig(
            resolution=resolutions[num_blocks],
            channels=(convs[0][1], *(conv[0] for conv in convs)),
            z_dim=first[1] * (num_blocks + 1 if hierarchical else 1),
            num_classes=classes,
            shared_dim=shared,
            hierarchical=hierarchical,
            attention=tuple(sorted({2 ** (3 + int(match[1])) for match in found if match[2] == "1"})),
            spectral_norm=any(key.endswith(".u0") for key in state),
        )
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def key_table(config: BigGANConfig) -> list[Entry]:
    """The two-way table for a generator of the given sizes."""
    layer = ("weight", "bias", "u0", "sv0") if config.spectral_norm else ("weight", "bias")
    bare = tuple(part for part in layer if part != "bias")
    steering = bare if config.shared_dim else ("weight",)
    table = _entries("shared", "shared", ["weight"] if config.shared_dim else []) + _entries("linear", "linear", layer)
    for i, size in enumerate(config.sizes):
        ours, theirs = f"blocks.{i}", f"blocks.{i}.0"
        table += _entries(f"{ours}.conv1", f"{theirs}.conv1", layer)
        table += _entries(f"{ours}.conv2", f"{theirs}.conv2", layer)
        table += _entries(f"{ours}.shortcut", f"{theirs}.conv_sc", layer)
        for k in (1, 2):
            table += _entries(f"{ours}.norm{k}.gain", f"{theirs}.bn{k}.gain", steering)
            table += _entries(f"{ours}.norm{k}.bias", f"{theirs}.bn{k}.bias", steering)
            table += _entries(f"{ours}.norm{k}", f"{theirs}.bn{k}", ("stored_mean", "stored_var"))
        if size in config.attention:
            for part in ("theta", "phi", "g", "o"):
                table += _entries(f"{ours}.attention.{part}", f"blocks.{i}.1.{part}", bare)
            table += _entries(f"{ours}.attention", f"blocks.{i}.1", ["gamma"])
    table += _entries("output_norm", "output_layer.0", ("gain", "bias", "stored_mean", "stored_var"))
    return table + _entries("to_rgb", "output_layer.2", layer)


def _entries(ours: str, theirs: str, parts: Iterable[str]) -> list[Entry]:
    return [Entry(f"{ours}.{part}", f"{theirs}.{part}") for part in parts]


def _flattened(state: ForeignState, *, where: str) -> dict[str, Tensor | StoredTensor]:
    """The norms' tensors without the level `.bn` and without the counter of training steps."""
    flat: dict[str, Tensor | StoredTensor] = {}
    for key, tensor in state.items():
        match = _NORM.fullmatch(key)
        if match and match[3] == "accumulation_counter":
            continue
        name = f"{match[1]}.{match[3]}" if match else key
        if name in flat:
            raise InputError(f"{where}: {name} is there twice, once under .bn", fix="leave one of the two out")
        flat[name] = tensor
    return flat


def _axes(state: ForeignState, key: str, ndim: int, *, where: str) -> tuple[int, ...]:
    if key not in state:
        refuse_key_mismatch(missing={key}, extra=set(), where=where)
    if state[key].ndim != ndim:
        raise InputError(f"{where}: {key} has the wrong shape", given=list(state[key].shape), allowed=f"{ndim} axes")
    return tuple(state[key].shape)
