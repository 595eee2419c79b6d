"""What a clip can be told: content, motion, and how they are drawn. One definition for `generate`, `stream` and `motion`."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypedDict

from torch import Tensor

from latentreel.core.errors import InputError
from latentreel.image_generators.build import Network
from latentreel.image_generators.stylegan2.generator import StyleGAN2Generator
from latentreel.sampling.courses import Interpolation
from latentreel.sampling.directions import Direction
from latentreel.sampling.latents import StyleMix, mixed
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
    """Frames per second of the result; by default those of the videos the motion was learned from, times `interpolate`."""

    hold: float
    """Past the 16th frame, the share of its way to the first one that each latent is led back, 0 (plain recursion) to 1; 1/16."""

    strength: float
    """What the motion is multiplied by, -10 to 10: 0 stands still, 1 moves as learned; 1."""

    motion: Motion | None
    """A motion to follow instead of a new one; the clip is then as long as it."""

    loop: bool
    """Whether the end leads back to the beginning, for videos that repeat without a seam; False."""

    interpolate: int
    """Steps for every step of the trajectory: 2 adds the midpoints as the released program does; 1."""

    interpolation: Interpolation
    """Along lines, or along a curve that turns smoothly; "spline"."""

    directions: Sequence[tuple[Direction, float]]
    """Changes to the content, each with its strength; none."""

    style_mix: StyleMix | None
    """Layers of a StyleGAN2 that follow another content; None."""


class Content(NamedTuple):
    """What a clip shows, before it moves."""

    w: Tensor
    """The first latent, [1, D]."""

    labels: Tensor | None
    """Its class, [1]; None if there are no classes."""

    generator: Network
    """Whose latents."""

    style_mix: StyleMix | None
    """Which layers follow another content."""

    other: Tensor
    """The latent of that content, [1, D]; [0, D] if there is none."""

    def in_layers(self, latents: Tensor) -> Tensor:
        """Latents [t, D] as they are, or [t, L, D] where some layers follow the other content."""
        if self.style_mix is None:
            return latents
        assert isinstance(self.generator, StyleGAN2Generator)
        layers = range(self.style_mix.first, self.style_mix.last + 1)
        return mixed(latents, self.w, self.other, layers=layers, num_layers=self.generator.num_layers)


def refuse_unknown(settings: Settings) -> None:
    """Raises a `TypeError`, as Python would, for an argument that there is not."""
    unknown = settings.keys() - Settings.__annotations__.keys()
    if unknown:
        raise TypeError(f"no such argument: {', '.join(sorted(unknown))}; there are {', '.join(Settings.__annotations__)}")


def check_style_mix(mix: StyleMix, generator: Any) -> None:
    """Raises an `InputError` unless the generator has these layers."""
    if not isinstance(generator, StyleGAN2Generator):
        raise InputError("style mixing needs an image generator with layers of styles", allowed="a StyleGAN2")
    if not 0 <= mix.first <= mix.last < generator.num_layers:
        given, allowed = f"{mix.first} to {mix.last}", f"0 to {generator.num_layers - 1}"
        raise InputError("there are no such layers to mix", given=given, allowed=allowed)
