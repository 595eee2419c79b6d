"""A phase: one network's turn in a training step; and the batch that all phases of a step share."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from latentreel.core.randomness import torch_generator


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Real data of one step, and the step's randomness.

    Draws are made for all processes together and each takes its share, so that the number of processes changes nothing.
    """

    real: Tensor
    """What the world looks like: images [N, 3, H, W] or clips [N, T, 3, H, W], in [-1, 1]."""

    step: int
    """Number of the step, from 0."""

    seed: int
    """The run's seed."""

    rank: int = 0
    """Number of this process."""

    num_processes: int = 1
    """How many share the step."""

    labels: Tensor | None = None
    """Class numbers [N] of the real data, which what is generated in the step shares; None without classes."""

    times: Tensor | None = None
    """When each frame of a real clip is shown, in frames since its first [N, T]; None where they follow each other evenly."""

    def __len__(self) -> int:
        return len(self.real)

    def normal(self, purpose: str, *shape: int, size: int | None = None) -> Tensor:
        """Standard normal draws [N, *shape] for one purpose; [size, *shape] if the objective looks at fewer than N."""
        everyone = torch.randn(len(self) * self.num_processes, *shape, generator=self.generator(purpose))
        return self._share(everyone, size)

    def uniform(self, purpose: str, *shape: int, size: int | None = None) -> Tensor:
        """Uniform draws in [0, 1), [N, *shape] or [size, *shape], for one purpose."""
        everyone = torch.rand(len(self) * self.num_processes, *shape, generator=self.generator(purpose))
        return self._share(everyone, size)

    def generator(self, purpose: str) -> torch.Generator:
        """A CPU generator that is the same in every process."""
        return torch_generator(self.seed, purpose, self.step)

    def _share(self, everyone: Tensor, size: int | None) -> Tensor:
        size = size or len(self)
        return everyone[self.rank * size : (self.rank + 1) * size].to(self.real.device)


@dataclass(kw_only=True)
class Outcome:
    """What an objective gives: weighted losses, whose sum is minimised, and figures that are only watched."""

    losses: dict[str, Tensor]
    figures: dict[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Phase:
    """One network, its optimiser, its objective, and how often it has its turn."""

    name: str
    module: nn.Module
    optimizer: torch.optim.Optimizer
    objective: Callable[[Batch], Outcome]
    interval: int = 1
    """Steps between two turns."""

    first: int = 0
    """Steps before there are any turns."""

    def is_due(self, step: int) -> bool:
        """Whether it has its turn in this step."""
        return step >= self.first and step % self.interval == 0
