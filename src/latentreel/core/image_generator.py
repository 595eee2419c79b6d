"""What every image generator can do, whatever its family: map noise to latents, and draw latents."""

from collections.abc import Sequence
from typing import Literal, Protocol, runtime_checkable

from torch import Tensor

NoiseMode = Literal["none", "fixed", "random"]
"""How the per-layer noise of a StyleGAN2 is chosen: absent, the stored maps, or fresh normal draws."""


UNSTATED = "not stated"
"""The licence of weights of which nobody has said it."""


class LatentMap(Protocol):
    """What generators of images and of videos share: noise and a class give the latent of a content."""

    z_dim: int
    w_dim: int
    num_classes: int

    def map(self, z: Tensor, labels: Tensor | None = None, truncation: float = 1.0) -> Tensor:
        """Normal noise [N, z_dim] to latents [N, D] in the space where trajectories are walked."""
        ...

    def truncate(self, w: Tensor, truncation: float) -> Tensor:
        """Latents [..., D] moved toward their mean: 1 leaves them, 0 gives the mean."""
        ...


@runtime_checkable
class ImageGenerator(LatentMap, Protocol):
    """A network that draws images from latents (the frozen G_I of MoCoGAN-HD, Sec. 3).

    N images, D latent width, L style layers, H = W = resolution.
    """

    resolution: int

    def synthesize(self, w: Tensor, labels: Tensor | None = None, noise: NoiseMode | Sequence[Tensor] = "none") -> Tensor:
        """Latents [N, D] or, one per layer, [N, L, D], to images [N, 3, H, W], about [-1, 1]."""
        ...
