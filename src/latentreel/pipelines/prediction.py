"""How a picture or a video goes on: its first frame is inverted, and the motion generator walks on from there.

MoCoGAN-HD (Tian et al. 2021), "Video Prediction", Tab. 3 and App. B, Eq. 8. The paper gives the model one frame, and draws the
motion at random. With more frames given (ours), motion noise is searched that repeats the steps between them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from latentreel.core.errors import InputError
from latentreel.core.pixels import to_uint8
from latentreel.mocogan_hd.motion_generator import MotionGenerator, MotionState
from latentreel.pipelines.content import Content
from latentreel.pipelines.driving import DrivenMotion, driving_motion
from latentreel.pipelines.inversion import Inversion, InversionSettings, invert
from latentreel.pipelines.mocogan_hd_pipeline import MoCoGANHDPipeline
from latentreel.pipelines.picture_distance import PictureDistance
from latentreel.pipelines.video_pipeline import CHUNK
from latentreel.sampling.rollout import HOLD, check_hold, held, step_noise

Pixels = npt.NDArray[np.uint8]
Progress = Callable[[str, int, int], None]

NOISE_STEPS = 100
NOISE_RATE = 0.1
NOISE_PRIOR = 1e-3
"""Weight of the mean square of the motion noise, 1 as drawn, beside the squared error of steps in deviations."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """How a model goes on from given frames. S samples, T frames, all counted from the first given one."""

    first: Inversion
    """What the first frame was inverted to."""

    samples: Pixels
    """[S, T, H, W, 3]; the given frames are those of the inversion."""


class Lookahead(NamedTuple):
    """What prediction is asked for."""

    num_frames: int
    motion_seeds: Sequence[int]
    given_frames: int = 1
    hold: float = HOLD
    """As of `VideoPipeline.generate`."""


def predict(
    pipe: MoCoGANHDPipeline,
    frames: Pixels,
    ahead: Lookahead,
    settings: InversionSettings | None = None,
    *,
    label: int | None = None,
    distance: PictureDistance | None = None,
    progress: Progress | None = None,
    on_picture: Callable[[Pixels], None] | None = None,
) -> Prediction:
    """Inverts what is given and goes on.

    Args:
        pipe: The model.
        frames: At least as many as are given to the model, uint8 [t, H, W, 3] of its resolution, at its frame rate.
        ahead: How far, from how many given frames, which motions, and how they are held.
        settings: Of the inversion of the first frame.
        label: The class of what is shown, for image generators with classes.
        distance: What inversions make small.
        progress: Told of the steps.
        on_picture: Given the nearest picture so far while the first frame is inverted.

    Raises:
        InputError: There are too few frames, or a number is out of range.
    """
    if not 1 <= ahead.given_frames < ahead.num_frames:
        allowed = f"1 to {ahead.num_frames - 1}, for {ahead.num_frames} frames"
        raise InputError("the number of given frames is out of range", given=ahead.given_frames, allowed=allowed)
    if len(frames) < ahead.given_frames:
        raise InputError(
            "there are less frames than are to be given", given=len(frames), allowed=f"{ahead.given_frames} or more"
        )

    def told(done: int, total: int, picture: Pixels) -> None:
        if progress:
            progress("inverting", done, total)
        if on_picture:
            on_picture(picture)

    first = invert(pipe.image_generator, frames[0], settings, label=label, distance=distance, progress=told)
    if ahead.given_frames == 1:
        return go_on(pipe, first, None, ahead)
    followed = driving_motion(
        pipe,
        frames[: ahead.given_frames],
        first.latent,
        distance=distance,
        progress=lambda done, total: progress("following", done, total) if progress else None,
    )
    return go_on(pipe, first, followed, ahead)


def go_on(pipe: MoCoGANHDPipeline, first: Inversion, followed: DrivenMotion | None, ahead: Lookahead) -> Prediction:
    """Predicts from an inverted first frame and, with several given frames, from what they were inverted to."""
    content = pipe.content(latent=first.latent)
    given = content.w if followed is None else followed.latents[: ahead.given_frames]
    courses = continued(pipe.motion_generator, given, ahead.num_frames, ahead.motion_seeds, hold=ahead.hold)
    return Prediction(first, np.stack([drawn(pipe, content, course) for course in courses]))


def continued(
    motion: MotionGenerator, latents: Tensor, num_frames: int, motion_seeds: Sequence[int], *, hold: float = HOLD
) -> Tensor:
    """Latents as the motion generator goes on from given ones.

    With one given latent: as `rollout` does, with the noise of the seeds. With more: the noise of their steps is searched, from
    each seed's own, so that the motion generator takes the same steps; its state then goes on from the last given latent.

    Args:
        motion: The motion generator.
        latents: Those given, [t, D].
        num_frames: T, all in all.
        motion_seeds: S motions.
        hold: Share of its way back to the first given latent that each latent past the 16th is led.

    Returns:
        [S, T, D], the first t as given.

    Raises:
        InputError: `hold` is out of range.
    """
    check_hold(hold)
    draws = [torch.cat(list(step_noise(seed, motion, num_frames))) for seed in motion_seeds]
    noise = torch.stack(draws).to(latents.device)  # [S, T - 1, D]
    given = len(latents)
    if given > 1:
        noise = torch.cat([fitted_noise(motion, latents, noise[:, : given - 1]), noise[:, given - 1 :]], dim=1)
    with torch.no_grad():
        states = [motion.begin(latents[:1].expand(len(noise), -1))]
        for step, eps in enumerate(noise.unbind(dim=1), start=1):
            state = held(motion.advance(states[-1], eps), latents[:1], frame=step, hold=hold)
            states.append(_moved_to(latents[step], state) if step < given else state)
    return torch.stack([state.latent for state in states], dim=1)


def extrapolated(latents: Tensor, num_frames: int) -> Tensor:
    """The straight line through the last two of given latents [t, D], [T, D]: the baseline of prediction."""
    ahead = torch.arange(1, num_frames - len(latents) + 1, device=latents.device)[:, None]
    return torch.cat([latents, latents[-1] + ahead * (latents[-1] - latents[-2])])


@torch.no_grad()
def drawn(pipe: MoCoGANHDPipeline, content: Content, latents: Tensor) -> Pixels:
    """A course of a content [T, D] as frames, uint8 [T, H, W, 3]."""
    return np.concatenate([to_uint8(pipe.draw(content, some)) for some in latents.split(CHUNK)])


def _moved_to(latent: Tensor, state: MotionState) -> MotionState:
    return state._replace(latent=latent.expand_as(state.latent))


def fitted_noise(motion: MotionGenerator, latents: Tensor, noise: Tensor) -> Tensor:
    """Noise [S, t - 1, D] with which the motion generator takes the steps between given latents [t, D]."""
    noise = noise.clone().requires_grad_()
    optimizer = torch.optim.Adam([noise], lr=NOISE_RATE)
    lengths = motion.directions.square().sum(dim=1)  # of the directions, squared
    start = latents[:1].expand(len(noise), -1)
    for _ in range(NOISE_STEPS):
        state, errors = motion.begin(start), []
        for step, eps in enumerate(noise.unbind(dim=1), start=1):
            state = motion.advance(_moved_to(latents[step - 1], state), eps)
            along = (state.latent - latents[step]) @ motion.directions.T / lengths  # in deviations
            errors.append(along.square().mean())
        loss = torch.stack(errors).mean() + NOISE_PRIOR * noise.square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return noise.detach()
