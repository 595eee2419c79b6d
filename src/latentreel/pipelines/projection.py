"""Projection of a clip: the content and the motion noise with which a StyleGAN-V comes nearest to given frames.

As pictures are inverted (`pipelines.inversion`; Abdal et al. 2019, Karras et al. 2020, App. D), with the noise at the anchors of a
StyleGAN-V (Skorokhodov et al. 2022) searched beside the latent.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from latentreel.core.errors import InputError
from latentreel.core.labels import check_labels
from latentreel.core.pixels import to_float, to_uint8
from latentreel.core.randomness import torch_generator
from latentreel.pipelines.inversion import LEARNING_RATE, falling_rate
from latentreel.pipelines.picture_distance import NOT_FINITE, PictureDistance
from latentreel.pipelines.stylegan_v_pipeline import StyleGANVPipeline
from latentreel.sampling.anchor_noise import AnchorNoise
from latentreel.sampling.given_latent import GivenLatent
from latentreel.sampling.latent_spread import LatentSpread
from latentreel.stylegan_v.motion_codes import NoiseWindow

Progress = Callable[[int, int, npt.NDArray[np.uint8]], None]
"""Called with steps done, steps in all, and the nearest clip so far, uint8 [T, H, W, 3]."""

STARTS = 4  # contents that are followed at first, each with a motion of its own
FIRST_STAGE = 0.3  # share of the steps that all starts take together, on some of the frames
FIRST_FRAMES = 4  # so many of them
CLOSENESS = 0.003  # weight of the mean squares of latent and motion noise, in deviations of random ones
FRAMES_AT_ONCE = 16


class Projection(NamedTuple):
    """What a clip was projected to."""

    latent: GivenLatent
    """Its content; `generate(latent=...)` moves it otherwise."""

    motion: AnchorNoise
    """Its motion; `generate(motion=...)` moves other contents so, and goes on from it."""

    frames: npt.NDArray[np.uint8]
    """The clip there, [T, H, W, 3]."""

    distance: float
    """Mean distance of its frames from those given."""


def project(
    pipe: StyleGANVPipeline,
    clip: npt.NDArray[np.uint8],
    *,
    steps: int = 150,
    candidates: int = 48,
    label: int | None = None,
    distance: PictureDistance | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Projection:
    """Searches the content and the motion whose clip is nearest.

    Args:
        pipe: The model.
        clip: uint8 [T, H, W, 3] of the model's resolution, at its rate.
        steps: Steps of the search.
        candidates: Random contents, each with a random motion, that are looked at for starts.
        label: The class that the clip shows, for models that have classes.
        distance: What is made small; by default pixels at several sizes.
        seed: Chooses the candidates.
        progress: Called after every step.

    Raises:
        InputError: The clip has another form, a class is missing, a number is out of range, or no distance is finite.
    """
    distance, generator = distance or PictureDistance(), pipe.generator
    distance.check(pipe.resolution)
    if clip.ndim != 4 or clip.dtype != np.uint8 or clip.shape[1:] != (pipe.resolution, pipe.resolution, 3) or not len(clip):
        given, allowed = f"{clip.dtype} {list(clip.shape)}", f"uint8 [T, {pipe.resolution}, {pipe.resolution}, 3]"
        raise InputError("the clip has the wrong form", given=given, allowed=allowed)
    for name, value in (("steps", steps), ("candidates", candidates)):
        if value < 1:
            raise InputError(f"{name} is out of range", given=value, allowed="at least 1")
    device = generator.mean_latent.device
    labels = None if label is None else torch.tensor([label], device=device)
    check_labels(labels, num_images=1, num_classes=generator.num_classes)
    spread = LatentSpread.measured(generator, label=label, seed=seed, device=device)
    search = _Search(pipe, to_float(clip, device=device), spread, labels, distance)
    first = max(1, round(FIRST_STAGE * steps)) if steps > 1 else 0
    best = search.starts(candidates, seed)
    for done, found in enumerate(search.descend(best, first, frames=search.some()), start=1):
        best = found
        _report(progress, done, steps, search, best, search.some())
    for done, found in enumerate(search.descend(best.nearest(), steps - first, frames=search.every()), start=first + 1):
        best = found
        _report(progress, done, steps, search, best, search.every())
    if not best.far[0].isfinite():
        raise InputError(NOT_FINITE)
    latent = GivenLatent.of(spread.latents(best.u[0]), generator, label=label)
    motion = AnchorNoise(best.motion_z[0].cpu(), search.window.first, latent.generator, len(clip))
    return Projection(latent, motion, search.shown(best, search.every()), float(best.far[0]))


class _State(NamedTuple):
    """Where a search is: contents and motions, and how far their clips are."""

    u: Tensor
    """Contents in even coordinates, [S, 1, D]."""

    motion_z: Tensor
    """Noise at the anchors, [S, A, Z]."""

    far: Tensor
    """[S]."""

    def nearest(self) -> "_State":
        """The nearest alone."""
        place = self.far.argmin()
        return _State(*(part[place][None] for part in self))


@dataclass(frozen=True, eq=False)
class _Search:
    """One clip and all that its search needs."""

    pipe: StyleGANVPipeline
    target: Tensor  # [T, 3, H, W]
    spread: LatentSpread
    labels: Tensor | None
    distance: PictureDistance

    def every(self) -> Tensor:
        """The numbers of all frames."""
        return torch.arange(len(self.target))

    def some(self) -> Tensor:
        """The numbers of a few, evenly spread."""
        return torch.linspace(0, len(self.target) - 1, min(FIRST_FRAMES, len(self.target))).round().long()

    @property
    def window(self) -> NoiseWindow:
        """Which anchors the clip needs."""
        return self.pipe.generator.motion.window(self.every().double()[None])

    def draw(self, state: _State, frames: Tensor) -> Tensor:
        """Some frames of each clip, [S, t, 3, H, W]."""
        generator, count = self.pipe.generator, len(state.u)
        t = frames.double()[None].expand(count, -1).to(self.target.device)
        labels = None if self.labels is None else self.labels.expand(count)
        w = self.spread.latents(state.u)[:, 0]
        return generator.synthesize(w, motion_z=state.motion_z, t=t, labels=labels, first_anchor=self.window.first)

    def far(self, state: _State, frames: Tensor) -> Tensor:
        """Mean distance of the frames of each clip, [S]."""
        drawn, target = self.draw(state, frames), self.target[frames.to(self.target.device)]
        return torch.stack([self.distance(one, target).mean() for one in drawn])

    @torch.no_grad()
    def shown(self, state: _State, frames: Tensor) -> npt.NDArray[np.uint8]:
        """Some frames of the first clip, [t, H, W, 3]."""
        return np.concatenate([to_uint8(self.draw(state, some)[0]) for some in frames.split(FRAMES_AT_ONCE)])

    @torch.no_grad()
    def starts(self, candidates: int, seed: int) -> _State:
        """The best of random contents with random motions, by a few frames."""
        generator, draws, device = self.pipe.generator, torch_generator(seed, "projection"), self.target.device
        z = torch.randn(candidates, generator.z_dim, generator=draws).to(device)
        noise = torch.randn(candidates, self.window.length, generator.config.motion_dim, generator=draws).to(device)
        labels = None if self.labels is None else self.labels.expand(candidates)
        u = self.spread.coordinates(generator.map(z, labels))[:, None]
        frames = self.some()
        parts = zip(u.split(FRAMES_AT_ONCE // 4), noise.split(FRAMES_AT_ONCE // 4), strict=True)
        far = torch.cat([self.far(_State(some, theirs, some), frames) for some, theirs in parts])
        best = far.argsort()[:STARTS]
        return _State(u[best], noise[best], far[best])

    def descend(self, state: _State, steps: int, *, frames: Tensor) -> Iterator[_State]:
        """Follows the gradient; after each step, gives the best of each start so far."""
        u, noise = (part.detach().clone().requires_grad_() for part in (state.u, state.motion_z))
        optimizer = torch.optim.Adam([u, noise], lr=LEARNING_RATE, betas=(0.9, 0.99))
        least = torch.full((len(u),), float("inf"), device=u.device)
        best = _State(u.detach().clone(), noise.detach().clone(), least)
        for step in range(steps):
            optimizer.param_groups[0]["lr"] = LEARNING_RATE * falling_rate(step, steps)
            optimizer.zero_grad()
            off = u.square().mean(dim=(1, 2)) + (noise.square().mean(dim=(1, 2)) - 1).clamp_min(0)
            (CLOSENESS * off).sum().backward()
            far = torch.zeros_like(least)
            for some in frames.split(FRAMES_AT_ONCE):  # the graph of a few frames at a time
                part = self.far(_State(u, noise, least), some) * (len(some) / len(frames))
                part.sum().backward()
                far += part.detach()
            nearer = far < best.far
            parts = ((u, best.u), (noise, best.motion_z))
            kept = [torch.where(nearer[:, None, None], new.detach(), old) for new, old in parts]
            best = _State(kept[0], kept[1], torch.minimum(far, best.far))
            optimizer.step()
            yield best


def _report(progress: Progress | None, done: int, total: int, search: _Search, best: _State, frames: Tensor) -> None:
    if progress:
        progress(done, total, search.shown(best.nearest(), frames))
