"""What can be done to the course of a clip's latents: more frames between them, an end that meets the beginning.

MoCoGAN-HD (Tian et al. 2021), App. C; the released program puts the midpoint between any two latents.
"""

import itertools
from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor

from latentreel.core.errors import InputError
from latentreel.sampling.rollout import in_chunks

Interpolation = Literal["linear", "spline"]
"""linear: along straight lines, as released. spline: along a curve through them that turns smoothly (Catmull and Rom 1974)."""


def interpolated(
    pieces: Iterator[Tensor], factor: int, method: Interpolation, *, chunk: int, loop: bool = False
) -> Iterator[Tensor]:
    """A course with more frames: `factor` times as many steps between the same latents; in constant memory, unless it is a loop.

    Args:
        pieces: Consecutive latents [t, D].
        factor: Steps for every step, at least 1; 2 adds the midpoints.
        method: How the latents between are found.
        chunk: Frames at a time.
        loop: Whether the course is one round, as of `closed`: then there is a step from the last latent to the first, too.

    Yields:
        [t, D] with t at most `chunk`; (T - 1) factor + 1 frames in all, T factor of a loop.

    Raises:
        InputError: The factor or the method is not allowed.
    """
    if factor < 1:
        raise InputError("the interpolation factor is out of range", given=factor, allowed="1 (none) or more")
    if method not in ("linear", "spline"):
        raise InputError("unknown interpolation", given=method, allowed="linear, spline")
    latents = (latent for piece in pieces for latent in piece.split(1))
    return in_chunks(_around(list(latents), factor, method) if loop else _between(latents, factor, method), chunk)


def closed(latents: Tensor) -> Tensor:
    """A course whose end meets its beginning, for videos that repeat without a seam.

    The way from the first to the last latent is taken back little by little, the more the nearer the end; at both ends the course
    keeps its speed.

    Args:
        latents: [T + 1, D] with T at least 1.

    Returns:
        [T, D]: the frames of one round. The frame after the last would be the first.
    """
    rounds = torch.linspace(0, 1, len(latents), device=latents.device)
    share = rounds.square() * (3 - 2 * rounds)
    return (latents - share[:, None] * (latents[-1] - latents[0]))[:-1]


def _around(latents: list[Tensor], factor: int, method: Interpolation) -> Iterator[Tensor]:
    """Every latent of a round and what lies before the next, which for the last is the first."""
    longer = _between(iter([latents[-1], *latents, *latents[:2]]), factor, method)
    return itertools.islice(longer, factor, (len(latents) + 1) * factor)


def _between(latents: Iterator[Tensor], factor: int, method: Interpolation) -> Iterator[Tensor]:
    """Every latent and what lies before the next; a window of four is all that is held."""
    window: list[Tensor | None] = [None, next(latents), next(latents, None)]
    while window[2] is not None:
        window.append(next(latents, None))
        before, here, there, after = window
        assert here is not None and there is not None
        for step in range(factor):
            at = step / factor
            yield torch.lerp(here, there, at) if method == "linear" else _curve(before, here, there, after, at)
        window = window[1:]
    assert window[1] is not None
    yield window[1]


def _curve(before: Tensor | None, here: Tensor, there: Tensor, after: Tensor | None, at: float) -> Tensor:
    """Between two latents on a cubic whose slope at each is that between its neighbours; at the ends of a course, to the one."""
    arrives = there - here if before is None else (there - before) / 2
    leaves = there - here if after is None else (after - here) / 2
    cubed, squared = at**3, at**2
    return (
        (2 * cubed - 3 * squared + 1) * here
        + (cubed - 2 * squared + at) * arrives
        + (3 * squared - 2 * cubed) * there
        + (cubed - squared) * leaves
    )
