"""From a picture to the latent whose picture is nearest (MoCoGAN-HD, Tian et al. 2021, Eq. 8; Abdal et al. 2020, Image2StyleGAN++).

Latents are searched in coordinates in which random ones are spread evenly (`LatentSpread`), by Adam, from several starts at once:
first on coarse pixels, all starts sharing one latent for all layers; then the best goes on alone.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from latentreel.core.errors import InputError
from latentreel.core.labels import one_label
from latentreel.core.pixels import to_float, to_uint8
from latentreel.core.randomness import torch_generator
from latentreel.image_generators.build import Network
from latentreel.image_generators.stylegan2.generator import StyleGAN2Generator
from latentreel.losses.noise_correlation import noise_correlation
from latentreel.pipelines.picture_distance import NOT_FINITE, PictureDistance
from latentreel.sampling.given_latent import GivenLatent
from latentreel.sampling.latent_spread import LatentSpread

Space = Literal["w", "w+"]
Progress = Callable[[int, int, npt.NDArray[np.uint8]], None]
"""Called with steps done, steps in all, and the nearest picture so far, uint8 [H, W, 3]."""

LEARNING_RATE = 0.1  # in deviations of random latents
WARM_UP = 10  # steps in which the rate rises; it falls over the second half, as a cosine
FIRST_STAGE = 0.2  # share of the steps that all starts take together
GAIN = 1e-3  # what counts as nearer, relative
BATCH = 8  # candidates drawn at once
NOISE_WEIGHT = 1.0  # of the correlation of noise maps


@dataclass(frozen=True, kw_only=True)
class InversionSettings:
    """How long and where a latent is searched."""

    space: Space = "w+"
    """w: one latent for all layers (of a BigGAN: z). w+: one for each layer of a StyleGAN2, which fits more pictures better."""

    steps: int = 150
    """Steps of the search, of which a fifth are taken from all starts together."""

    starts: int = 4
    """Starts: the mean latent, and the best of the random candidates."""

    candidates: int = 48
    """Random latents that are looked at for starts."""

    noise: bool = False
    """Whether noise maps are searched, too: they draw details that no latent knows, and stay in place when a clip moves."""

    closeness: float = 0.003
    """Weight that keeps the latent near those that the generator knows: of its mean square in deviations of random latents."""

    layer_closeness: float = 0.01
    """Weight that keeps the layers' latents together, in the same unit; for w+."""

    patience: int = 30
    """Steps without getting nearer after which the search ends."""

    seed: int = 0
    """Chooses the candidates."""

    def __post_init__(self) -> None:
        if self.space not in ("w", "w+"):
            raise InputError("there is no such space of latents", given=self.space, allowed="w, w+")
        for name, least in (("steps", 1), ("starts", 1), ("candidates", 0), ("patience", 1)):
            if getattr(self, name) < least:
                raise InputError(f"{name} is out of range", given=getattr(self, name), allowed=f"at least {least}")
        if min(self.closeness, self.layer_closeness) < 0:
            given = f"{self.closeness}, {self.layer_closeness}"
            raise InputError("closeness is out of range", given=given, allowed="0 or more")

    def check(self, generator: Network) -> None:
        """Raises an `InputError` where a generator has no such space, or no noise."""
        if isinstance(generator, StyleGAN2Generator):
            return
        if self.space == "w+":
            raise InputError("w+ needs an image generator with layers of styles", given="a BigGAN", fix="use the space w")
        if self.noise:
            raise InputError("noise maps need a StyleGAN2", given="a BigGAN", fix="leave them out")


class Inversion(NamedTuple):
    """What a picture was inverted to."""

    latent: GivenLatent
    """Where the search ended; `VideoPipeline.generate(latent=...)` goes on from there."""

    picture: npt.NDArray[np.uint8]
    """The picture there, [H, W, 3]."""

    distance: float
    """Its distance from the one given."""

    steps: int
    """Steps taken, of which the search may have ended early."""


def invert(
    generator: Network,
    picture: npt.NDArray[np.uint8],
    settings: InversionSettings | None = None,
    *,
    label: int | None = None,
    distance: PictureDistance | None = None,
    progress: Progress | None = None,
) -> Inversion:
    """Searches the latent whose picture is nearest.

    Args:
        generator: Frozen.
        picture: uint8 [H, W, 3] of the generator's resolution (`data.framing.centre_square` brings any there).
        settings: How long, and where.
        label: The class that the picture shows, for generators that have classes.
        distance: What is made small; by default pixels at several sizes.
        progress: Called after every step.

    Raises:
        InputError: The picture has another size, a class is missing, the generator has no such space, or no distance is finite.
    """
    settings, distance = settings or InversionSettings(), distance or PictureDistance()
    settings.check(generator)
    distance.check(generator.resolution)
    allowed = [generator.resolution, generator.resolution, 3]
    if list(picture.shape) != allowed or picture.dtype != np.uint8:
        given = f"{picture.dtype} {list(picture.shape)}"
        raise InputError("the picture has the wrong form", given=given, allowed=f"uint8 {allowed}", fix="see centre_square")
    device = next(generator.parameters()).device
    labels = one_label(label, num_images=1, num_classes=generator.num_classes, device=device)
    spread = LatentSpread.measured(generator, label=label, seed=settings.seed, device=device)
    search = _Search(generator, to_float(np.array(picture), device=device)[None], spread, labels, distance, settings)

    first = max(1, round(FIRST_STAGE * settings.steps)) if settings.steps > 1 else 0
    steps, best = 0, search.starts()
    for found in search.descend(best.u, first, coarse=True):
        steps, best = steps + 1, found
        _report(progress, steps, settings.steps, found.picture)
    u = best.u
    if settings.space == "w+":
        assert isinstance(generator, StyleGAN2Generator)
        u = u.expand(-1, generator.num_layers, -1)
    for found in search.descend(u, settings.steps - first, maps=search.noise_maps()):
        steps, best = steps + 1, found
        _report(progress, steps, settings.steps, found.picture)
    w = spread.latents(best.u[0])
    latent = GivenLatent.of(w, generator, label=label, noise_maps=best.maps)
    return Inversion(latent, to_uint8(best.picture), best.distance, steps)


def picture_psnr(a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio of two pictures, in dB; infinite for equal ones. Without torchmetrics, which is optional."""
    error = float(np.square(a.astype(np.float64) - b).mean())
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


class _Found(NamedTuple):
    """The nearest so far."""

    u: Tensor
    """Even coordinates, [1, 1 or L, D]; of the starts, all of them, [S, 1, D]."""

    maps: tuple[Tensor, ...]
    picture: Tensor
    """[3, H, W]."""

    distance: float


@dataclass(frozen=True, eq=False)
class _Search:
    """One picture and all that its search needs."""

    generator: Network
    target: Tensor
    spread: LatentSpread
    labels: Tensor | None
    distance: PictureDistance
    settings: InversionSettings

    def draw(self, u: Tensor, maps: tuple[Tensor, ...] = ()) -> Tensor:
        """Coordinates [N, 1 or L, D] to pictures [N, 3, H, W]."""
        w = self.spread.latents(u)
        labels = None if self.labels is None else self.labels.expand(len(u))
        return self.generator.synthesize(w[:, 0] if w.shape[1] == 1 else w, labels=labels, noise=maps or "none")

    @torch.no_grad()
    def starts(self) -> _Found:
        """The mean latent and the best of the candidates."""
        device, width = self.target.device, self.generator.z_dim
        draws = torch_generator(self.settings.seed, "inversion")
        z = torch.randn(self.settings.candidates, width, generator=draws).to(device)
        labels = None if self.labels is None else self.labels.expand(len(z))
        u = self.spread.coordinates(self.generator.map(z, labels))[:, None]
        u = torch.cat([torch.zeros(1, 1, self.generator.w_dim, device=device), u])
        finest = self.generator.resolution // 2
        far = torch.cat([self.distance(self.draw(some), self.target, finest=finest) for some in u.split(BATCH)])
        chosen = torch.cat([far.new_zeros(1, dtype=torch.long), 1 + far[1:].argsort()])[: self.settings.starts]
        nearest = chosen[far[chosen].argmin()]
        return _Found(u[chosen], (), self.draw(u[nearest][None])[0], float(far[nearest]))

    def noise_maps(self) -> tuple[Tensor, ...]:
        """Maps to begin with: white noise."""
        if not self.settings.noise:
            return ()
        assert isinstance(self.generator, StyleGAN2Generator)
        draws, sizes = (
            torch_generator(self.settings.seed, "noise maps"),
            [x.noise_map.shape for x in self.generator.styled_layers()],
        )
        return tuple(torch.randn(1, 1, *size, generator=draws).to(self.target.device) for size in sizes)

    def descend(self, u: Tensor, steps: int, *, maps: tuple[Tensor, ...] = (), coarse: bool = False) -> Iterator[_Found]:
        """Follows the gradient from every start; after each step, gives the nearest that any of them reached.

        Args:
            u: Starts, [S, 1 or L, D].
            steps: At most so many.
            maps: Noise maps, which are searched as well.
            coarse: Whether the finest pixels are left out, which lets things move farther.
        """
        u = u.detach().clone().requires_grad_()
        maps = tuple(one.detach().clone().requires_grad_() for one in maps)
        optimizer = torch.optim.Adam([u, *maps], lr=LEARNING_RATE, betas=(0.9, 0.99))
        best, least, since = None, math.inf, 0
        for step in range(steps):
            optimizer.param_groups[0]["lr"] = LEARNING_RATE * falling_rate(step, steps)
            pictures = self.draw(u, maps)
            far = self.distance(pictures, self.target, finest=self.generator.resolution // 2 if coarse else None)
            loss = far + self._off_course(u)
            place = int(loss.argmin())
            since = 0 if loss[place] < (1 - GAIN) * least else since + 1
            if loss[place] < least:
                least = float(loss[place].detach())
                kept = tuple(one.detach().clone() for one in maps)
                best = _Found(u.detach()[place][None].clone(), kept, pictures[place].detach(), float(far[place].detach()))
            total = loss.sum() + (NOISE_WEIGHT * noise_correlation(maps) if maps else 0.0)
            optimizer.zero_grad()
            total.backward()
            optimizer.step()
            _to_white(maps)
            if best is None:
                raise InputError(NOT_FINITE)
            yield best
            if since >= self.settings.patience:
                return

    def _off_course(self, u: Tensor) -> Tensor:
        """What keeps latents where the generator knows them, [S]."""
        apart = (u - u.mean(dim=1, keepdim=True)).square().mean(dim=(1, 2))
        return self.settings.closeness * u.square().mean(dim=(1, 2)) + self.settings.layer_closeness * apart


def falling_rate(step: int, steps: int) -> float:
    """Share of the learning rate: rises over the first steps, falls over the second half."""
    falling = max(0.0, 2 * step / steps - 1)
    return min(1.0, (step + 1) / WARM_UP) * (0.5 + 0.5 * math.cos(math.pi * falling))


@torch.no_grad()
def _to_white(maps: tuple[Tensor, ...]) -> None:
    """Brings noise maps back to mean 0 and deviation 1 (Karras et al. 2020, App. D)."""
    for noise in maps:
        noise.sub_(noise.mean()).mul_(noise.square().mean().clamp_min(1e-12).rsqrt())


def _report(progress: Progress | None, done: int, total: int, picture: Tensor) -> None:
    if progress:
        progress(done, total, to_uint8(picture))
