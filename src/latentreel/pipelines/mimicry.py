"""One model's content moved as another's clip moves, where the two share neither image generator nor basis: through what is seen.

A motion along one basis means nothing along another. What two worlds share are the factors of head motion; readers of each world
find them in pictures (`metrics.factor_reader`). So the offsets are searched with which the other content is read as the clip is.
Ours.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from latentreel.core.digests import weights_digest
from latentreel.core.errors import InputError
from latentreel.metrics.factor_measures import read_clips
from latentreel.metrics.factor_reader import legible_motion, load_factor_reader
from latentreel.pipelines.content import Content
from latentreel.pipelines.mocogan_hd_pipeline import MoCoGANHDPipeline
from latentreel.sampling.motion import Motion
from latentreel.worlds.registry import open_world

LEARNING_RATE = 0.1  # in deviations along each component
STEPS = 20
IDENTITY = 3.0
"""Weight of the content's identity as read, beside the motion factors."""

CLOSENESS = 0.02
"""Weight of the offset's mean square: a reader can be deceived, the less so the nearer latents are to those that are known."""

SMOOTHNESS = 0.02
"""Weight of the mean squared change of the offset from frame to frame."""


def mimicked_motion(
    pipe: MoCoGANHDPipeline,
    content: Content,
    clip: npt.NDArray[np.uint8],
    *,
    world: str,
    clip_world: str,
    steps: int = STEPS,
    progress: Callable[[int, int], None] | None = None,
) -> Motion:
    """The motion of a content of one model that is read as a clip of another world is.

    Args:
        pipe: The model of the content.
        content: What shall move (`MoCoGANHDPipeline.content`).
        clip: What it shall mimic, uint8 [T, H, W, 3], at the model's frame rate.
        world: The world whose pictures the model draws.
        clip_world: The world that the clip shows; a reader knows no other pictures.
        steps: Steps for each frame.
        progress: Called with frames done and frames in all.

    Returns:
        Along the model's basis. Offsets are from the content as it is: where the clip turns by some degrees, it does, from its own
        first pose.

    Raises:
        InputError: No reader ships for a world, or the worlds have different motion factors.
    """
    factors = open_world(world).MOTION_FACTORS
    if factors != open_world(clip_world).MOTION_FACTORS:
        raise InputError("these worlds have different motion factors", given=f"{world}, {clip_world}")
    if load_factor_reader(world).sees_change:
        raise InputError("motion is mimicked where single pictures tell it", given=world, allowed="faces, creatures")
    legible = sorted(set(legible_motion(world)) & set(legible_motion(clip_world)))
    device = content.w.device
    ranges = torch.tensor([factor.high - factor.low for factor in factors], device=device)[legible]
    read = torch.from_numpy(read_clips(load_factor_reader(clip_world), clip[None]).motion[0]).to(device)
    wanted = (read - read[:1])[:, legible] / ranges  # changes since the first frame
    reader, directions = load_factor_reader(world).to(device), pipe.basis.directions.to(device)
    with torch.no_grad():
        own = reader(pipe.draw(content, content.w))
    offset, offsets = torch.zeros(1, len(directions), device=device), []
    for frame, change in enumerate(wanted):
        offset = (
            offset if not frame else _follow(pipe, content, directions, reader, own, change, offset, (legible, ranges), steps)
        )
        offsets.append(offset)
        if progress:
            progress(frame + 1, len(wanted))
    return Motion(torch.cat(offsets).cpu(), weights_digest(pipe.basis.tensors()), pipe.fps)


def _follow(
    pipe: MoCoGANHDPipeline,
    content: Content,
    directions: Tensor,
    reader: torch.nn.Module,
    own: tuple[Tensor, Tensor],
    change: Tensor,
    before: Tensor,
    scale: tuple[list[int], Tensor],
    steps: int,
) -> Tensor:
    """The offset [1, K] with which the content is read as changed so, in ranges of the factors, searched from the one before."""
    legible, ranges = scale
    offset = before.clone().requires_grad_()
    optimizer = torch.optim.Adam([offset], lr=LEARNING_RATE, betas=(0.9, 0.99))
    best, least = before, float("inf")
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = LEARNING_RATE * min(1.0, 2 * (1 - step / steps))
        seen = reader(pipe.draw(content, content.w + offset @ directions))
        moved = (seen.motion - own[1])[0, legible] / ranges
        loss = (moved - change).square().mean() * len(legible) + IDENTITY * (seen.identity - own[0]).square().mean()
        loss = loss + CLOSENESS * offset.square().mean() + SMOOTHNESS * (offset - before).square().mean()
        if loss < least:
            best, least = offset.detach().clone(), float(loss.detach())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return best
