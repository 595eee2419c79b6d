"""Writes network pickles as StyleGAN2-ADA and StyleGAN-V do: objects whose classes travel with their source text.

For tests and benchmarks.
"""

import pickle
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from latentreel.checkpoints import network_pickle, stylegan_v_pickle
from latentreel.checkpoints.key_table import export_state
from latentreel.image_generators.stylegan2.discriminator import StyleGAN2Discriminator
from latentreel.image_generators.stylegan2.generator import StyleGAN2Generator
from latentreel.stylegan_v.discriminator import StyleGANVDiscriminator
from latentreel.stylegan_v.generator import StyleGANVGenerator
from latentreel.stylegan_v.time_encoding import difference_frequencies

MODULE, FUNCTION = "torch_utils.persistence", "_reconstruct_persistent_obj"
SETTINGS, CLASS = "omegaconf.dictconfig", "DictConfig"
PRETENDED = ("torch_utils", MODULE, "omegaconf", SETTINGS)
TAPS = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8


class Persistent:
    """Pickles itself as the name of a class, its source text, and its attributes."""

    def __init__(self, class_name: str, state: dict[str, Any]) -> None:
        self.meta = {"type": "class", "version": 6, "module_src": "raise SystemExit", "class_name": class_name, "state": state}

    def __reduce__(self):
        return getattr(sys.modules[MODULE], FUNCTION), (self.meta,)


class Settings:
    """Pickles itself as an OmegaConf object; names with dots are settings within settings."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

    def __reduce__(self):
        inner = {name.partition(".")[0] for name in self.values if "." in name}
        content = {name: value for name, value in self.values.items() if "." not in name}
        content |= {name: Settings(_below(name, self.values)) for name in sorted(inner)}
        return getattr(sys.modules[SETTINGS], CLASS), (), {"_metadata": None, "_content": content}


def write_network_pickle(
    path: Path,
    generator: StyleGAN2Generator | StyleGANVGenerator,
    discriminator: StyleGAN2Discriminator | StyleGANVDiscriminator,
    *,
    change: Callable[[dict[str, Tensor]], object] = lambda tensors: None,
    settings: dict[str, Any] | None = None,
    **more: Any,
) -> Path:
    """Writes a file with G, G_ema and D.

    `change` may spoil the generators' tensors, `settings` those of a StyleGAN-V; `more` replaces or adds networks.
    """
    config = generator.config
    attributes: dict[str, Any] = {
        "synthesis.b4.conv1.conv_clamp": config.conv_clamp,
        "b4.conv.conv_clamp": config.conv_clamp,
        "b4.mbstd.group_size": discriminator.config.deviation_group,
    }
    if isinstance(generator, StyleGANVGenerator) and isinstance(discriminator, StyleGANVDiscriminator):
        g = export_state(stylegan_v_pickle.generator_table(generator.config), generator.state_dict())
        d = export_state(stylegan_v_pickle.discriminator_table(discriminator.config), discriminator.state_dict())
        d["time_encoder.time_encoder.fourier_coefs"] = difference_frequencies(discriminator.config.max_frames).float()[None]
        attributes["cfg"] = Settings(_settings_of(generator) | (settings or {}))
    else:
        assert isinstance(generator, StyleGAN2Generator)
        g = export_state(network_pickle.generator_table(generator.config), generator.state_dict())
        d = export_state(network_pickle.discriminator_table(generator.config), discriminator.state_dict())
    g["synthesis.b8.conv0.resample_filter"] = torch.outer(TAPS, TAPS)
    change(g)
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
    children = sorted({key.split(".")[0] for key in [*tensors, *attributes] if "." in key})
    state = {key: value for key, value in attributes.items() if "." not in key}
    state |= {
        "_parameters": {key: torch.nn.Parameter(t, requires_grad=False) for key, t in tensors.items() if "." not in key},
        "_buffers": {"nothing": None},
        "_modules": {child: _nested("Layer", _below(child, tensors), _below(child, attributes)) for child in children},
    }
    return Persistent(class_name, state)


def _below(name: str, values: dict[str, Any]) -> dict[str, Any]:
    return {key.removeprefix(f"{name}."): value for key, value in values.items() if key.startswith(f"{name}.")}


def _settings_of(generator: StyleGANVGenerator) -> dict[str, Any]:
    config = generator.config
    return {
        "motion.z_dim": config.motion_dim,
        "motion.motion_z_distance": config.anchor_distance,
        "time_enc.min_period_len": config.min_period,
        "time_enc.max_period_len": config.max_period,
        "sampling.fps": config.fps,
    }


def _pretend_module() -> None:
    """Pickle writes a function's name only if it finds it under that name; what it does is of no interest."""
    sys.modules |= {name: types.ModuleType(name) for name in PRETENDED}
    for module, name in ((MODULE, FUNCTION), (SETTINGS, CLASS)):

        def function(*_: Any) -> None:
            raise AssertionError("run")

        function.__module__, function.__qualname__, function.__name__ = module, name, name
        setattr(sys.modules[module], name, function)
