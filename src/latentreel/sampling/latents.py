"""Where a clip starts: the content latent of a seed."""

import torch
from torch import Tensor

from latentreel.core.errors import InputError
from latentreel.core.image_generator import ImageGenerator
from latentreel.core.randomness import torch_generator


@torch.no_grad()
def content_latents(
    generator: ImageGenerator, seeds: list[int], *, truncation: float = 1.0, device: torch.device | str = "cpu"
) -> Tensor:
    """One latent per seed.

    Args:
        generator: Whose latents.
        seeds: The same seed gives the same latent, on every device.
        truncation: 1 leaves the latents, smaller values move them toward the mean: plainer and cleaner pictures.
        device: Where the generator lives.

    Returns:
        [N, D].

    Raises:
        InputError: The truncation is out of range.
    """
    if not 0 <= truncation <= 2:
        raise InputError("truncation is out of range", given=truncation, allowed="0 to 2")
    z = torch.cat([torch.randn(1, generator.z_dim, generator=torch_generator(seed, "content")) for seed in seeds])
    return generator.map(z.to(device), truncation=truncation)
