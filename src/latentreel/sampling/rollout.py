"""Unrolling a motion generator chunk by chunk, so that a video of any length takes constant memory (Tian et al. 2021, App. C)."""

from collections.abc import Iterator

import torch
from torch import Tensor

from latentreel.core.errors import InputError
from latentreel.core.randomness import torch_generator
from latentreel.mocogan_hd.motion_generator import MotionGenerator


def rollout(motion: MotionGenerator, w: Tensor, *, num_frames: int, motion_seed: int, chunk: int) -> Iterator[Tensor]:
    """Latents of one clip, a few frames at a time.

    The noise of a frame depends on the seed and the frame's number alone: a longer clip begins like a shorter one.

    Args:
        motion: The motion generator.
        w: First latent [1, D].
        num_frames: Frames in all, at least 1.
        motion_seed: Chooses the motion noise.
        chunk: Frames at a time.

    Yields:
        [t, D] with t at most `chunk`.

    Raises:
        InputError: A number is out of range.
    """
    if num_frames < 1 or chunk < 1:
        raise InputError("a clip needs frames", given=f"num_frames {num_frames}, chunk {chunk}", allowed="at least 1")
    return _walk(motion, w, num_frames, torch_generator(motion_seed, "motion"), chunk)


@torch.no_grad()
def _walk(motion: MotionGenerator, w: Tensor, num_frames: int, draws: torch.Generator, chunk: int) -> Iterator[Tensor]:
    state, pending = motion.begin(w), [w]
    for _ in range(num_frames - 1):
        if len(pending) == chunk:
            yield torch.cat(pending)
            pending = []
        state = motion.advance(state, torch.randn(1, motion.config.latent_dim, generator=draws).to(w.device))
        pending.append(state.latent)
    yield torch.cat(pending)
