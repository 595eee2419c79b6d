"""`Content`: what a clip shows, before it moves; the same for every kind of model."""

from typing import NamedTuple, Self

import torch
from torch import Tensor, nn

from latentreel.core.errors import InputError
from latentreel.core.image_generator import LatentMap
from latentreel.core.labels import one_label
from latentreel.core.shapes import check_shape
from latentreel.image_generators.stylegan2.generator import Backbone
from latentreel.pipelines.clip_settings import Settings
from latentreel.sampling.given_latent import GivenLatent
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

    layers: Tensor | None = None
    """How far the latent of each layer is from w, [L, D], where a given content has one for each; layers move together."""

    noise_maps: tuple[Tensor, ...] = ()
    """Noise maps that a given content brings."""

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
        """Latents [t, D] as they are, or [t, L, D] where layers differ; `own` is the course [t, D]."""
        apart = self._layers_along(own)
        if self.style_mix is None:
            return latents if apart is None else latents[:, None] + apart
        layers = range(self.style_mix.first, self.style_mix.last + 1)
        moved = mixed(latents, own, self.other, layers=layers, num_layers=self.num_layers)
        if apart is None:
            return moved
        follows = torch.tensor([layer in layers for layer in range(self.num_layers)], device=latents.device)
        return torch.where(follows[:, None], moved, moved + apart)

    def _layers_along(self, own: Tensor) -> Tensor | None:
        """How far each layer's latent is from the course [t, D], [L, D] or [t, L, D]: where a content goes to, layers share one."""
        if self.layers is None or not len(self.toward):
            return self.layers
        way = self.toward - self.w
        shares = (own - self.w) @ way.T / way.square().sum().clamp_min(torch.finfo(way.dtype).tiny)  # [t, 1]
        return (1 - shares)[..., None] * self.layers


def content_of(generator: LatentMap, settings: Settings, *, device: torch.device) -> Content:
    """The content that settings choose.

    Args:
        generator: Whose latents.
        settings: Those of a clip.
        device: Where the generator lives.

    Raises:
        InputError: A number is out of range, the generator has no such class or layers, or a given latent is none of its own.
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

    given, layers = _given_latent(settings, generator), None
    maps: tuple[Tensor, ...] = ()
    if given is None:
        labels = content_labels(generator, own, label=label, device=device)
        w = latents(own, labels)
    else:
        classes = generator.num_classes
        labels = None if given.label is None else one_label(given.label, num_images=1, num_classes=classes, device=device)
        w = generator.truncate(given.centre.to(device), truncation)
        layers = None if given.layers is None else truncation * given.layers.to(device)
        maps = tuple(one.to(device) for one in given.noise_maps)
    other = toward = w[:0]
    if mix is not None:
        other = latents([mix.seed], content_labels(generator, [mix.seed], label=label, device=device))
    if goal is not None:
        toward = latents([goal], labels)
    return Content(w, labels, mix, other, toward, num_layers, layers, maps)


def _given_latent(settings: Settings, generator: LatentMap) -> GivenLatent | None:
    """The content that settings give, if they give one."""
    latent = settings.get("latent")
    if latent is None:
        return None
    assert isinstance(generator, nn.Module)
    if isinstance(latent, Tensor):
        latent = GivenLatent.of(latent, generator, label=settings.get("label"))
    elif settings.get("label") is not None:
        raise InputError("a given latent brings its class", given=f"label {settings['label']}", fix="leave the label out")
    if isinstance(generator, Backbone):
        generator.per_layer(latent.w[None])
    elif latent.w.ndim == 2:
        raise InputError("BigGAN has no style layers: one latent drives an image", given=list(latent.w.shape), allowed="[D]")
    check_shape(latent.centre, "1 D", name="the latent", D=generator.w_dim)
    return latent.require(generator)


def _check_style_mix(mix: StyleMix, num_layers: int) -> None:
    if not num_layers:
        raise InputError("style mixing needs a generator with layers of styles", allowed="a StyleGAN2 or a StyleGAN-V")
    if not 0 <= mix.first <= mix.last < num_layers:
        given, allowed = f"{mix.first} to {mix.last}", f"0 to {num_layers - 1}"
        raise InputError("there are no such layers to mix", given=given, allowed=allowed)
