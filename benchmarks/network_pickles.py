"""Writes network pickles as StyleGAN2-ADA does: objects whose classes travel with their source text. For tests and benchmarks."""

import pickle
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from latentreel.checkpoints.key_table import export_state
from latentreel.checkpoints.network_pickle import discriminator_table, generator_table
from latentreel.image_generators.stylegan2.discriminator import StyleGAN2Discriminator
from latentreel.image_generators.stylegan2.generator import StyleGAN2Generator

MODULE, FUNCTION = "torch_utils.persistence", "_reconstruct_persistent_obj"
PRETENDED = ("torch_utils", MODULE)
TAPS = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8


class Persistent:
    """Pickles itself as the name of a class, its source text, and its attributes."""

    def __init__(self, class_name: str, state: dict[str, Any]) -> None:
        self.meta = {"type": "class", "version": 6, "module_src": "raise SystemExit", "class_name": class_name, "state": state}

    def __reduce__(self):
        return getattr(sys.modules[MODULE], FUNCTION), (self.meta,)


def write_network_pickle(
    path: Path,
    generator: StyleGAN2Generator,
    discriminator: StyleGAN2Discriminator,
    *,
    change: Callable[[dict[str, Tensor]], object] = lambda tensors: None,
    **more: Any,
) -> Path:
    """Writes a file with G, G_ema and D; `change` may spoil the generators' tensors, `more` replaces or adds networks."""
    config = generator.config
    g = export_state(generator_table(config), generator.state_dict())
    g["synthesis.b8.conv0.resample_filter"] = torch.outer(TAPS, TAPS)
    d = export_state(discriminator_table(config), discriminator.state_dict())
    change(g)
    attributes = {"synthesis.b4.conv1.conv_clamp": config.conv_clamp, "b4.conv.conv_clamp": config.conv_clamp}
    objects = {name: _nested("Generator", g, attributes) for name in ("G", "G_ema")}
    objects["D"] = _nested("Discriminator", d, attributes)
    _pretend_module()
    try:
        with path.open("wb") as file:
            pickle.dump(objects | more, file)
    finally:
        for name in PRETENDED:
            del sys.modules[name]
    return path


def _nested(class_name: str, tensors: dict[str, Tensor], attributes: dict[str, Any]) -> Persistent:
    """A module of modules from flat names."""

    def below(child: str, values: dict[str, Any]) -> dict[str, Any]:
        return {key.removeprefix(f"{child}."): value for key, value in values.items() if key.startswith(f"{child}.")}

    children = sorted({key.split(".")[0] for key in [*tensors, *attributes] if "." in key})
    state = {key: value for key, value in attributes.items() if "." not in key}
    state |= {
        "_parameters": {key: torch.nn.Parameter(t, requires_grad=False) for key, t in tensors.items() if "." not in key},
        "_buffers": {"nothing": None},
        "_modules": {child: _nested("Layer", below(child, tensors), below(child, attributes)) for child in children},
    }
    return Persistent(class_name, state)


def _pretend_module() -> None:
    """Pickle writes a function's name only if it finds it under that name; what it does is of no interest."""

    def function(meta: Any) -> None:
        raise AssertionError("run")

    function.__module__, function.__qualname__, function.__name__ = MODULE, FUNCTION, FUNCTION
    sys.modules |= {name: types.ModuleType(name) for name in PRETENDED}
    setattr(sys.modules[MODULE], FUNCTION, function)
