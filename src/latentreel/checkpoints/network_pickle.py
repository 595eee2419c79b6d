"""Network pickles of StyleGAN2-ADA and of the StyleGAN3 repository (`.pkl`): the StyleGAN2s in them, G, G_ema and D.

The networks lie in the file as objects whose classes come with their source text. The text is ignored; of the objects only names,
numbers and tensors are read, and from those the sizes and the variant are found.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from latentreel.checkpoints.key_table import Entry, ForeignState, empty_network, import_module, loaded, refuse_key_mismatch
from latentreel.checkpoints.plain_values import Record, shown
from latentreel.checkpoints.stored_tensor import StoredTensor
from latentreel.core.errors import InputError
from latentreel.image_generators.stylegan2.config import Architecture, StyleGAN2Config
from latentreel.image_generators.stylegan2.discriminator import StyleGAN2Discriminator
from latentreel.image_generators.stylegan2.generator import StyleGAN2Generator
from latentreel.nn.mapping_network import LR_MULTIPLIER

FORMAT = "a network pickle of StyleGAN2-ADA or the StyleGAN3 repository"
NETWORKS = ("G", "D", "G_ema")
GENERATORS = ("G_ema", "G")
MAX_MODULES = 10_000  # these networks have some hundred; a file may say that a module is its own part
MAX_NAMES = 100_000  # of all modules' attributes together; a file may give the same ones to each
MAX_NAME_LENGTH = 500
MAX_MAPPING_LAYERS = 64  # the published ones have 2 or 8
MAX_BLOCKS = 12  # 8192 px
MAX_CLAMP = 1e30


def recognizes(content: Any) -> bool:
    """Whether a loaded file looks like this format."""
    return isinstance(content, Mapping) and any(isinstance(content.get(name), Record) for name in NETWORKS)


def default_network(content: Mapping[str, Any]) -> str:
    """Which generator is meant where none is named: the averaged one if it is there."""
    return "G_ema" if isinstance(content.get("G_ema"), Record) else "G"


def import_generator(content: Mapping[str, Any], *, network: str | None = None, where: str) -> StyleGAN2Generator:
    """A generator in eval mode, frozen.

    Args:
        content: What the file holds.
        network: "G_ema", the averaged one, or "G"; by default the averaged one if it is there.
        where: The file's name, for messages.

    Raises:
        InputError: It is not there, or another kind of network; keys are missing or left over, or shapes contradict each other.
    """
    network = network or default_network(content)
    if network not in GENERATORS:
        raise InputError("there is no such generator in a network pickle", given=network, allowed=", ".join(GENERATORS))
    record = _network(content, network, kind="Generator", where=where)
    state, attributes = _flatten(record, where=where)
    if "synthesis.b4.const" not in state:
        raise InputError(f"{where}: {network} is another kind of generator", given=_guess(state), allowed="a StyleGAN2")
    config = _generator_config(state, attributes, where=where)
    _take_filters(state, where=where)
    with empty_network(where=where):
        empty = StyleGAN2Generator(config)
    return import_module(empty, generator_table(config), state, where=where)


def import_discriminator(content: Mapping[str, Any], *, where: str) -> StyleGAN2Discriminator:
    """The discriminator D in eval mode, frozen; arguments and errors are those of `import_generator`."""
    record = _network(content, "D", kind="Discriminator", where=where)
    state, attributes = _flatten(record, where=where)
    if "b4.fc.weight" not in state:
        raise InputError(f"{where}: D is another kind of discriminator", given=_guess(state), allowed="a StyleGAN2's")
    if "mapping.fc0.weight" in state:
        _check_mapping(attributes, where=where)
    config = _discriminator_config(state, attributes, where=where)
    _take_filters(state, where=where)
    with empty_network(where=where):
        empty = StyleGAN2Discriminator(config)
    return import_module(empty, discriminator_table(config), state, where=where)


def generator_table(config: StyleGAN2Config) -> list[Entry]:
    """The two-way table for a generator of the given sizes."""
    table = _mapping_table(config)
    table += [Entry("mean_latent", "mapping.w_avg"), Entry("blocks.0.constant", "synthesis.b4.const")]
    for level, size in enumerate(config.sizes):
        ours, theirs = f"blocks.{level}", f"synthesis.b{size}"
        layers = {"layer": "conv1"} if level == 0 else {"up_layer": "conv0", "layer": "conv1"}
        for our_layer, their_layer in layers.items():
            table += [
                Entry(f"{ours}.{our_layer}.{part}", f"{theirs}.{their_layer}.{part}")
                for part in ("weight", "bias", "noise_strength", "affine.weight", "affine.bias")
            ]
            table.append(Entry(f"{ours}.{our_layer}.noise_map", f"{theirs}.{their_layer}.noise_const"))
        if config.architecture == "skip" or size == config.resolution:
            parts = ("weight", "bias", "affine.weight", "affine.bias")
            table += [Entry(f"{ours}.to_rgb.{part}", f"{theirs}.torgb.{part}") for part in parts]
        if config.architecture == "resnet" and level:
            table.append(Entry(f"{ours}.shortcut", f"{theirs}.skip.weight"))
    return table


def discriminator_table(config: StyleGAN2Config) -> list[Entry]:
    """The two-way table for a discriminator of the given sizes."""
    variant = config.discriminator_architecture
    table = _mapping_table(config) if config.num_classes else []
    for index, size in enumerate(reversed(config.sizes[1:])):
        layers = ["conv0", "conv1"] + (["from_rgb"] if variant == "skip" or index == 0 else [])
        table += [
            Entry(f"blocks.{index}.{layer}.{part}", f"b{size}.{layer.replace('_', '')}.{part}")
            for layer in layers
            for part in ("weight", "bias")
        ]
        if variant == "resnet":
            table.append(Entry(f"blocks.{index}.shortcut.weight", f"b{size}.skip.weight"))
    last = {"conv": "conv", "linear": "fc", "output": "out"} | ({"from_rgb": "fromrgb"} if variant == "skip" else {})
    return table + [Entry(f"{a}.{part}", f"b4.{b}.{part}") for a, b in last.items() for part in ("weight", "bias")]


def _mapping_table(config: StyleGAN2Config) -> list[Entry]:
    layers = {f"layers.{i}": f"fc{i}" for i in range(config.mapping_layers)} | (
        {"embed": "embed"} if config.num_classes else {}
    )
    return [Entry(f"mapping.{a}.{part}", f"mapping.{b}.{part}") for a, b in layers.items() for part in ("weight", "bias")]


# --- finding sizes and variants ------------------------------------------------------------------------------------------


def _generator_config(state: ForeignState, attributes: Mapping[str, Any], *, where: str) -> StyleGAN2Config:
    sizes = _sizes(state, "synthesis.b", ".conv1.weight", where=where)
    classes = _axis(state, "mapping.embed.weight", 1, where=where) if "mapping.embed.weight" in state else 0
    w_dim = _axis(state, "synthesis.b4.conv1.affine.weight", 1, where=where)
    _check_mapping(attributes, where=where)
    return StyleGAN2Config(
        resolution=sizes[-1],
        channels=tuple(_axis(state, f"synthesis.b{size}.conv1.weight", 0, where=where) for size in sizes),
        z_dim=_axis(state, "mapping.fc0.weight", 1, where=where) - (w_dim if classes else 0),
        w_dim=w_dim,
        mapping_layers=_depth(state, where=where),
        architecture=_architecture(state, f"synthesis.b{sizes[-1]}.skip.weight", "synthesis.b4.torgb.weight"),
        conv_clamp=_clamp(attributes, "synthesis.b4.conv1.conv_clamp", where=where),
        num_classes=classes,
    )


def _discriminator_config(state: ForeignState, attributes: Mapping[str, Any], *, where: str) -> StyleGAN2Config:
    sizes = [4, *_sizes(state, "b", ".conv0.weight", first=8, where=where)]
    group, channels = (
        attributes.get(f"b4.mbstd.{name}", default) for name, default in (("group_size", 4), ("num_channels", 1))
    )
    if type(group) is not int or group < 1 or type(channels) is not int or channels != 1:
        problem = f"{where}: D measures a batch's deviation in a way not known here"
        raise InputError(problem, given=f"{shown(group)}, {shown(channels)}", allowed="a group size, and one channel")
    widths = [_axis(state, "b4.fc.weight", 0, where=where)]
    return StyleGAN2Config(
        resolution=sizes[-1],
        channels=tuple(widths + [_axis(state, f"b{size}.conv0.weight", 0, where=where) for size in sizes[1:]]),
        mapping_layers=max(_depth(state, where=where), 1),
        discriminator_architecture=_architecture(state, f"b{sizes[-1]}.skip.weight", "b4.fromrgb.weight"),
        conv_clamp=_clamp(attributes, "b4.conv.conv_clamp", where=where),
        num_classes=_axis(state, "mapping.embed.weight", 1, where=where) if "mapping.embed.weight" in state else 0,
        deviation_group=group,
    )


def _sizes(state: ForeignState, before: str, after: str, *, first: int = 4, where: str) -> list[int]:
    """Resolutions of the blocks, doubling from the first."""
    sizes = [first]
    while f"{before}{sizes[-1]}{after}" in state and len(sizes) <= MAX_BLOCKS:
        sizes.append(2 * sizes[-1])
    if len(sizes) > MAX_BLOCKS + 1:
        raise InputError(f"{where}: no StyleGAN2 has this resolution", given=f"{len(sizes)} blocks or more", allowed=MAX_BLOCKS)
    if len(sizes) < 2:
        refuse_key_mismatch(missing={f"{before}{first}{after}"}, extra=set(), where=where)
    return sizes[:-1]


def _axis(state: ForeignState, key: str, axis: int, *, where: str) -> int:
    if key not in state:
        refuse_key_mismatch(missing={key}, extra=set(), where=where)
    if state[key].ndim <= axis:
        raise InputError(f"{where}: {key} has the wrong shape", given=list(state[key].shape), allowed=f"more than {axis} axes")
    return state[key].shape[axis]


def _depth(state: ForeignState, *, where: str) -> int:
    depth = sum(key.startswith("mapping.fc") and key.endswith(".weight") for key in state)
    if depth > MAX_MAPPING_LAYERS:
        raise InputError(f"{where}: the mapping network is too deep", given=depth, allowed=f"{MAX_MAPPING_LAYERS} layers")
    return depth


def _architecture(state: ForeignState, residual: str, skipping: str) -> Architecture:
    if residual in state:
        return "resnet"
    return "skip" if skipping in state else "orig"


def _clamp(attributes: Mapping[str, Any], key: str, *, where: str) -> float | None:
    clamp = attributes.get(key)
    if clamp is not None and (type(clamp) not in (int, float) or not 0 < clamp <= MAX_CLAMP):
        raise InputError(f"{where}: conv_clamp is out of range", given=shown(clamp), allowed="a number above 0, or none")
    return None if clamp is None else float(clamp)


def _check_mapping(attributes: Mapping[str, Any], *, where: str) -> None:
    multiplier = attributes.get("mapping.fc0.bias_gain", LR_MULTIPLIER)
    if type(multiplier) is not float or multiplier != LR_MULTIPLIER:
        problem = f"{where}: the mapping network has another learning rate"
        raise InputError(problem, given=shown(multiplier), allowed=LR_MULTIPLIER)


def _take_filters(state: dict[str, Tensor | StoredTensor], *, where: str) -> None:
    """Takes the constants of the resampling filters out of the state; they may not be others than ours."""
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
    ours = torch.outer(taps, taps)
    for key in [key for key in state if key.endswith("resample_filter")]:
        theirs = state.pop(key)
        if theirs.shape != ours.shape or not torch.allclose(loaded(theirs).float(), ours, atol=1e-6):
            raise InputError(f"{where}: {key} is another filter", given=list(theirs.shape), allowed="[1, 3, 3, 1]")


# --- the objects in the file ---------------------------------------------------------------------------------------------


def _network(content: Mapping[str, Any], name: str, *, kind: str, where: str) -> Record:
    record = content.get(name)
    if not isinstance(record, Record):
        found = [key for key in NETWORKS if isinstance(content.get(key), Record)]
        raise InputError(f"{where} holds no {name}", given=", ".join(found) or "no networks")
    if record.kind != kind:
        raise InputError(f"{where}: {name} is an unknown kind of network", given=record.kind, allowed=kind)
    return record


def _flatten(record: Record, *, where: str) -> tuple[dict[str, Tensor | StoredTensor], dict[str, Any]]:
    """A module's tensors, and its other attributes, under their full names."""
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


def _guess(state: Mapping[str, Any]) -> str:
    """What a network may be that is no StyleGAN2."""
    if any(key.startswith("synthesis.input.") for key in state):
        return "an alias-free StyleGAN3"
    if any("motion_encoder" in key or "time_encoder" in key for key in state):
        return "a StyleGAN-V, which generates videos"
    return f"keys {', '.join(shown(key) for key in list(state)[:3])}, ..."
