"""The motion of a given video: its frames inverted one after the other, each as an offset along the latent basis from the first.

What is found is a `Motion` like any other: it can be saved, scaled, and applied to another content of the same model.
"""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from latentreel.core.digests import weights_digest
from latentreel.core.errors import InputError
from latentreel.core.pixels import to_float, to_uint8
from latentreel.pipelines.content import Content
from latentreel.pipelines.mocogan_hd_pipeline import MoCoGANHDPipeline
from latentreel.pipelines.picture_distance import NOT_FINITE, PictureDistance
from latentreel.sampling.given_latent import GivenLatent
from latentreel.sampling.motion import Motion

LEARNING_RATE = 0.1  # in deviations along each component
STEPS = 20
SMOOTHNESS = 0.003
"""Weight of the mean squared change of the offset from one frame to the next, in deviations."""


class DrivenMotion(NamedTuple):
    """What was found of a video."""

    motion: Motion
    """Its offsets are from the first frame's latent as found here."""

    pictures: npt.NDArray[np.uint8]
    """The frames that were reached, [T, H, W, 3]."""

    latents: Tensor
    """Where: the centres of the frames' latents, [T, D]."""

    first: GivenLatent
    """The content that the motion moves into these pictures: the first frame's, moved by what was searched along the basis."""


def driving_motion(
    pipe: MoCoGANHDPipeline,
    frames: npt.NDArray[np.uint8],
    first: GivenLatent,
    *,
    steps: int = STEPS,
    smoothness: float = SMOOTHNESS,
    distance: PictureDistance | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> DrivenMotion:
    """Inverts a video along the basis, each frame from where the one before it was found.

    The first frame is searched along the basis, too, and motion is counted from there: what the inversion of the first frame left
    undone would be done in the second one else, and look like motion.

    Args:
        pipe: The model.
        frames: uint8 [T, H, W, 3] of the model's resolution, at the model's frame rate.
        first: What the first frame was inverted to.
        steps: Steps for each frame; twice as many for the first.
        smoothness: Weight of the change from frame to frame.
        distance: What is made small; by default pixels at several sizes.
        progress: Called with frames done and frames in all.

    Raises:
        InputError: The frames have another size, there are less than two or no steps, the latent is of another image generator, or
            no distance is finite.
    """
    size = pipe.image_generator.resolution
    if frames.ndim != 4 or frames.shape[1:] != (size, size, 3) or frames.dtype != np.uint8:
        given = f"{frames.dtype} {list(frames.shape)}"
        raise InputError("frames have the wrong form", given=given, allowed=f"uint8 [T, {size}, {size}, 3]")
    if len(frames) < 2:
        raise InputError("a video needs frames to move", given=len(frames), allowed="at least 2")
    if steps < 1:
        raise InputError("steps is out of range", given=steps, allowed="at least 1")
    distance = distance or PictureDistance()
    content = pipe.content(latent=first)
    directions = pipe.basis.directions.to(content.w.device)
    offset, offsets, pictures = torch.zeros(1, len(directions), device=content.w.device), [], []
    for place, frame in enumerate(frames):
        target = to_float(frame, device=content.w.device)[None]
        count, held = (steps, smoothness) if place else (2 * steps, 0.0)
        offset, picture = _follow(pipe, content, directions, target, offset, distance, steps=count, smoothness=held)
        offsets.append(offset)
        pictures.append(picture)
        if progress:
            progress(place + 1, len(frames))
    found = torch.cat(offsets)
    motion = Motion((found - found[:1]).cpu(), weights_digest(pipe.basis.tensors()), pipe.fps)
    latents = content.w + found @ directions
    moved = dataclasses.replace(first, w=first.w + (latents[0] - content.w[0]).cpu())
    return DrivenMotion(motion, to_uint8(torch.cat(pictures)), latents, moved)


def _follow(
    pipe: MoCoGANHDPipeline,
    content: Content,
    directions: Tensor,
    target: Tensor,
    before: Tensor,
    distance: PictureDistance,
    *,
    steps: int,
    smoothness: float,
) -> tuple[Tensor, Tensor]:
    """The offset [1, K] whose picture is nearest to the target, searched from that of the frame before, and the picture."""
    offset = before.clone().requires_grad_()
    optimizer = torch.optim.Adam([offset], lr=LEARNING_RATE, betas=(0.9, 0.99))
    best, least = None, float("inf")
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = LEARNING_RATE * min(1.0, 2 * (1 - step / steps))
        drawn = pipe.draw(content, content.w + offset @ directions)
        loss = distance(drawn, target)[0] + smoothness * (offset - before).square().mean()
        if loss < least:
            best, least = (offset.detach().clone(), drawn.detach()), float(loss.detach())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if best is None:
        raise InputError(NOT_FINITE)
    return best
