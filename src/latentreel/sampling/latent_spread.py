"""`LatentSpread`: where the latents of a generator lie, and coordinates in which they are spread evenly.

Zhu et al. 2020, "Improved StyleGAN Embedding: Where are the Good Latents?", use such whitened coordinates, behind one more step.
"""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from latentreel.core.image_generator import LatentMap
from latentreel.core.randomness import torch_generator

SAMPLES = 16
"""Random latents for each number of a latent: enough for a covariance of full rank with room to spare."""


@dataclass(frozen=True, eq=False)
class LatentSpread:
    """Mean and covariance of latents, as a change of coordinates: w = mean + u root, u of mean 0 and covariance 1."""

    mean: Tensor
    """[D]."""

    root: Tensor
    """Symmetric root of the covariance [D, D]."""

    inverse: Tensor
    """Its inverse, [D, D]."""

    @classmethod
    @torch.no_grad()
    def measured(cls, generator: LatentMap, *, label: int | None, seed: int, device: torch.device | str) -> Self:
        """Of random latents of one class, or of a generator without classes."""
        count = SAMPLES * generator.w_dim
        z = torch.randn(count, generator.z_dim, generator=torch_generator(seed, "latent spread")).to(device)
        labels = None if label is None else torch.full([count], label, device=device)
        w = generator.map(z, labels).double().cpu()
        variance, vectors = torch.linalg.eigh(w.T.cov())
        deviation = variance.clamp_min(1e-6 * variance.max()).sqrt()
        root, inverse = (vectors * scale @ vectors.T for scale in (deviation, 1 / deviation))
        return cls(*(part.float().to(device) for part in (w.mean(dim=0), root, inverse)))

    def latents(self, u: Tensor) -> Tensor:
        """From even coordinates [..., D] to latents."""
        return self.mean + u @ self.root

    def coordinates(self, w: Tensor) -> Tensor:
        """From latents [..., D] to even coordinates."""
        return (w - self.mean) @ self.inverse
