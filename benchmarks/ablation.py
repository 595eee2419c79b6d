"""The ablations of the paper (Tab. 5) on the worlds: the full method against four that lack one part, three seeds each.

Content from `creatures`, motion from `faces`. Every run sees the same number of clips. Runs train at 32 px and on 9 frames, on
an image generator fitted to draw what the one that ships draws, at half the size: that costs a third. They are measured at 64 px,
on the one that ships: latents are the same. Runs that are there are resumed, or measured as they are; the table goes into
docs/evidence.md.
"""

import dataclasses
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from rich.progress import track

import latentreel as lr
from evidence import write_table
from latentreel.checkpoints.bundle import save_image_generator
from latentreel.core.memory import keep_freed_memory
from latentreel.image_generators.stylegan2.generator import StyleGAN2Generator
from latentreel.pipelines.known_truth import KnownTruth, measure_known_truth
from latentreel.pipelines.mocogan_hd_pipeline import MoCoGANHDPipeline
from measure import write_result

ROOT = Path(__file__).parents[1]
RUNS = ROOT / "runs" / "ablation"
SMALLER = RUNS / "creatures-32-px"
SEEDS = (0, 1, 2)
NUM_FRAMES = 9
SIZES = ("--kclips", "1.2", "--world-videos", "1024", "--num-frames", str(NUM_FRAMES))
SETTINGS = (*SIZES, "--device", "cpu", "--tracker", "none")
VARIANTS = {
    "full": (),
    "w/o Eq. 2": ("--residual", "none"),
    "w/o D_I": ("--image-discriminator-weight", "0"),
    "w/o L_m": ("--mutual-information-weight", "0"),
    "w/o L_contr": ("--contrastive-weight", "0"),
}
BEST = {"identity drift": "lower", "motion match": "lower", "motion diversity": "0.7 to 1", "motion transfer": "higher"}


def half_size(generator: StyleGAN2Generator, *, steps: int = 600, batch: int = 16) -> StyleGAN2Generator:
    """The generator without its last block, whose other blocks then learn to draw its pictures at half the size."""
    config = generator.config
    sizes = dataclasses.replace(config, resolution=config.resolution // 2, channels=config.channels[:-1])
    smaller, whole = StyleGAN2Generator(sizes), generator.state_dict()
    smaller.load_state_dict({key: whole[key] for key in smaller.state_dict()})
    smaller.mapping.requires_grad_(False)
    optimizer = torch.optim.Adam(smaller.blocks.parameters(), lr=2e-3, betas=(0.0, 0.99), fused=True)
    draws = torch.Generator().manual_seed(0)
    for step in track(range(steps), description="an image generator of half the size"):
        optimizer.param_groups[0]["lr"] = 2e-3 * (1 - step / steps)
        with torch.no_grad():
            w = generator.map(torch.randn(batch, config.z_dim, generator=draws))
            pictures = F.avg_pool2d(generator.synthesize(w), 2)
        optimizer.zero_grad()
        F.mse_loss(smaller.synthesize(w), pictures).backward()
        optimizer.step()
    return smaller


def trained(name: str, seed: int) -> Path:
    """Trains one variant to its end, if it is not there already; one thread, so that others can run beside it."""
    out = RUNS / f"{name.replace('/', '').replace('. ', '').replace(' ', '-')}-{seed}"
    command = [Path(sys.executable).with_name("latentreel"), "train", "motion", "creatures-faces", "--out", out]
    command += ["--image-generator", SMALLER, "--seed", str(seed), *SETTINGS, *VARIANTS[name]]
    ended = subprocess.run(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise RuntimeError(ended.stderr[-2000:])
    return out


def measured(name: str, seed: int) -> KnownTruth:
    """What a variant's model does."""
    learned = MoCoGANHDPipeline.load(trained(name, seed))
    whole = MoCoGANHDPipeline(
        image_generator=lr.load_image_generator("creatures"),
        basis=learned.basis,
        motion_generator=learned.motion_generator,
        fps=learned.fps,
    )
    return measure_known_truth(whole, world="creatures", motion_world="faces", num_frames=NUM_FRAMES)


def cells(runs: list[dict[str, float]]) -> list[str]:
    """Mean and deviation over the seeds, a cell for each measure."""
    return [f"{np.mean([run[key] for run in runs]):.3f} ± {np.std([run[key] for run in runs], ddof=1):.3f}" for key in BEST]


def main() -> None:
    """Trains and measures all, one on each core, and writes the table."""
    pairs = [(name, seed) for seed in SEEDS for name in VARIANTS]
    cores = len(os.sched_getaffinity(0))
    torch.set_num_threads(1)
    keep_freed_memory()
    if not SMALLER.exists():
        save_image_generator(
            half_size(lr.load_image_generator("creatures")),
            SMALLER,
            origin="creatures at half the size, fitted to its pictures",
        )
    with ThreadPoolExecutor(cores) as pool:
        truths = list(track(pool.map(lambda pair: measured(*pair), pairs), total=len(pairs), description="training, measuring"))
    found: dict[str, list[dict[str, float]]] = {name: [] for name in VARIANTS}
    for (name, _), truth in zip(pairs, truths, strict=True):
        found[name].append(truth.summary())
    runs = {f"{name}, seed {seed}": dataclasses.asdict(truth) for (name, seed), truth in zip(pairs, truths, strict=True)}
    write_result("ablation", {"settings": " ".join(SETTINGS), "variants": found, "runs": runs})
    columns = [f"{name} ({best})" for name, best in BEST.items()]
    write_table("ablation", columns, {name: cells(runs) for name, runs in found.items()})


if __name__ == "__main__":
    main()
