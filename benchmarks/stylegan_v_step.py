"""Cost of a StyleGAN-V training step against the same StyleGAN2 image step on as many pictures (Skorokhodov et al. 2022: 1.05).

The small presets' widths at 64 px, 8 clips of 3 frames against 24 pictures. Processor seconds of each phase, the two by turns, the
fastest of several; a step's cost is the sum of its phases over their intervals. Path length terms and style mixing, which
StyleGAN-V leaves out, are left out of the image step, too.
"""

import dataclasses
import time
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator

from evidence import write_table
from latentreel.core.memory import keep_freed_memory
from latentreel.training.image import ImageTraining
from latentreel.training.loop import Family, run_phase
from latentreel.training.presets import IMAGE, STYLEGAN_V
from latentreel.training.stylegan_v import StyleGANVTraining
from measure import write_result
from random_clips import RandomClips

REPEATS = 6
COLUMNS = {"G": "generator", "D": "discriminator", "D_r1": "R1 (every 16th step)"}


class SparseClips(RandomClips):
    """Random frames at times that differ from clip to clip."""

    def timed_batch(self, step: int, size: int, rank: int = 0, world_size: int = 1) -> tuple[np.ndarray, np.ndarray]:
        times = np.sort(np.random.default_rng(step).choice(32, (size, self.shape[0])), axis=1)
        return self.batch(step, size), times - times[:, :1].astype(np.float64)


def families() -> dict[str, Family]:
    """Both trainings, nothing trained yet."""
    config, accelerator, out = STYLEGAN_V["faces-world"], Accelerator(cpu=True), Path("unused")
    images = dataclasses.replace(
        IMAGE["faces-world"],
        out=out,
        batch_size=config.batch_size * config.num_frames,
        path_length_weight=0.0,
        style_mixing=0.0,
    )
    clips = dataclasses.replace(config, out=out)
    size = config.resolution
    return {
        "StyleGAN2": ImageTraining(images, RandomClips(1, size), accelerator),
        "StyleGAN-V": StyleGANVTraining(clips, SparseClips(config.num_frames, size), accelerator),
    }


def main() -> None:
    """Measures by turns, writes table and result."""
    keep_freed_memory()
    both = families()
    seconds: dict[str, dict[str, list[float]]] = {name: {phase: [] for phase in COLUMNS} for name in both}
    for family in both.values():
        for phase in family.phases:
            phase.module.requires_grad_(False)
    for step in range(REPEATS + 1):
        for name, family in both.items():
            batch = family.batch(step)
            for phase in family.phases:
                start = time.process_time()
                run_phase(phase, batch, family.accelerator)
                seconds[name][phase.name].append(time.process_time() - start)
            family.after_step()
    best = {name: {phase: min(times[1:]) for phase, times in one.items()} for name, one in seconds.items()}
    total = {name: sum(best[name][phase.name] / phase.interval for phase in family.phases) for name, family in both.items()}
    ratio = total["StyleGAN-V"] / total["StyleGAN2"]
    write_result(
        "stylegan_v_step", {"pictures": 24, "threads": torch.get_num_threads(), "seconds": best, "step": total, "ratio": ratio}
    )
    rows = {name: [f"{best[name][phase]:.2f}" for phase in COLUMNS] + [f"{total[name]:.2f}"] for name in both}
    rows["ratio"] = [f"{best['StyleGAN-V'][phase] / best['StyleGAN2'][phase]:.2f}" for phase in COLUMNS] + [f"{ratio:.2f}"]
    write_table("StyleGAN-V step", [*COLUMNS.values(), "step"], rows)


if __name__ == "__main__":
    main()
