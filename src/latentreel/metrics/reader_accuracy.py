"""How well a factor reader reads: on new pictures of its world, whose factors are known."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from latentreel.core.pixels import to_float
from latentreel.core.randomness import numpy_generator
from latentreel.metrics.factor_code import FactorCode
from latentreel.metrics.factor_reader import FactorReader
from latentreel.worlds.world import Factor, World

AT_ONCE = 256


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
    still = replace(world, num_frames=1)
    identities = np.stack([still.sample_identity(draws) for _ in range(count)])
    motions = np.concatenate([still.sample_motion(draws) for _ in range(count)])
    frames = world.render(identities, motions)
    with torch.no_grad():
        outputs = torch.cat([reader.outputs(to_float(frames[start : start + AT_ONCE])) for start in range(0, count, AT_ONCE)])
    identity, motion = outputs.split([reader.identity_code.size, reader.motion_code.size], dim=1)
    return {
        "identity": code_accuracy(reader.identity_code, identity, torch.from_numpy(identities)),
        "motion": code_accuracy(reader.motion_code, motion, torch.from_numpy(motions)),
    }


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
