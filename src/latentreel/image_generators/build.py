"""Image generators by family, with random weights."""

from typing import Any

from latentreel.core.errors import InputError
from latentreel.image_generators.stylegan2.config import StyleGAN2Config
from latentreel.image_generators.stylegan2.generator import StyleGAN2Generator

FAMILIES = {"stylegan2": (StyleGAN2Config, StyleGAN2Generator)}


def build_image_generator(family: str, *, resolution: int, **sizes: Any) -> StyleGAN2Generator:
    """An image generator with random weights, at full width unless told otherwise.

    Args:
        family: A key of `FAMILIES`.
        resolution: Height and width of the images.
        sizes: Other fields of the family's config, e.g. `channels`, `w_dim`.

    Raises:
        InputError: There is no such family or field, or a size is out of range.
    """
    if family not in FAMILIES:
        raise InputError("there is no such image generator", given=family, allowed=", ".join(FAMILIES))
    config, network = FAMILIES[family]
    try:
        generator = network(config(resolution=resolution, **sizes))
    except TypeError as error:
        fields = ", ".join(config.__dataclass_fields__)
        raise InputError(f"{family} has no such field: {error}", allowed=fields) from error
    generator.estimate_mean_latent(num_samples=10_000)
    return generator
