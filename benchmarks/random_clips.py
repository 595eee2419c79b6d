"""A motion training on random clips and a random image generator at full width: what the benchmarks of training steps share."""

import time
from types import SimpleNamespace

import numpy as np
import torch
from accelerate import Accelerator

import latentreel as lr
from latentreel.mocogan_hd.latent_basis import LatentBasis
from latentreel.training.loop import run_phase
from latentreel.training.mocogan_hd import MotionTraining
from latentreel.training.motion_config import MotionTrainingConfig


class RandomClips:
    """Stands in for a clip sampler: the data costs nothing here."""

    def __init__(self, num_frames: int, resolution: int) -> None:
        self.store = SimpleNamespace(digest="random", fps=(25.0,))
        self.shape = (num_frames, resolution, resolution, 3)

    def batch(self, step: int, size: int, rank: int = 0, world_size: int = 1) -> np.ndarray:
        return np.random.default_rng(step).integers(0, 255, (size, *self.shape), dtype=np.uint8)


def full_width_training(resolution: int, **settings: object) -> MotionTraining:
    """A StyleGAN2 at full width, 384 components, discriminators of the paper's widths, every phase in every step."""
    torch.manual_seed(0)
    generator = lr.build_image_generator("stylegan2", resolution=resolution).eval().requires_grad_(False)
    basis = LatentBasis.fit(generator, num_samples=2000, num_components=384)
    width = 96 if settings.get("domain") == "cross" else 64
    config = MotionTrainingConfig(
        data="", image_generator="", discriminator_every=1, image_discriminator_width=width, **settings
    )
    clips = RandomClips(config.num_frames, resolution)
    family = MotionTraining(config, clips, Accelerator(cpu=True), image_generator=generator, basis=basis)
    for phase in family.phases:  # as the training loop begins: a network takes gradients in its own turn only
        phase.module.requires_grad_(False)
    return family


def step_seconds(family: MotionTraining, repeats: int) -> float:
    """The fastest of several steps, all phases together; one more comes before, unless there is but one."""
    times = []
    for step in range(repeats + (repeats > 1)):
        batch = family.batch(step)
        start = time.perf_counter()
        for phase in family.phases:
            run_phase(phase, batch, family.accelerator)
        family.after_step()
        times.append(time.perf_counter() - start)
    return min(times[1:] or times)
