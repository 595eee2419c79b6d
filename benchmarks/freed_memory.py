"""Keeping freed memory (`core/memory.py`) against the C library's default: a small training step, a full-width one, a clip.

Each in a process of its own, since the setting is the process's and so is peak memory.
"""

import json
import sys

import torch
from accelerate import Accelerator

import latentreel as lr
from latentreel.core.memory import keep_freed_memory
from latentreel.mocogan_hd.latent_basis import LatentBasis
from latentreel.training.mocogan_hd import MotionTraining
from latentreel.training.presets import MOTION
from measure import best_seconds, measured_by_a_child, peak_memory_gb, write_result
from random_clips import RandomClips, full_width_training, step_seconds


def small_step() -> float:
    """Seconds of a step of the preset creatures-faces, all phases."""
    generator = lr.load_image_generator("creatures")
    config = MOTION["creatures-faces"]
    basis = LatentBasis.fit(generator, num_samples=2000, num_components=config.num_components)
    clips = RandomClips(config.num_frames, generator.resolution)
    family = MotionTraining(config, clips, Accelerator(cpu=True), image_generator=generator, basis=basis)
    for phase in family.phases:
        phase.module.requires_grad_(False)
    return step_seconds(family, 3)


def full_width_step() -> float:
    """Seconds of a step at full width: 64 px, batch 2, 8 frames, in-domain."""
    return step_seconds(full_width_training(64, batch_size=2, num_frames=8), 2)


def clip() -> float:
    """Seconds in which the model that ships makes 16 frames."""
    pipe = lr.VideoPipeline.load("faces")
    return best_seconds(lambda: pipe.generate(seed=0, num_frames=16))


CASES = {"small_step": small_step, "full_width_step": full_width_step, "clip": clip}


def main() -> None:
    """Measures every case in child processes, with and without."""
    if len(sys.argv) > 2:
        if sys.argv[2] == "kept":
            keep_freed_memory()
        print(json.dumps({"seconds": CASES[sys.argv[1]](), "peak_memory_gb": peak_memory_gb()}))
        return
    result: dict[str, object] = {"threads": torch.get_num_threads()}
    for case in CASES:
        handed_back, kept = (measured_by_a_child(__file__, case, how) for how in ("handed back", "kept"))
        result[case] = {"handed_back": handed_back, "kept": kept, "faster": handed_back["seconds"] / kept["seconds"]}
    write_result("freed_memory", result)


if __name__ == "__main__":
    main()
