"""`LatentBasis`: the principal components of a generator's latents, the directions along which motion is walked.

MoCoGAN-HD (Tian et al. 2021), Sec. 3.1 "Motion Disentanglement" and App. E.1.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from latentreel.core.errors import InputError
from latentreel.core.image_generator import ImageGenerator
from latentreel.core.labels import random_labels
from latentreel.core.randomness import torch_generator
from latentreel.core.shapes import check_shape

CHUNK = 10_000


@dataclass(frozen=True, eq=False)
class LatentBasis:
    """Mean, directions and extent of the latents of one image generator. K components of width D, all float32 on the CPU."""

    components: Tensor
    """Orthonormal directions V [K, D], largest variance first; of each, the entry that is largest by magnitude is positive."""

    stdev: Tensor
    """Standard deviation of the latents along each direction, sigma [K]."""

    mean: Tensor
    """Mean latent [D]."""

    explained_variance_ratio: Tensor
    """Share of the total variance along each direction [K]; App. E.1 looks at its running sum."""

    def __post_init__(self) -> None:
        check_shape(self.components, "K D", name="components")
        sizes = {"K": len(self.components), "D": self.components.shape[1]}
        check_shape(self.stdev, "K", name="stdev", **sizes)
        check_shape(self.mean, "D", name="mean", **sizes)
        check_shape(self.explained_variance_ratio, "K", name="explained_variance_ratio", **sizes)

    @property
    def directions(self) -> Tensor:
        """Components times their standard deviations, sigma V [K, D]: a coefficient of 1 is one standard deviation."""
        return self.components * self.stdev[:, None]

    @classmethod
    @torch.no_grad()
    def fit(
        cls,
        generator: ImageGenerator,
        *,
        num_samples: int = 1_000_000,
        num_components: int = 384,
        seed: int = 0,
        progress: Callable[[int, int], None] | None = None,
    ) -> Self:
        """Principal component analysis of random latents (of random classes, if there are any), in float64, in constant memory.

        Args:
            generator: Its `map` gives the latents.
            num_samples: How many latents (Sec. 3.1: 1,000,000).
            num_components: K, at most the latents' width (384 in the paper).
            seed: Chooses the latents.
            progress: Called with samples done and samples in all.

        Raises:
            InputError: More components are asked for than the latents have, or too few samples for them.
        """
        d = generator.w_dim
        if not 1 <= num_components <= d:
            raise InputError("num_components does not fit the latents", given=num_components, allowed=f"1 to {d}")
        if num_samples <= d:
            raise InputError("too few samples for a basis", given=num_samples, allowed=f"more than {d}")
        device = _device_of(generator)
        draws = torch_generator(seed, "basis")
        total, products, origin, done = torch.zeros(d).double(), torch.zeros(d, d).double(), None, 0
        while done < num_samples:
            z = torch.randn(min(CHUNK, num_samples - done), generator.z_dim, generator=draws)
            labels = random_labels(generator, len(z), draws)
            w = generator.map(z.to(device), None if labels is None else labels.to(device)).cpu().double()
            origin = (
                w.mean(dim=0) if origin is None else origin
            )  # near the mean, so that the subtraction below keeps its digits
            w -= origin
            total += w.sum(dim=0)
            products += w.T @ w
            done += len(z)
            if progress:
                progress(done, num_samples)
        assert origin is not None
        mean = total / num_samples
        covariance = products / (num_samples - 1) - torch.outer(mean, mean) * (num_samples / (num_samples - 1))
        variance, vectors = torch.linalg.eigh(covariance)
        variance, vectors = variance.flip(0).clamp_min(0), vectors.T.flip(0)
        largest = vectors.gather(1, vectors.abs().argmax(dim=1, keepdim=True))
        vectors = vectors * largest.sign()
        k = num_components
        return cls(
            components=vectors[:k].float().contiguous(),
            stdev=variance[:k].sqrt().float(),
            mean=(mean + origin).float(),
            explained_variance_ratio=(variance / variance.sum())[:k].float(),
        )

    def truncated(self, num_components: int) -> Self:
        """The first components alone."""
        k = num_components
        return type(self)(self.components[:k], self.stdev[:k], self.mean, self.explained_variance_ratio[:k])

    def tensors(self) -> dict[str, Tensor]:
        """All parts by name, for a file."""
        return {name: getattr(self, name) for name in ("components", "stdev", "mean", "explained_variance_ratio")}

    @classmethod
    def from_tensors(cls, tensors: dict[str, Tensor], *, where: str) -> Self:
        """The reverse of `tensors`.

        Raises:
            InputError: A part is missing, or shapes disagree.
        """
        try:
            return cls(**tensors)
        except TypeError as error:
            raise InputError(f"{where} is no latent basis", given=", ".join(sorted(tensors))) from error


def _device_of(generator: ImageGenerator) -> torch.device:
    if isinstance(generator, torch.nn.Module):
        return next(generator.parameters()).device
    return torch.device("cpu")
