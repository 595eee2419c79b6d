"""What a weight file or bundle is: format, networks, sizes, parameters, licence and origin, without guessing."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from latentreel.checkpoints import mocogan_hd_release, network_pickle, stylegan_v_pickle
from latentreel.checkpoints.bundle import (
    load_image_generator_bundle,
    load_motion_bundle,
    load_stylegan_v_bundle,
    read_card,
)
from latentreel.checkpoints.key_table import tensors_of
from latentreel.checkpoints.load import (
    DISCRIMINATORS,
    FORMATS,
    IMAGE_GENERATORS,
    describe_content,
    existing_file,
    find_bundle,
)
from latentreel.checkpoints.pickled_modules import GENERATORS, NETWORKS, default_network
from latentreel.checkpoints.plain_values import Record
from latentreel.checkpoints.torch_file import read_checkpoint
from latentreel.core.config import to_dict
from latentreel.core.errors import InputError
from latentreel.core.image_generator import UNSTATED
from latentreel.image_generators.build import Network


@dataclass(frozen=True, kw_only=True)
class Part:
    """One network of a file."""

    name: str
    """What it is there for, e.g. "G_ema" or "motion generator"."""

    kind: str
    """What it is, e.g. "StyleGAN2Generator"."""

    sizes: dict[str, Any]
    """Its config, as far as the file tells."""

    parameters: int
    """How many numbers are learned."""

    licence: str | None = None
    """Under which terms it stands, where it came with terms of its own."""


@dataclass(frozen=True, kw_only=True)
class Description:
    """What a file or a bundle holds."""

    format: str
    parts: list[Part]
    licence: str
    origin: str
    image_generator: Network | None
    """The image generator in it, if there is one."""


def describe(source: Path | str) -> Description:
    """Looks into a bundle, a run's folder, a foreign checkpoint, or a model that ships.

    Raises:
        InputError: Nothing is there, or it is in no known format, or damaged, or asks for code to be run.
    """
    bundle = find_bundle(source)
    if bundle is not None:
        return _describe_bundle(bundle)
    path = existing_file(source, what="weight file", allowed=f"{FORMATS}, or {DISCRIMINATORS}")
    content, where = read_checkpoint(path), str(path)
    if network_pickle.recognizes(content):
        return _describe_pickle(content, where=where)
    for name, module in IMAGE_GENERATORS.items():
        if module.recognizes(content):
            generator = module.import_generator(content, where=where)
            others = [
                str(key) for key, value in content.items() if isinstance(value, Mapping) and key not in ("g_ema", "state_dict")
            ]
            beside = f"; beside it, not read: {', '.join(others)}" if others else ""
            return _foreign(name + beside, [_part("image generator", generator)], generator)
    if mocogan_hd_release.recognizes_motion_generator(content):
        return _foreign(mocogan_hd_release.MOTION_FORMAT, [_motion_part(content, where=where)])
    if mocogan_hd_release.recognizes_discriminator(content):
        discriminator = mocogan_hd_release.import_discriminator(content, where=where)
        return _foreign(mocogan_hd_release.DISCRIMINATOR_FORMAT, [_part("discriminator", discriminator)])
    raise InputError(
        f"{path} is in no known format", given=describe_content(content), allowed=f"{FORMATS}, or {DISCRIMINATORS}"
    )


def _describe_bundle(folder: Path) -> Description:
    card = read_card(folder)
    licence, origin = (str(card.get(name, UNSTATED)) for name in ("licence", "origin"))
    form = f"a latentreel bundle of kind {card['kind']}"
    if card["kind"] == "stylegan_v":
        videos = _part("video generator", load_stylegan_v_bundle(folder))
        return Description(format=form, parts=[videos], licence=licence, origin=origin, image_generator=None)
    generator = load_image_generator_bundle(folder)
    parts = [dataclasses.replace(_part("image generator", generator), licence=generator.provenance["licence"])]
    if card["kind"] == "mocogan_hd":
        basis, motion, fps = load_motion_bundle(folder)
        parts.append(_part("motion generator", motion, fps=fps, basis=f"{len(basis.components)} components"))
    return Description(format=form, parts=parts, licence=licence, origin=origin, image_generator=generator)


def _describe_pickle(content: Mapping[str, Any], *, where: str) -> Description:
    names = [name for name in NETWORKS if isinstance(content.get(name), Record)]
    videos = stylegan_v_pickle.recognizes(content)
    module = stylegan_v_pickle if videos else network_pickle
    generators = {name: module.import_generator(content, network=name, where=where) for name in GENERATORS if name in names}
    parts = [_part(name, generator) for name, generator in generators.items()]
    if "D" in names:
        parts.append(_part("D", module.import_discriminator(content, where=where)))
    return _foreign(module.FORMAT, parts, None if videos else generators.get(default_network(content)))


def _foreign(form: str, parts: list[Part], generator: Network | None = None) -> Description:
    return Description(format=form, parts=parts, licence=UNSTATED, origin=UNSTATED, image_generator=generator)


def _part(name: str, network: nn.Module, **more: Any) -> Part:
    config = getattr(network, "config", None)
    sizes = to_dict(config) if config is not None else _plain_sizes(network)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return Part(name=name, kind=type(network).__name__, sizes=sizes | more, parameters=parameters)


def _plain_sizes(network: nn.Module) -> dict[str, Any]:
    """What a network without a config says about itself."""
    names = ("resolution", "domain", "base_width")
    return {name: getattr(network, name) for name in names if hasattr(network, name)}


def _motion_part(content: Mapping[str, Any], *, where: str) -> Part:
    """Sizes of a motion generator, which cannot be built without its basis."""
    foreign = tensors_of(content, where=where)
    names = ("latent_dim", "hidden_dim", "num_components")
    sizes = dict(zip(names, mocogan_hd_release.motion_sizes(foreign, where=where), strict=True))
    total = sum(tensor.numel() for tensor in foreign.values())
    return Part(
        name="motion generator", kind="MotionGenerator", sizes=sizes | {"step_size": "not in the file"}, parameters=total
    )
