"""Walking along directions of the latent basis (MoCoGAN-HD, Tian et al. 2021, App. E.1)."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from latentreel.core.pixels import to_uint8
from latentreel.mocogan_hd.video_generator import render
from latentreel.pipelines.mocogan_hd_pipeline import MoCoGANHDPipeline
from latentreel.pipelines.video_pipeline import CHUNK
from latentreel.sampling.directions import Direction
from latentreel.sampling.latents import content_labels, content_latents


@torch.no_grad()
def component_walks(
    pipe: MoCoGANHDPipeline,
    directions: Sequence[Direction],
    *,
    seed: int = 0,
    truncation: float = 1.0,
    reach: float = 3.0,
    steps: int = 7,
) -> list[npt.NDArray[np.uint8]]:
    """Pictures of one content, moved along each direction from one side to the other: w + strength d.

    Args:
        pipe: The model.
        directions: Of its latent basis.
        seed: The content.
        truncation: 1 leaves the content as drawn.
        reach: The strength goes from -reach to reach; the paper's 3.
        steps: Pictures for each direction.

    Returns:
        uint8 [steps, H, W, 3] for each direction.

    Raises:
        InputError: A direction belongs to another model.
    """
    generator, device = pipe.image_generator, pipe.motion_generator.directions.device
    labels = content_labels(generator, [seed], device=device)
    w = content_latents(generator, [seed], labels=labels, truncation=truncation, device=device)
    strengths = torch.linspace(-reach, reach, steps, device=device)[:, None]
    walks = []
    for direction in directions:
        latents = w + strengths * direction.along(pipe.basis).to(device)
        parts = [render(generator, part[None], labels=labels)[0] for part in latents.split(CHUNK)]
        walks.append(to_uint8(torch.cat(parts)))
    return walks
