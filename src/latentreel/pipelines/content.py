"""`Content`: what a clip shows, before it moves; the same for every kind of model."""

from typing import NamedTuple, Self

import torch
from torch import Tensor

from latentreel.core.errors import InputError
from latentreel.core.image_generator import LatentMap
from latentreel.image_generators.stylegan2.generator import Backbone
from latentreel.pipelines.clip_settings import Settings
from latentreel.sampling.latents import StyleMix, content_labels, content_latents, mixed


class Content(NamedTuple):
    """The latents that a clip begins with."""

    w: Tensor
    """The first latent, [1, D]."""

    labels: Tensor | None
    """Its class, [1]; None if there are no classes."""

    style_mix: StyleMix | None
    """Which layers follow another content."""

    other: Tensor
    """The latent of that content, [1, D]; [0, D] if there is none."""

    toward: Tensor
    """The latent that the content goes to along the clip, [1, D]; [0, D] if it stays."""

    num_layers: int
    """L; 0 for a generator without layers of styles."""

    def shifted(self, change: Tensor) -> Self:
        """The content changed along a direction of latent space [D]."""
        return self._replace(w=self.w + change, other=self.other + change, toward=self.toward + change)

    def course(self, places: range, length: int) -> Tensor:
        """Where the content is at some frames of a clip of `length`, [t, D]: at w, or on its way to where it goes."""
        if not len(self.toward):
            return self.w.expand(len(places), -1)
        shares = torch.tensor(places, device=self.w.device)[:, None] / max(length - 1, 1)
        return torch.lerp(self.w, self.toward, shares)

    def in_layers(self, latents: Tensor, own: Tensor) -> Tensor:
        """Latents [t, D] as they are, or [t, L, D] where some layers follow the other content; `own` is the course [t, D]."""
        if self.style_mix is None:
            return latents
        layers = range(self.style_mix.first, self.style_mix.last + 1)
        return mixed(latents, own, self.other, layers=layers, num_layers=self.num_layers)


def content_of(generator: LatentMap, settings: Settings, *, device: torch.device) -> Content:
    """The content that settings choose.

    Args:
        generator: Whose latents.
        settings: Those of a clip.
        device: Where the generator lives.

    Raises:
        InputError: A number is out of range, or the generator has no such class or layers.
    """
    num_layers = generator.num_layers if isinstance(generator, Backbone) else 0
    mix, goal, own = settings.get("style_mix"), settings.get("to_seed"), [settings.get("seed", 0)]
    if goal is not None and settings.get("loop", False):
        raise InputError("a loop ends where it begins", given=f"to_seed {goal}", fix="leave one of them out")
    if mix is not None:
        _check_style_mix(mix, num_layers)
    label, truncation = settings.get("label"), settings.get("truncation", 1.0)

    def latents(seeds: list[int], labels: Tensor | None) -> Tensor:
        return content_latents(generator, seeds, labels=labels, truncation=truncation, device=device)

    labels = content_labels(generator, own, label=label, device=device)
    w = latents(own, labels)
    other = toward = w[:0]
    if mix is not None:
        other = latents([mix.seed], content_labels(generator, [mix.seed], label=label, device=device))
    if goal is not None:
        toward = latents([goal], labels)
    return Content(w, labels, mix, other, toward, num_layers)


def _check_style_mix(mix: StyleMix, num_layers: int) -> None:
    if not num_layers:
        raise InputError("style mixing needs a generator with layers of styles", allowed="a StyleGAN2 or a StyleGAN-V")
    if not 0 <= mix.first <= mix.last < num_layers:
        given, allowed = f"{mix.first} to {mix.last}", f"0 to {num_layers - 1}"
        raise InputError("there are no such layers to mix", given=given, allowed=allowed)
