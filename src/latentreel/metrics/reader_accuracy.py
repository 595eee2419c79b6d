"""How well a factor reader reads: on new pictures of its world, whose factors are known."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from latentreel.core.pixels import to_float
from latentreel.core.randomness import numpy_generator
from latentreel.metrics.factor_code import FactorCode, change_of
from latentreel.metrics.factor_reader import FactorReader
from latentreel.worlds.world import Factor, Factors, World

AT_ONCE = 256

FRAME_STEP = 2
"""Frames of a video from one frame of a clip to the next (MoCoGAN-HD, App. B)."""


def reading_accuracy(reader: FactorReader, world: World, *, count: int, seed: int) -> dict[str, dict[str, float]]:
    """Accuracy on new pictures of the world, each of another identity, moved as if it were a frame of another clip.

    Args:
        reader: In eval mode.
        world: Its world, at any resolution.
        count: Pictures.
        seed: Another seed is other pictures.

    Returns:
        For "identity" and "motion", by factor: of levels, the share that is read rightly; else R^2, the part of the variance
        that is explained, of a circular factor that of its direction (cos, sin). 1 is best.
    """
    draws = numpy_generator(seed, "factor-reader-test", world.NAME)
    short = replace(world, num_frames=FRAME_STEP + 1)
    identities = np.stack([short.sample_identity(draws) for _ in range(count)])
    clips = np.stack([short.sample_motion(draws) for _ in range(count)])
    before, motions = clips[:, 0], clips[:, -1]
    frames, earlier = (to_float(world.render(identities, moved)) for moved in (motions, before))
    parts = [slice(start, start + AT_ONCE) for start in range(0, count, AT_ONCE)]
    with torch.no_grad():
        outputs = torch.cat([reader.outputs(frames[part], earlier[part]) for part in parts])
    identity, motion = outputs.split([reader.identity_code.size, reader.motion_code.size], dim=1)
    true = motion_as_read(world, before, motions)
    return {
        "identity": code_accuracy(reader.identity_code, identity, torch.from_numpy(identities)),
        "motion": code_accuracy(reader.motion_code, motion, torch.from_numpy(true)),
    }


def motion_as_read(world: World, before: Factors, after: Factors) -> Factors:
    """What a reader should say of frames with motion factors `after` that follow frames with `before`; all [..., M]."""
    columns = [
        change_of(factor, before[..., place], after[..., place]) if factor.change else after[..., place]
        for place, factor in enumerate(world.MOTION_FACTORS)
    ]
    return np.stack(columns, axis=-1).astype(np.float32)


def code_accuracy(code: FactorCode, outputs: Tensor, values: Tensor) -> dict[str, float]:
    """As `reading_accuracy`, by factor, of outputs [N, K] for true values [N, F]."""
    found = code.of_outputs(outputs).split(code.widths, dim=1)
    true = code.of_values(values).split(code.widths, dim=1)
    return {factor.name: _accuracy(factor, *pair) for factor, *pair in zip(code.factors, found, true, strict=True)}


def _accuracy(factor: Factor, found: Tensor, true: Tensor) -> float:
    if factor.levels:
        return float((found.argmax(dim=1) == true.argmax(dim=1)).float().mean())
    unexplained = (found - true).square().sum()
    return float(1 - unexplained / (true - true.mean(dim=0)).square().sum().clamp_min(1e-12))
