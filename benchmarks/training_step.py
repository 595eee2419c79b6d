"""Seconds and peak memory of one in-domain MoCoGAN-HD step, G and D: 64 px, full width, batch 2, T 8.

Runs itself once more with the plain reference operators in float32, in a process of its own, since peak memory is the process's.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import torch
from accelerate import Accelerator

import latentreel as lr
from latentreel.core.precision import compute_dtype
from latentreel.image_generators.stylegan2 import generator as generator_module
from latentreel.mocogan_hd.latent_basis import LatentBasis
from latentreel.nn import modulated_convolution, resample
from latentreel.training.config import MotionTrainingConfig
from latentreel.training.loop import run_phase
from latentreel.training.mocogan_hd import MotionTraining
from measure import peak_memory_gb, write_result

RESOLUTION, BATCH, FRAMES = 64, 2, 8


class RandomClips:
    """Stands in for a clip sampler: the data costs nothing here."""

    store = SimpleNamespace(digest="random", fps=(25.0,))

    def batch(self, step: int, size: int, rank: int = 0, world_size: int = 1) -> np.ndarray:
        return np.random.default_rng(step).integers(0, 255, (size, FRAMES, RESOLUTION, RESOLUTION, 3), dtype=np.uint8)


def measure_step(repeats: int) -> dict[str, float]:
    """The fastest of several steps, and the process's peak memory."""
    torch.manual_seed(0)
    generator = lr.build_image_generator("stylegan2", resolution=RESOLUTION).eval().requires_grad_(False)
    basis = LatentBasis.fit(generator, num_samples=2000, num_components=384)
    config = MotionTrainingConfig(data="", image_generator="", batch_size=BATCH, num_frames=FRAMES, discriminator_every=1)
    family = MotionTraining(config, RandomClips(), Accelerator(cpu=True), image_generator=generator, basis=basis)
    for phase in family.phases:  # as the training loop begins: a network takes gradients in its own turn only
        phase.module.requires_grad_(False)
    times = []
    for step in range(repeats + 1):
        batch = family.batch(step)
        start = time.perf_counter()
        for phase in family.phases:
            run_phase(phase, batch, family.accelerator)
        times.append(time.perf_counter() - start)
    return {"seconds": min(times[1:] or times), "peak_memory_gb": peak_memory_gb()}


def main() -> None:
    """Measures the fast path here, the reference in a child process."""
    if sys.argv[1:] == ["reference"]:
        lr.set_precision("fp32")
        with (
            patch.object(generator_module, "modulated_conv2d", modulated_convolution.modulated_conv2d_reference),
            patch.object(generator_module, "upsample", resample.upsample_reference),
        ):
            print(json.dumps(measure_step(1)))
        return
    fast = measure_step(4)
    child = subprocess.run([sys.executable, Path(__file__), "reference"], capture_output=True, text=True, check=True)
    reference = json.loads(child.stdout.splitlines()[-1])
    sizes = {"resolution": RESOLUTION, "batch": BATCH, "frames": FRAMES, "dtype": str(compute_dtype(torch.device("cpu")))}
    ratios = {
        "speedup": reference["seconds"] / fast["seconds"],
        "memory_ratio": reference["peak_memory_gb"] / fast["peak_memory_gb"],
    }
    write_result("training_step", {**sizes, "fast": fast, "reference_fp32": reference, **ratios})


if __name__ == "__main__":
    main()
