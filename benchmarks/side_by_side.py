"""MoCoGAN-HD and StyleGAN-V side by side: trained on the same videos for the same time, judged under one protocol.

Both on `skies` at 32 px with the same widths, one thread each, at the same time. MoCoGAN-HD spends three quarters of its time on
the image generator, the rest on the motion; StyleGAN-V all of it on frames. Runs that are there are resumed; the table goes into
docs/evidence.md.
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
IMAGES, MOTION, CONTINUOUS = (RUNS / name for name in ("mocogan-hd-images", "mocogan-hd", "stylegan-v"))
WORLD, MINUTES, IMAGE_SHARE = "skies", 60.0, 0.75
SIZES = ("--resolution", "32", "--channels", "64", "64", "64", "32", "--deviation-features", "16", "--r1-gamma", "0.1")
SETTINGS = ("--device", "cpu", "--tracker", "none", "--log-every", "20")
PROTOCOL = altered(LATENTREEL, num_clips=256, frame_step=2, size=32)  # as MoCoGAN-HD's motion sees them: every other frame


def train(family: str, out: Path, minutes: float, *settings: str | Path) -> None:
    """One training to its end, on one thread."""
    command = [Path(sys.executable).with_name("latentreel"), "train", family, f"{WORLD}-world", "--out", out]
    command += ["--minutes", str(minutes), *settings, *SETTINGS]
    subprocess.run(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, check=True)


def train_mocogan_hd() -> None:
    """An image generator of the videos' frames, then its motion."""
    images = ("--batch-size", "32", "--path-length-weight", "2", "--path-length-every", "8", "--kimg", "100000")
    train("image", IMAGES, IMAGE_SHARE * MINUTES, *SIZES, *images)
    train("motion", MOTION, (1 - IMAGE_SHARE) * MINUTES, "--image-generator", IMAGES, "--kclips", "10000")


def train_stylegan_v() -> None:
    """Generator and discriminator at once, on three frames of a clip."""
    train("stylegan-v", CONTINUOUS, MINUTES, *SIZES, "--kclips", "10000")


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
        for ended in [pool.submit(train_mocogan_hd), pool.submit(train_stylegan_v)]:
            ended.result()
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    found = {"MoCoGAN-HD": measured(MOTION), "StyleGAN-V": measured(CONTINUOUS)}
    write_result("side_by_side", {"world": WORLD, "minutes": MINUTES, "image_share": IMAGE_SHARE, "models": found})
    columns = list(found["MoCoGAN-HD"])
    write_table("side by side", columns, {name: [f"{one[column]:.3g}" for column in columns] for name, one in found.items()})


if __name__ == "__main__":
    main()
