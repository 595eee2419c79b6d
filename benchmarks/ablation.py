"""The ablations of the paper (Tab. 5) on the worlds: the full method against four that lack one part, three seeds each.

Content from `creatures`, motion from `faces`. Every run sees the same number of clips. Runs that are there are resumed, or measured
as they are; the table goes into docs/evidence.md.
"""

import dataclasses
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from rich.progress import track

from evidence import write_table
from latentreel.pipelines.known_truth import KnownTruth, measure_known_truth
from latentreel.pipelines.video_pipeline import VideoPipeline
from measure import write_result

ROOT = Path(__file__).parents[1]
RUNS = ROOT / "runs" / "ablation"
SEEDS = (0, 1, 2)
SETTINGS = ("--kclips", "2.0", "--world-videos", "1024", "--device", "cpu", "--tracker", "none")
VARIANTS = {
    "full": (),
    "w/o Eq. 2": ("--residual", "none"),
    "w/o D_I": ("--image-discriminator-weight", "0"),
    "w/o L_m": ("--mutual-information-weight", "0"),
    "w/o L_contr": ("--contrastive-weight", "0"),
}
BEST = {"identity drift": "lower", "motion match": "lower", "motion diversity": "0.7 to 1", "motion transfer": "higher"}


def trained(name: str, seed: int) -> Path:
    """Trains one variant to its end, if it is not there already; one thread, so that others can run beside it."""
    out = RUNS / f"{name.replace('/', '').replace('. ', '').replace(' ', '-')}-{seed}"
    command = [Path(sys.executable).with_name("latentreel"), "train", "motion", "creatures-faces", "--out", out]
    command += ["--seed", str(seed), *SETTINGS, *VARIANTS[name]]
    ended = subprocess.run(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise RuntimeError(ended.stderr[-2000:])
    return out


def measured(name: str, seed: int) -> KnownTruth:
    """What a variant's model does."""
    return measure_known_truth(VideoPipeline.load(trained(name, seed)), world="creatures", motion_world="faces")


def cells(runs: list[dict[str, float]]) -> list[str]:
    """Mean and deviation over the seeds, a cell for each measure."""
    return [f"{np.mean([run[key] for run in runs]):.3f} ± {np.std([run[key] for run in runs], ddof=1):.3f}" for key in BEST]


def main() -> None:
    """Trains and measures all, one on each core, and writes the table."""
    pairs = [(name, seed) for seed in SEEDS for name in VARIANTS]
    cores = len(os.sched_getaffinity(0))
    torch.set_num_threads(1)
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
