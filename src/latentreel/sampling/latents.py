"""Where a clip starts: the content latent of a seed, and its class."""

from typing import NamedTuple

import torch
from torch import Tensor

from latentreel.core.errors import InputError
from latentreel.core.image_generator import LatentMap
from latentreel.core.labels import one_label, random_labels
from latentreel.core.randomness import torch_generator


@torch.no_grad()
def content_latents(
    generator: LatentMap,
    seeds: list[int],
    *,
    labels: Tensor | None = None,
    truncation: float = 1.0,
    device: torch.device | str = "cpu",
) -> Tensor:
    """One latent per seed.

    Args:
        generator: Whose latents.
        seeds: The same seed gives the same latent, on every device.
        labels: Class numbers [N] if the generator has classes.
        truncation: 1 leaves the latents, smaller values move them toward the mean: plainer and cleaner pictures.
        device: Where the generator lives.

    Returns:
        [N, D].

    Raises:
        InputError: The truncation is out of range, or the labels do not fit.
    """
    if not 0 <= truncation <= 2:
        raise InputError("truncation is out of range", given=truncation, allowed="0 to 2")
    z = torch.cat([torch.randn(1, generator.z_dim, generator=torch_generator(seed, "content")) for seed in seeds])
    return generator.map(z.to(device), labels, truncation=truncation)


def content_labels(
    generator: LatentMap, seeds: list[int], *, label: int | None = None, device: torch.device | str = "cpu"
) -> Tensor | None:
    """One class number per seed: the one asked for, or else one that the seed chooses.

    Args:
        generator: Whose classes.
        seeds: The same seed gives the same class.
        label: A class for all.
        device: Where the generator lives.

    Returns:
        [N], or None for a generator without classes.

    Raises:
        InputError: There is no such class, or there are no classes.
    """
    if label is None:
        drawn = [random_labels(generator, 1, torch_generator(seed, "class")) for seed in seeds]
        return torch.cat([one for one in drawn if one is not None]).to(device) if generator.num_classes else None
    return one_label(label, num_images=len(seeds), num_classes=generator.num_classes, device=device)


class StyleMix(NamedTuple):
    """Layers of a StyleGAN2 that follow another content (Karras et al. 2019, StyleGAN, Sec. 3.1)."""

    seed: int
    """Chooses the other content."""

    first: int
    """The first layer that follows it; 0 is the coarsest."""

    last: int
    """The last one; L - 1 is the finest."""


def mixed(latents: Tensor, own: Tensor, other: Tensor, *, layers: range, num_layers: int) -> Tensor:
    """One latent for each layer: some layers show another content, which moves as the own one does.

    Args:
        latents: Where the own content has moved to, [t, D].
        own: The content without its motion, [1, D] or [t, D].
        other: The other content, [1, D].
        layers: Those that follow the other content.
        num_layers: L.

    Returns:
        [t, L, D].
    """
    follows = torch.tensor([layer in layers for layer in range(num_layers)], device=latents.device)
    return torch.where(follows[:, None], (other + latents - own)[:, None], latents[:, None])
