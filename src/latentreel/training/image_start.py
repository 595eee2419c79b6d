"""What a StyleGAN-V takes over from a StyleGAN2 of the same widths: it begins with still pictures, and has only motion to learn.

Not in the paper, which trains from scratch. The weights of the motion code's channels begin at zero: at first every time shows the
picture that the image generator draws.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from latentreel.checkpoints.load import load_image_generator
from latentreel.core.errors import InputError
from latentreel.image_generators.stylegan2.generator import StyleGAN2Generator
from latentreel.stylegan_v.discriminator import StyleGANVDiscriminator
from latentreel.stylegan_v.generator import StyleGANVGenerator
from latentreel.training.state import read_state, saved_states

FIRST_WEIGHT = "blocks.0.layer.weight"  # [O, I + J, 3, 3], J channels of the motion code
OF_INPUTS = ("blocks.0.layer.affine.weight", "blocks.0.layer.affine.bias")  # [I + J, ...]
OF_NOISE = ("noise_map", "noise_strength")
OF_TIME = "motion."


@torch.no_grad()
def start_from_images(generator: StyleGANVGenerator, discriminator: StyleGANVDiscriminator, source: str) -> dict[str, str]:
    """Copies an image generator; and of its discriminator, if the source is a run that has one, all that has the same shape.

    Args:
        generator: Changed in place.
        discriminator: Changed in place.
        source: A bundle, a run's folder, a foreign checkpoint, or the name of one that ships.

    Returns:
        Where the weights come from and under which terms they stand, as `origin` and `licence`.

    Raises:
        InputError: It is no StyleGAN2, or of other sizes.
    """
    images = load_image_generator(source)
    if not isinstance(images, StyleGAN2Generator):
        raise InputError(f"{source} is no StyleGAN2 to start from", given=type(images).__name__, allowed="StyleGAN2Generator")
    own, missing = generator.state_dict(), {key for key in generator.state_dict() if not key.startswith(OF_TIME)}
    for key, value in images.state_dict().items():
        if key.endswith(OF_NOISE):
            continue
        target = own.get(key)
        if target is not None and key == FIRST_WEIGHT:
            target[:, value.shape[1] :] = 0
            target = target[:, : value.shape[1]]
        elif target is not None and key in OF_INPUTS:
            target = target[: len(value)]
        if target is None or target.shape != value.shape:
            allowed = None if target is None else list(target.shape)
            raise InputError(f"{source}: {key} does not fit the preset", given=list(value.shape), allowed=allowed)
        target.copy_(value)
        missing.discard(key)
    if missing:
        sizes = (
            f"{images.resolution} px, {images.config.mapping_layers} mapping layers, architecture {images.config.architecture}"
        )
        fix = "choose the preset's --resolution and --mapping-layers to match"
        raise InputError(f"{source} has no {min(missing)}, which the preset asks for", given=sizes, fix=fix)
    states = saved_states(Path(source) / "state")
    if states:
        _copy_fitting(discriminator, read_state(states[0])["modules"].get("discriminator", {}))
    return {"origin": images.provenance["origin"], "licence": images.provenance["licence"]}


def _copy_fitting(module: nn.Module, old: Mapping[str, Tensor]) -> None:
    """Both discriminators' blocks are counted from the top; where frames are joined, and at the logit, they differ."""
    for key, value in module.state_dict().items():
        if key in old and old[key].shape == value.shape:
            value.copy_(old[key])
