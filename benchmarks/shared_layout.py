"""How much of their layout the pictures of image generators have in common; the table goes into docs/evidence.md.

What varies along the rows of a grey picture, without the mean of each row, is layout: horizons and gradients of colour are left
out. In common is the share of its energy that the mean over all pictures keeps; directions are as many as its principal components
would be if they were equally strong (the exponential of the entropy of their shares).

    latentreel bench shared_layout -- RUN [RUN ...] --world skies
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from evidence import write_table
from latentreel.checkpoints.load import load_image_generator
from latentreel.core.pixels import to_float
from latentreel.worlds.registry import open_world
from measure import write_result

PICTURES = 512


def main() -> None:
    """Measures the runs, and the world at their resolutions."""
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("runs", nargs="+", help="image generators: runs' folders, bundles, or names that ship")
    flags.add_argument("--world", default="skies")
    asked = flags.parse_args()
    generated = {Path(run).name: drawn(run) for run in asked.runs}
    sizes = sorted({pictures.shape[-1] for pictures in generated.values()})
    pictures = generated | {f"{asked.world}, {size} px": painted(asked.world, size) for size in sizes}
    found = {name: layout(one) for name, one in pictures.items()}
    write_result("shared_layout", found)
    rows = {name: [f"{one['in common']:.3f}", f"{one['directions']:.0f}"] for name, one in found.items()}
    write_table("shared layout", ["layout in common", "directions"], rows)


def layout(pictures: Tensor) -> dict[str, float]:
    """Of pictures [N, 3, H, W]: the share of layout in common, and the number of directions."""
    grey = pictures.mean(dim=1)
    rest = (grey - grey.mean(dim=-1, keepdim=True)).flatten(1)
    mean = rest.mean(dim=0)
    energy = torch.linalg.svdvals(rest - mean).square()
    entropy = torch.special.entr(energy / energy.sum()).sum()
    return {"in common": float(mean.square().mean() / rest.square().mean()), "directions": float(entropy.exp())}


@torch.no_grad()
def drawn(run: str) -> Tensor:
    """Pictures of random latents [N, 3, H, W]."""
    generator = load_image_generator(run)
    noise = torch.randn(PICTURES, generator.z_dim, generator=torch.Generator().manual_seed(0))
    return torch.cat([generator(part) for part in noise.split(32)])


def painted(name: str, size: int) -> Tensor:
    """First frames of videos that training did not see [N, 3, H, W]."""
    world = open_world(name, resolution=size, num_frames=1, seed=7)
    frames = np.stack([np.asarray(world.video(index).video.frames)[0] for index in range(PICTURES)])
    return to_float(torch.from_numpy(frames), device=torch.device("cpu"))


if __name__ == "__main__":
    main()
