"""What a clip can be told: content, motion, and how they are drawn. One definition for `generate`, `stream` and `motion`."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

from torch import Tensor

from latentreel.core.errors import InputError
from latentreel.sampling.anchor_noise import AnchorNoise
from latentreel.sampling.courses import Interpolation
from latentreel.sampling.directions import Direction
from latentreel.sampling.given_latent import GivenLatent
from latentreel.sampling.latents import StyleMix
from latentreel.sampling.motion import Motion


class Settings(TypedDict, total=False):
    """Arguments of `VideoPipeline.generate` besides the number of frames; all have defaults."""

    seed: int
    """Chooses the content, what the first frame shows; 0."""

    motion_seed: int
    """Chooses the motion; 0."""

    truncation: float
    """1 leaves the content as drawn, smaller values move it toward the mean; 1."""

    noise: Literal["none", "fixed"]
    """Per-layer noise of a StyleGAN2: absent, or its stored maps, the same for every frame; "none"."""

    label: int | None
    """Class of the content, for image generators that have classes; by default the seed chooses one."""

    fps: float | None
    """Frames per second of the result; by default those of the videos the motion was learned from, times `interpolate`. A
    MoCoGAN-HD's frames are shown slower or faster; a StyleGAN-V draws others, and shows the same motion."""

    hold: float
    """Past the 16th frame, the share of its way to the first one that each latent is led back, 0 (plain recursion) to 1; 1/16."""

    strength: float
    """What the motion is multiplied by, -10 to 10: 0 stands still, 1 moves as learned; 1."""

    motion: Motion | AnchorNoise | None
    """A motion to follow instead of a new one. A MoCoGAN-HD's clip is then as long as it; a StyleGAN-V's is as long as it is asked
    for, and goes on beyond as `motion_seed` says."""

    loop: bool
    """Whether the end leads back to the beginning, for videos that repeat without a seam; False. A StyleGAN-V's round is a whole
    number of the distances between its anchors."""

    interpolate: int
    """Steps for every step: 2 adds the midpoints, which a MoCoGAN-HD interpolates and a StyleGAN-V draws; 1."""

    interpolation: Interpolation
    """Along lines, or along a curve that turns smoothly; "spline"."""

    directions: Sequence[tuple[Direction, float]]
    """Changes to the content, each with its strength, -20 to 20; none."""

    style_mix: StyleMix | None
    """Layers of a StyleGAN2 or a StyleGAN-V that follow another content; None."""

    to_seed: int | None
    """Another content of the same class, which the first one becomes little by little until the last frame; None."""

    latent: GivenLatent | Tensor | None
    """A content that is given, such as an inverted picture, instead of one from the seed: [D], or [L, D] for each layer; None."""

    start_seconds: float | None
    """When a StyleGAN-V's clip begins; by default at 0, or, if it goes backwards, so that it ends there."""

    speed: float
    """How fast time goes for a StyleGAN-V: 0.5 is slow motion, -1 goes backwards; 1."""


def refuse_unknown(settings: Settings) -> None:
    """Raises a `TypeError`, as Python would, for an argument that there is not."""
    unknown = settings.keys() - Settings.__annotations__.keys()
    if unknown:
        raise TypeError(f"no such argument: {', '.join(sorted(unknown))}; there are {', '.join(Settings.__annotations__)}")


def refuse_meaningless(settings: Settings, reasons: Mapping[str, str], *, kind: str) -> None:
    """Raises an `InputError` for the first setting, in the order given, that a kind of model cannot follow.

    Args:
        settings: What a clip is told; what is not in it is not asked for.
        reasons: By setting, why it has no meaning.
        kind: The kind of model, in words.
    """
    for name, value in settings.items():
        if name in reasons:
            raise InputError(f"{name} means nothing to {kind}", given=value, fix=reasons[name])
