"""How the factors of a world become numbers that a network can give, and back: positions, directions, probabilities.

A continuous factor is one number, its position in its range, 0 to 1. A circular one is a direction (cos, sin). A factor with
levels is a probability for each. Next to each other they are the code of a picture: F factors, K numbers.
"""

import math
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from latentreel.worlds.world import Factor


class FactorCode:
    """The code of a list of factors."""

    def __init__(self, factors: tuple[Factor, ...]) -> None:
        self.factors = factors
        self.widths = [code_width(factor) for factor in factors]
        """Numbers that each factor takes."""

        self.size = sum(self.widths)
        """Numbers of all factors, K."""

    def of_values(self, values: Tensor) -> Tensor:
        """The code of known factors: [..., F] in their own units to [..., K]."""
        parts = []
        for factor, value in zip(self.factors, values.float().unbind(-1), strict=True):
            position = (value - factor.low) / (factor.high - factor.low)
            if factor.levels:
                level = (position * (factor.levels - 1)).round().long()
                parts.append(F.one_hot(level, factor.levels).float())
            elif factor.circular:
                angle = 2 * math.pi * position
                parts.append(torch.stack([angle.cos(), angle.sin()], dim=-1))
            else:
                parts.append(position[..., None])
        return torch.cat(parts, dim=-1)

    def of_outputs(self, outputs: Tensor) -> Tensor:
        """The code that a network's outputs [N, K] mean: positions in [0, 1], directions no longer than 1, probabilities."""
        parts = []
        for factor, part in zip(self.factors, outputs.split(self.widths, dim=-1), strict=True):
            if factor.levels:
                parts.append(part.softmax(dim=-1))
            elif factor.circular:
                parts.append(part / part.norm(dim=-1, keepdim=True).clamp_min(1))
            else:
                parts.append(part.clamp(0, 1))
        return torch.cat(parts, dim=-1)

    def values(self, code: Tensor) -> Tensor:
        """The factors in their own units: [..., K] to [..., F]. Of levels, the most probable; of a circle, from low up to high."""
        values = []
        for factor, part in zip(self.factors, code.split(self.widths, dim=-1), strict=True):
            if factor.levels:
                position = part.argmax(dim=-1).float() / (factor.levels - 1)
            elif factor.circular:
                position = torch.atan2(part[..., 1], part[..., 0]).div(2 * math.pi).remainder(1)
            else:
                position = part[..., 0]
            values.append((factor.low + (factor.high - factor.low) * position).clamp(factor.low, factor.high))
        return torch.stack(values, dim=-1)

    def scales(self) -> Tensor:
        """What the code is multiplied by for distances, [K]: then two pictures of a random value are 1 apart in each factor.

        More exactly, the mean squared distance is 1 for every factor whose values are even over its range or levels.
        """
        return torch.cat([torch.full([code_width(factor)], _mean_square_distance(factor) ** -0.5) for factor in self.factors])


def as_read(factor: Factor) -> Factor:
    """The factor that a reader gives: the change since the frame before, where a picture alone does not tell."""
    return replace(factor, low=-factor.change, high=factor.change, circular=False, change=0.0) if factor.change else factor


def change_of(factor: Factor, before: Any, after: Any) -> Any:
    """How a factor changed, arrays or tensors of any shape; the short way around where its ends meet."""
    turn = factor.high - factor.low
    return (after - before + turn / 2) % turn - turn / 2 if factor.circular else after - before


def code_width(factor: Factor) -> int:
    """Numbers that a factor takes in the code."""
    return factor.levels or (2 if factor.circular else 1)


def _mean_square_distance(factor: Factor) -> float:
    """Between the codes of two independent, even values."""
    if factor.levels:
        return 2 * (1 - 1 / factor.levels)  # 2 apart unless the levels are equal
    return 2.0 if factor.circular else 1 / 6  # twice the variance: of a direction 1, of an even position 1/12
