"""`latentreel basis IMAGE_GENERATOR`: the principal components of its latents."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from latentreel.cli.arguments import parse


@dataclass(frozen=True, kw_only=True)
class BasisConfig:
    """Computes the latent basis of an image generator and says how much variance its components hold (App. E.1)."""

    image_generator: Annotated[str, tyro.conf.Positional] = "faces"
    """A bundle, a run's folder, a foreign checkpoint, or the name of one that ships."""

    out: Path = Path("runs/basis/basis.safetensors")
    """The file to write."""

    samples: int = 1_000_000
    """Random latents to look at."""

    components: int | None = None
    """How many directions to keep; by default 384, or all if there are fewer."""

    seed: int = 0
    """Chooses the latents."""


def run(arguments: list[str]) -> None:
    """Parses, computes, prints a table."""
    config = parse(BasisConfig, arguments, command="basis")
    from latentreel.checkpoints.bundle import write_tensors
    from latentreel.checkpoints.load import load_image_generator
    from latentreel.cli.progress import console, counting
    from latentreel.core.files import atomic_path
    from latentreel.mocogan_hd.latent_basis import LatentBasis

    generator = load_image_generator(config.image_generator)
    components = min(384, generator.w_dim) if config.components is None else config.components
    with counting("latent basis") as progress:
        basis = LatentBasis.fit(
            generator, num_samples=config.samples, num_components=components, seed=config.seed, progress=progress
        )
    with atomic_path(config.out) as temporary:
        write_tensors(basis.tensors(), temporary)
    shares = basis.explained_variance_ratio.cumsum(0)
    for k in sorted({1, 2, 5, 10, 20, 50, 100, 200, components}):
        if k <= components:
            console.print(f"first {k:>4} components: {100 * float(shares[k - 1]):5.1f} % of the variance")
    console.print(str(config.out), soft_wrap=True)
