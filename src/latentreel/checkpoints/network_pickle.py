"""Network pickles of StyleGAN2-ADA and of the StyleGAN3 repository (`.pkl`): the StyleGAN2s in them, G, G_ema and D.

`pickled_modules` reads the objects; from their names, numbers and tensors the sizes and the variant are found here.
"""

from collections.abc import Mapping
from typing import Any

from latentreel.checkpoints.key_table import Entry, ForeignState, empty_network, import_module
from latentreel.checkpoints.pickled_modules import (
    GENERATORS,
    axis_size,
    block_sizes,
    check_multiplier,
    conv_clamp,
    default_network,
    deviation_group,
    flatten,
    holds_networks,
    mapping_depth,
    network_record,
    take_filters,
)
from latentreel.checkpoints.plain_values import shown
from latentreel.core.errors import InputError
from latentreel.image_generators.stylegan2.config import Architecture, StyleGAN2Config
from latentreel.image_generators.stylegan2.discriminator import StyleGAN2Discriminator
from latentreel.image_generators.stylegan2.generator import StyleGAN2Generator

FORMAT = "a network pickle of StyleGAN2-ADA or the StyleGAN3 repository"


def recognizes(content: Any) -> bool:
    """Whether a loaded file looks like this format."""
    return holds_networks(content)


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
    record = network_record(content, network, kind="Generator", where=where)
    state, attributes = flatten(record, where=where)
    if "synthesis.b4.const" not in state:
        raise InputError(f"{where}: {network} is another kind of generator", given=_guess(state), allowed="a StyleGAN2")
    config = StyleGAN2Config(**generator_sizes(state, attributes, where=where))
    take_filters(state, where=where)
    with empty_network(where=where):
        empty = StyleGAN2Generator(config)
    return import_module(empty, generator_table(config), state, where=where)


def import_discriminator(content: Mapping[str, Any], *, where: str) -> StyleGAN2Discriminator:
    """The discriminator D in eval mode, frozen; arguments and errors are those of `import_generator`."""
    record = network_record(content, "D", kind="Discriminator", where=where)
    state, attributes = flatten(record, where=where)
    if "b4.fc.weight" not in state:
        raise InputError(f"{where}: D is another kind of discriminator", given=_guess(state), allowed="a StyleGAN2's")
    config = StyleGAN2Config(**discriminator_sizes(state, attributes, where=where))
    take_filters(state, where=where)
    with empty_network(where=where):
        empty = StyleGAN2Discriminator(config)
    return import_module(empty, discriminator_table(config), state, where=where)


def generator_table(config: StyleGAN2Config) -> list[Entry]:
    """The two-way table for a generator of the given sizes."""
    ends = [Entry("mean_latent", "mapping.w_avg"), Entry("blocks.0.constant", "synthesis.b4.const")]
    return mapping_table(config.mapping_layers, conditional=config.num_classes > 0) + ends + synthesis_table(config)


def discriminator_table(config: StyleGAN2Config) -> list[Entry]:
    """The two-way table for a discriminator of the given sizes."""
    mapping = mapping_table(config.mapping_layers, conditional=True) if config.num_classes else []
    return mapping + judging_table(config)


def mapping_table(depth: int, *, conditional: bool) -> list[Entry]:
    """The rows of a mapping network; one with a condition embeds it."""
    layers = {f"layers.{i}": f"fc{i}" for i in range(depth)} | ({"embed": "embed"} if conditional else {})
    return [Entry(f"mapping.{a}.{part}", f"mapping.{b}.{part}") for a, b in layers.items() for part in ("weight", "bias")]


def synthesis_table(config: StyleGAN2Config, *, noise: bool = True) -> list[Entry]:
    """The rows of a generator's layers, with their per-pixel noise or without it."""
    table = []
    parts = ("weight", "bias", "affine.weight", "affine.bias", *(["noise_strength"] if noise else []))
    for level, size in enumerate(config.sizes):
        ours, theirs = f"blocks.{level}", f"synthesis.b{size}"
        layers = {"layer": "conv1"} if level == 0 else {"up_layer": "conv0", "layer": "conv1"}
        for a, b in layers.items():
            table += [Entry(f"{ours}.{a}.{part}", f"{theirs}.{b}.{part}") for part in parts]
            table += [Entry(f"{ours}.{a}.noise_map", f"{theirs}.{b}.noise_const")] if noise else []
        if config.architecture == "skip" or size == config.resolution:
            table += [Entry(f"{ours}.to_rgb.{part}", f"{theirs}.torgb.{part}") for part in parts[:4]]
        if config.architecture == "resnet" and level:
            table.append(Entry(f"{ours}.shortcut", f"{theirs}.skip.weight"))
    return table


def judging_table(config: StyleGAN2Config) -> list[Entry]:
    """The rows of a discriminator's layers but its mapping network."""
    variant = config.discriminator_architecture
    table = []
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


# --- finding sizes and variants ------------------------------------------------------------------------------------------


def generator_sizes(state: ForeignState, attributes: Mapping[str, Any], *, where: str) -> dict[str, Any]:
    """The fields of a config that a generator's layers tell.

    Raises:
        InputError: A tensor that tells a size is missing, or a number is out of range.
    """
    sizes = block_sizes(state, "synthesis.b", ".conv1.weight", where=where)
    classes = axis_size(state, "mapping.embed.weight", 1, where=where) if "mapping.embed.weight" in state else 0
    w_dim = axis_size(state, "synthesis.b4.conv1.affine.weight", 1, where=where)
    check_multiplier(attributes, "mapping.fc0", where=where)
    return {
        "resolution": sizes[-1],
        "channels": tuple(axis_size(state, f"synthesis.b{size}.conv1.weight", 0, where=where) for size in sizes),
        "z_dim": axis_size(state, "mapping.fc0.weight", 1, where=where) - (w_dim if classes else 0),
        "w_dim": w_dim,
        "mapping_layers": mapping_depth(state, where=where),
        "architecture": _architecture(state, f"synthesis.b{sizes[-1]}.skip.weight", "synthesis.b4.torgb.weight"),
        "conv_clamp": conv_clamp(attributes, "synthesis.b4.conv1.conv_clamp", where=where),
        "num_classes": classes,
    }


def discriminator_sizes(state: ForeignState, attributes: Mapping[str, Any], *, where: str) -> dict[str, Any]:
    """The fields of a config that a discriminator's layers tell; `num_classes` is the width of whatever condition it takes.

    Raises:
        InputError: As in `generator_sizes`.
    """
    sizes = [4, *block_sizes(state, "b", ".conv0.weight", first=8, where=where)]
    widths = [axis_size(state, "b4.fc.weight", 0, where=where)]
    if "mapping.fc0.weight" in state:
        check_multiplier(attributes, "mapping.fc0", where=where)
    return {
        "resolution": sizes[-1],
        "channels": tuple(widths + [axis_size(state, f"b{size}.conv0.weight", 0, where=where) for size in sizes[1:]]),
        "mapping_layers": max(mapping_depth(state, where=where), 1),
        "discriminator_architecture": _architecture(state, f"b{sizes[-1]}.skip.weight", "b4.fromrgb.weight"),
        "conv_clamp": conv_clamp(attributes, "b4.conv.conv_clamp", where=where),
        "num_classes": axis_size(state, "mapping.embed.weight", 1, where=where) if "mapping.embed.weight" in state else 0,
        "deviation_group": deviation_group(attributes, where=where),
    }


def _architecture(state: ForeignState, residual: str, skipping: str) -> Architecture:
    if residual in state:
        return "resnet"
    return "skip" if skipping in state else "orig"


def _guess(state: Mapping[str, Any]) -> str:
    """What a network may be that is no StyleGAN2."""
    if any(key.startswith("synthesis.input.") for key in state):
        return "an alias-free StyleGAN3"
    if any("motion_encoder" in key or "time_encoder" in key for key in state):
        return "a StyleGAN-V, which generates videos: load_video_generator opens it"
    return f"keys {', '.join(shown(key) for key in list(state)[:3])}, ..."
