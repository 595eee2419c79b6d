"""Image generators by family, with random weights."""

from typing import Any

from latentreel.core.errors import InputError
from latentreel.image_generators.biggan.config import BigGANConfig, default_channels
from latentreel.image_generators.biggan.generator import BigGANGenerator
from latentreel.image_generators.stylegan2.config import StyleGAN2Config
from latentreel.image_generators.stylegan2.generator import StyleGAN2Generator

Network = StyleGAN2Generator | BigGANGenerator
FAMILIES: dict[str, tuple[type[Any], type[Network]]] = {
    "stylegan2": (StyleGAN2Config, StyleGAN2Generator),
    "biggan": (BigGANConfig, BigGANGenerator),
}


def family_of(generator: Network) -> str:
    """The key of `FAMILIES` under which a generator stands."""
    return next(name for name, (_, network) in FAMILIES.items() if type(generator) is network)


def build_image_generator(family: str, *, resolution: int, **sizes: Any) -> Network:
    """An image generator with random weights, at full width unless told otherwise.

    Args:
        family: A key of `FAMILIES`.
        resolution: Height and width of the images.
        sizes: Other fields of the family's config, e.g. `channels`; for "biggan" also `base_width` in place of `channels`.

    Raises:
        InputError: There is no such family or field, or a size is out of range.
    """
    if family not in FAMILIES:
        raise InputError("there is no such image generator", given=family, allowed=", ".join(FAMILIES))
    config, network = FAMILIES[family]
    if family == "biggan" and "base_width" in sizes and "channels" not in sizes:
        sizes["channels"] = default_channels(resolution, base_width=sizes.pop("base_width"))
    try:
        generator = network(config(resolution=resolution, **sizes))
    except TypeError as error:
        fields = ", ".join(config.__dataclass_fields__)
        raise InputError(f"{family} has no such field: {error}", allowed=fields) from error
    if isinstance(generator, StyleGAN2Generator):
        generator.estimate_mean_latent(num_samples=10_000)
    return generator
