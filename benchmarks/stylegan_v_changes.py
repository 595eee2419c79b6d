"""How soon a new discriminator of StyleGAN-V tells moving clips from still ones: from plain random weights, and as it starts here.

Alone, against still clips of the image generator `faces`, as in the beginning of a training that starts from pictures: 8 clips of 3
frames of the world `faces` in a step, with R1. How often it is right about both sides, in blocks of 40 steps.
"""

import dataclasses
import tempfile
from pathlib import Path

import torch
from rich.progress import track

from evidence import write_table
from latentreel.cli.train import build
from latentreel.core.memory import keep_freed_memory
from latentreel.training.distribution import start_accelerator
from latentreel.training.loop import run_phase
from latentreel.training.presets import STYLEGAN_V
from latentreel.training.stylegan_v import StyleGANVTraining
from measure import write_result

STEPS, BLOCK = 240, 40
SEEDS = (0, 1)


def share_right(*, plain: bool, seed: int) -> list[float]:
    """Of real and still clips, in each block of steps."""
    with tempfile.TemporaryDirectory() as folder:
        config = dataclasses.replace(
            STYLEGAN_V["faces-world"], image_generator="faces", world_videos=512, seed=seed, out=Path(folder)
        )
        accelerator = start_accelerator(config)
        family = build(config, accelerator)
        assert isinstance(family, StyleGANVTraining)
        if plain:
            _forget_changes(family)
        right: list[float] = []
        family.discriminator.register_forward_hook(lambda _, __, logits: right.append(float((logits > 0).float().mean())))
        blocks: list[float] = []
        name = f"{'plain' if plain else 'seeing changes'}, seed {seed}"
        for step in track(range(STEPS), description=name):
            batch = family.batch(step)
            for phase in family.phases[1:]:
                if phase.is_due(step):
                    right.clear()
                    run_phase(phase, batch, accelerator)
                    if phase.name == "D":
                        fake, real = right
                        blocks.append((1 - fake + real) / 2)
            family.after_step()
    return [sum(blocks[start : start + BLOCK]) / BLOCK for start in range(0, STEPS, BLOCK)]


def _forget_changes(family: StyleGANVTraining) -> None:
    """Gives the block that joins frames plain random weights."""
    config = family.discriminator.config
    block = family.discriminator.blocks[-config.sizes.index(config.join_resolution)]
    for layer in (block.conv0, block.shortcut):
        torch.nn.init.normal_(layer.weight)


def main() -> None:
    """Measures both starts and writes the table."""
    keep_freed_memory()
    found = {
        name: [share_right(plain=plain, seed=seed) for seed in SEEDS]
        for name, plain in {"plain random weights": True, "half of the features see changes": False}.items()
    }
    write_result("stylegan_v_changes", {"steps_in_a_block": BLOCK, "share_right": found})
    columns = [f"steps {start + 1} to {start + BLOCK}" for start in range(0, STEPS, BLOCK)]
    cells = {name: [f"{sum(block) / len(block):.2f}" for block in zip(*runs, strict=True)] for name, runs in found.items()}
    write_table("changes seen", columns, cells)


if __name__ == "__main__":
    main()
