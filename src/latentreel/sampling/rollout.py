"""Unrolling a motion generator chunk by chunk, so that a video of any length takes constant memory (Tian et al. 2021, App. C)."""

from collections.abc import Iterator

import torch
from torch import Tensor

from latentreel.core.errors import InputError
from latentreel.core.randomness import torch_generator
from latentreel.mocogan_hd.motion_generator import MotionGenerator, MotionState

TRAINED_FRAMES = 16  # App. B: the length of the clips that motion generators learn from
HOLD = 1 / 16
"""How far each latent past the trained length is led back to the first one. Steps add up: unrolled without it, the latents of the
models that ship are 10 standard deviations from their mean after 100 frames (`latentreel bench long_videos`)."""


def rollout(
    motion: MotionGenerator, w: Tensor, *, num_frames: int, motion_seed: int, chunk: int, hold: float = HOLD
) -> Iterator[Tensor]:
    """Latents of one clip, a few frames at a time.

    The noise of a frame depends on the seed and the frame's number alone: a longer clip begins like a shorter one.

    Args:
        motion: The motion generator.
        w: First latent [1, D].
        num_frames: Frames in all, at least 1.
        motion_seed: Chooses the motion noise.
        chunk: Frames at a time.
        hold: Share of its way back to the first latent that each latent past the 16th is led, 0 to 1; 0 is the paper's plain
            recursion.

    Yields:
        [t, D] with t at most `chunk`.

    Raises:
        InputError: A number is out of range.
    """
    if num_frames < 1 or chunk < 1:
        raise InputError("a clip needs frames", given=f"num_frames {num_frames}, chunk {chunk}", allowed="at least 1")
    check_hold(hold)
    return in_chunks(_walk(motion, w, step_noise(motion_seed, motion, num_frames), hold), chunk)


def check_hold(hold: float) -> None:
    """Raises an `InputError` where `hold` is no share."""
    if not 0 <= hold <= 1:
        raise InputError("hold is out of range", given=hold, allowed="0 (plain recursion) to 1")


def step_noise(motion_seed: int, motion: MotionGenerator, num_frames: int) -> Iterator[Tensor]:
    """The noise of a clip's steps, [1, D] for each; drawn one by one, since torch's stream depends on how much is drawn at once."""
    draws = torch_generator(motion_seed, "motion")
    return (torch.randn(1, motion.config.latent_dim, generator=draws) for _ in range(1, num_frames))


def held(state: MotionState, w: Tensor, *, frame: int, hold: float) -> MotionState:
    """The state at a frame: past the trained length, its latent [N, D] is led back to the first one [1, D]."""
    if not hold or frame < TRAINED_FRAMES:
        return state
    return state._replace(latent=torch.lerp(state.latent, w.expand_as(state.latent), hold))


@torch.no_grad()
def _walk(motion: MotionGenerator, w: Tensor, noise: Iterator[Tensor], hold: float) -> Iterator[Tensor]:
    state = motion.begin(w)
    yield state.latent
    for frame, eps in enumerate(noise, start=1):
        state = held(motion.advance(state, eps.to(w.device)), w, frame=frame, hold=hold)
        yield state.latent


def in_chunks(latents: Iterator[Tensor], chunk: int) -> Iterator[Tensor]:
    """Consecutive latents [1, D] put together, `chunk` at a time: [t, D]."""
    pending = []
    for latent in latents:
        pending.append(latent)
        if len(pending) == chunk:
            yield torch.cat(pending)
            pending = []
    if pending:
        yield torch.cat(pending)
