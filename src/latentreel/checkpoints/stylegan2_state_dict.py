"""StyleGAN2 `g_ema` state dicts (`.pt`), the format most public PyTorch StyleGAN2 weights come in.

A file holds `{"g_ema": state dict, "latent_avg": mean latent}`, or the state dict alone. All sizes are found from the tensors.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from latentreel.checkpoints.key_table import (
    Entry,
    ForeignState,
    empty_network,
    export_state,
    import_module,
    loaded,
    refuse_key_mismatch,
    tensors_of,
    without_prefix,
)
from latentreel.checkpoints.stored_tensor import StoredTensor
from latentreel.core.errors import InputError
from latentreel.image_generators.stylegan2.config import MAX_MAPPING_LAYERS, StyleGAN2Config
from latentreel.image_generators.stylegan2.generator import StyleGAN2Generator

SUFFIX = ".pt"
MAX_BLOCKS = 12  # 8192 px
MAX_WIDTH = 8192  # to find the mean latent takes a hundred thousand of them


def recognizes(content: Any) -> bool:
    """Whether a loaded file looks like this format."""
    state = content.get("g_ema", content) if isinstance(content, Mapping) else None
    return isinstance(state, Mapping) and not {"input.input", "conv1.conv.weight"}.isdisjoint(without_prefix(state))


def import_generator(content: Mapping[str, Any], *, where: str) -> StyleGAN2Generator:
    """A generator in eval mode, frozen.

    Args:
        content: What the file holds.
        where: The file's name, for messages.

    Raises:
        InputError: Keys are missing or left over, or shapes contradict each other.
    """
    state = tensors_of(content.get("g_ema", content), where=where)
    config = find_config(state, where=where)
    _check_filters(state, config, where=where)
    mean = content.get("latent_avg")
    if mean is not None and (not isinstance(mean, Tensor | StoredTensor) or mean.numel() != config.w_dim):
        raise InputError(f"{where}: latent_avg is no latent", allowed=f"a tensor of {config.w_dim} numbers")
    state["latent_avg"] = torch.zeros(config.w_dim) if mean is None else loaded(mean).reshape(-1)
    with empty_network(where=where):
        empty = StyleGAN2Generator(config)
    generator = import_module(empty, key_table(config), state, where=where)
    if mean is None:
        generator.estimate_mean_latent()
    return generator


def export_generator(generator: StyleGAN2Generator, *, drop_clamp: bool = False) -> dict[str, Any]:
    """The content of a `.pt` file that other programs read.

    Args:
        generator: What is written.
        drop_clamp: Leave out conv_clamp, for which the format has no place; pictures differ where an activation reaches it.

    Raises:
        InputError: The generator is of a variant for which the format has no place.
    """
    config = generator.config
    if config.architecture != "skip" or config.num_classes or (config.conv_clamp is not None and not drop_clamp):
        given = f"{config.architecture}, conv_clamp {config.conv_clamp}, {config.num_classes} classes"
        fix = None if config.conv_clamp is None else "drop the clamp, if nothing else is in the way"
        allowed = "skip without conv_clamp and classes"
        raise InputError("this format has no place for the variant", given=given, allowed=allowed, fix=fix)
    foreign = export_state(key_table(config), generator.state_dict()) | _filters(config)
    return {"latent_avg": foreign.pop("latent_avg"), "g_ema": foreign}


def find_config(state: ForeignState, *, where: str) -> StyleGAN2Config:
    """Resolution, widths and depths, read off the tensors."""
    try:
        levels = 1 + sum(key.startswith("to_rgbs.") and key.endswith(".bias") and ".modulation" not in key for key in state)
        names = ["conv1.conv.weight"] + [f"convs.{2 * level + 1}.conv.weight" for level in range(levels - 1)]
        layers = sum(key.startswith("style.") and key.endswith(".weight") for key in state)
        if levels > MAX_BLOCKS or layers > MAX_MAPPING_LAYERS:
            given = f"{levels} blocks, {layers} mapping layers"
            raise InputError(f"{where}: no StyleGAN2 is so deep", given=given, allowed=f"{MAX_BLOCKS}, {MAX_MAPPING_LAYERS}")
        for name, axes in {**dict.fromkeys(names, 5), "style.1.weight": 2, "conv1.conv.modulation.weight": 2}.items():
            if state[name].ndim != axes or max(state[name].shape) > MAX_WIDTH:
                allowed = f"{axes} axes, none above {MAX_WIDTH}"
                raise InputError(f"{where}: {name} has the wrong shape", given=list(state[name].shape), allowed=allowed)
        return StyleGAN2Config(
            resolution=2 ** (levels + 1),
            channels=tuple(state[name].shape[1] for name in names),
            z_dim=state["style.1.weight"].shape[1],
            w_dim=state["conv1.conv.modulation.weight"].shape[1],
            mapping_layers=layers,
        )
    except KeyError as error:
        refuse_key_mismatch(missing={str(error.args[0])}, extra=set(), where=where)
        raise


def key_table(config: StyleGAN2Config) -> list[Entry]:
    """The two-way table for a generator of the given sizes; the filter constants are apart."""
    table = [Entry("mean_latent", "latent_avg")]  # which lies beside the state dict
    table += [
        Entry(f"mapping.layers.{i}.{part}", f"style.{i + 1}.{part}")
        for i in range(config.mapping_layers)
        for part in ("weight", "bias")
    ]
    table += [Entry("blocks.0.constant", "input.input", "c h w -> 1 c h w")]
    table += _layer("blocks.0.layer", "conv1", 0) + _to_rgb("blocks.0.to_rgb", "to_rgb1")
    for level in range(1, len(config.sizes)):
        above = 2 * (level - 1)
        table += _layer(f"blocks.{level}.up_layer", f"convs.{above}", above + 1)
        table += _layer(f"blocks.{level}.layer", f"convs.{above + 1}", above + 2)
        table += _to_rgb(f"blocks.{level}.to_rgb", f"to_rgbs.{level - 1}")
    return table


def _layer(ours: str, theirs: str, noise: int) -> list[Entry]:
    return [
        Entry(f"{ours}.weight", f"{theirs}.conv.weight", "o i h w -> 1 o i h w"),
        Entry(f"{ours}.affine.weight", f"{theirs}.conv.modulation.weight"),
        Entry(f"{ours}.affine.bias", f"{theirs}.conv.modulation.bias"),
        Entry(f"{ours}.noise_strength", f"{theirs}.noise.weight", "() -> 1"),
        Entry(f"{ours}.bias", f"{theirs}.activate.bias"),
        Entry(f"{ours}.noise_map", f"noises.noise_{noise}", "h w -> 1 1 h w"),
    ]


def _to_rgb(ours: str, theirs: str) -> list[Entry]:
    return [
        Entry(f"{ours}.weight", f"{theirs}.conv.weight", "o i h w -> 1 o i h w"),
        Entry(f"{ours}.affine.weight", f"{theirs}.conv.modulation.weight"),
        Entry(f"{ours}.affine.bias", f"{theirs}.conv.modulation.bias"),
        Entry(f"{ours}.bias", f"{theirs}.bias", "c -> 1 c 1 1"),
    ]


def _filters(config: StyleGAN2Config) -> dict[str, Tensor]:
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
    kernel = torch.outer(taps, taps) / 16  # sums to 4: doubling the size spreads each pixel over four
    levels = range(len(config.sizes) - 1)
    names = [f"convs.{2 * level}.conv.blur.kernel" for level in levels] + [
        f"to_rgbs.{level}.upsample.kernel" for level in levels
    ]
    return {name: kernel.clone() for name in names}


def _check_filters(state: dict[str, Tensor | StoredTensor], config: StyleGAN2Config, *, where: str) -> None:
    """Takes the filter constants out of the state; files may leave them out, but they may not be others than ours."""
    for name, ours in _filters(config).items():
        theirs = state.pop(name, ours)
        if theirs.shape != ours.shape or not torch.allclose(loaded(theirs).float(), ours, atol=1e-6):
            raise InputError(f"{where}: {name} is another filter", given=list(theirs.shape), allowed="[1, 3, 3, 1]")
