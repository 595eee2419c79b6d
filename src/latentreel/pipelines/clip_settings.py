"""What a clip can be told: content, motion, and how they are drawn. One definition for `generate`, `stream` and `motion`."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypedDict

import torch
from torch import Tensor

from latentreel.core.errors import InputError
from latentreel.core.shapes import check_shape
from latentreel.image_generators.build import Network
from latentreel.image_generators.stylegan2.generator import StyleGAN2Generator
from latentreel.mocogan_hd.video_generator import render
from latentreel.sampling.courses import Interpolation
from latentreel.sampling.directions import Direction
from latentreel.sampling.given_latent import GivenLatent
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

    latent: GivenLatent | Tensor | None
    """A content that is given, such as an inverted picture, instead of one from the seed: [D], or [L, D] for each layer; None."""


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

    layers: Tensor | None = None
    """How far the latent of each layer is from w, [L, D], where a given content has one for each; layers move together."""

    noise_maps: tuple[Tensor, ...] = ()
    """Noise maps that a given content brings."""

    def in_layers(self, latents: Tensor) -> Tensor:
        """Latents [t, D] as they are, or [t, L, D] where layers differ."""
        if self.style_mix is None:
            return latents if self.layers is None else latents[:, None] + self.layers
        assert isinstance(self.generator, StyleGAN2Generator)
        layers = range(self.style_mix.first, self.style_mix.last + 1)
        moved = mixed(latents, self.w, self.other, layers=layers, num_layers=self.generator.num_layers)
        if self.layers is None:
            return moved
        follows = torch.tensor([layer in layers for layer in range(self.generator.num_layers)], device=latents.device)
        return torch.where(follows[:, None], moved, moved + self.layers)

    def draw(self, latents: Tensor, noise: Literal["none", "fixed"] = "none") -> Tensor:
        """Latents [t, D] as pictures [t, 3, H, W]."""
        return render(self.generator, self.in_layers(latents)[None], self.noise_maps or noise, labels=self.labels)[0]


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


def given_latent(settings: Settings, generator: Network) -> GivenLatent | None:
    """The content that settings give, if they give one.

    Raises:
        InputError: It belongs to another image generator, its shape does not fit, or a label was given beside it.
    """
    latent = settings.get("latent")
    if latent is None:
        return None
    if isinstance(latent, Tensor):
        latent = GivenLatent.of(latent, generator, label=settings.get("label"))
    elif settings.get("label") is not None:
        raise InputError("a given latent brings its class", given=f"label {settings['label']}", fix="leave the label out")
    if isinstance(generator, StyleGAN2Generator):
        generator.per_layer(latent.w[None])
    elif latent.w.ndim == 2:
        raise InputError("BigGAN has no style layers: one latent drives an image", given=list(latent.w.shape), allowed="[D]")
    check_shape(latent.centre, "1 D", name="the latent", D=generator.w_dim)
    return latent.require(generator)
