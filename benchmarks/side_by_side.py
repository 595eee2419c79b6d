"""MoCoGAN-HD and StyleGAN-V side by side: the same videos, the same start, the same time, judged under one protocol.

Both from the image generator of `skies` that ships, on one thread each, at the same time: MoCoGAN-HD keeps it frozen and learns to
walk its latents, StyleGAN-V goes on with its weights. Runs that are there are resumed; the table goes into docs/evidence.md.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from accelerate import Accelerator

from evidence import write_table
from latentreel.checkpoints.feature_networks import load_extractor
from latentreel.core.memory import keep_freed_memory
from latentreel.metrics.protocols import LATENTREEL, altered
from latentreel.pipelines.clip_collections import open_clips
from latentreel.pipelines.evaluation import FRECHET, evaluate
from latentreel.pipelines.known_truth import measure_known_truth
from latentreel.pipelines.video_pipeline import VideoPipeline
from measure import write_result

RUNS = Path(__file__).parents[1] / "runs" / "side-by-side"
MOTION, CONTINUOUS = RUNS / "mocogan-hd", RUNS / "stylegan-v"
WORLD, MINUTES = "skies", 28.0
START = ("--image-generator", WORLD, "--world-videos", "1536")
CONTINUED = (
    "--learning-rate",
    "5e-4",
    "--discriminator-learning-rate",
    "2.5e-3",
    "--deviation-features",
    "16",
    "--r1-gamma",
    "0.2",
)
SETTINGS = ("--device", "cpu", "--tracker", "none", "--log-every", "20", "--kclips", "10000")
PROTOCOL = altered(LATENTREEL, num_clips=256, frame_step=2, size=64)  # as MoCoGAN-HD's motion sees them: every other frame


def train(family: str, out: Path, *settings: str) -> None:
    """One training to its end, on one thread."""
    command = [Path(sys.executable).with_name("latentreel"), "train", family, f"{WORLD}-world", "--out", out]
    command += ["--minutes", str(MINUTES), *START, *settings, *SETTINGS]
    subprocess.run(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, check=True)


def measured(run: Path) -> dict[str, float]:
    """Distances by the networks that ship, and by the world's factors."""
    found: dict[str, float] = {}
    for network in ("worlds-clips", "worlds-frames"):
        real, fake = open_clips(f"world:{WORLD}", PROTOCOL), open_clips(run, PROTOCOL)
        scores = evaluate(real, fake, PROTOCOL, load_extractor(network), accelerator=Accelerator(cpu=True)).scores
        found[f"Fréchet, {network}"] = scores[FRECHET].value
        found[f"Fréchet, {network}, other real clips"] = scores[FRECHET].real
    return found | measure_known_truth(VideoPipeline.load(run), world=WORLD).summary()


def main() -> None:
    """Trains what is not there yet, both at once, and measures both."""
    keep_freed_memory()
    with ThreadPoolExecutor(2) as pool:
        for ended in [pool.submit(train, "motion", MOTION), pool.submit(train, "stylegan-v", CONTINUOUS, *CONTINUED)]:
            ended.result()
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    found = {"MoCoGAN-HD": measured(MOTION), "StyleGAN-V": measured(CONTINUOUS)}
    write_result("side_by_side", {"world": WORLD, "minutes": MINUTES, "models": found})
    columns = list(found["MoCoGAN-HD"])
    write_table("side by side", columns, {name: [f"{one[column]:.3g}" for column in columns] for name, one in found.items()})


if __name__ == "__main__":
    main()
