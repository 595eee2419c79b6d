"""`TrainState`: all that a run needs to go on as if it had never stopped, saved whole or not at all.

Randomness and data are functions of seed and step, so the step is all there is to keep of them; but for data that is streamed.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from latentreel.core.errors import InputError
from latentreel.core.files import atomic_path
from latentreel.training.distribution import all_finite

KEPT = 2  # the newest, and the one before it
_NAME = re.compile(r"step-(\d{9})\.pt")


@dataclass(kw_only=True)
class TrainState:
    """Networks, averages and optimisers by name, and how far they have come."""

    modules: dict[str, nn.Module]
    optimizers: dict[str, torch.optim.Optimizer]
    step: int = 0
    """Steps done."""
    items: int = 0
    """Images or clips seen."""
    seconds: float = 0.0
    """Training time spent."""
    inputs: dict[str, str] = field(default_factory=dict)
    """What the run is made from besides its config: digests of the data, of a frozen network; origin and licence of weights that it
    started from."""
    positions: list[dict[str, int]] = field(default_factory=list)
    """Where each process stands in data that is streamed; empty where data is a function of the step."""
    figures: dict[str, float] = field(default_factory=dict)
    """The last figures, for display."""
    scores: dict[str, float] = field(default_factory=dict)
    """The last scores, for display."""

    def is_finite(self) -> bool:
        """Whether every weight of every network is a number."""
        return all(all_finite(module.state_dict().values()) for module in self.modules.values())

    def save(self, folder: Path) -> Path:
        """Writes `step-N.pt` into a folder, then removes all but the newest two.

        Raises:
            InputError: The folder cannot be written to, or the disk is full; older states are untouched.
        """
        content = {
            "modules": {name: module.state_dict() for name, module in self.modules.items()},
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            "step": self.step,
            "items": self.items,
            "seconds": self.seconds,
            "inputs": self.inputs,
            "positions": self.positions,
        }
        path = folder / f"step-{self.step:09d}.pt"
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            torch.save(content, file)
        for old in saved_states(folder)[KEPT:]:
            old.unlink()
        return path

    def load(self, path: Path) -> None:
        """Reads a state into the networks and optimisers at hand.

        Raises:
            InputError: The file is damaged or belongs to other networks.
        """
        content = read_state(path)
        for name, digest in content.get("inputs", {}).items():
            if self.inputs.get(name, digest) != digest:
                raise InputError(
                    f"the {name} has changed since the run in {path.parents[1]} was started", fix="use another --out"
                )
        try:
            for name, module in self.modules.items():
                module.load_state_dict(content["modules"][name])
            for name, optimizer in self.optimizers.items():
                optimizer.load_state_dict(content["optimizers"][name])
        except (KeyError, RuntimeError, ValueError) as error:
            raise InputError(
                f"{path} belongs to other networks: {' '.join(str(error).split())[:200]}", fix="use another --out"
            ) from error
        self.step, self.items, self.seconds = content["step"], content["items"], content["seconds"]
        self.positions = content.get("positions", [])
        self.inputs = content.get("inputs", {}) | self.inputs


def saved_states(folder: Path) -> list[Path]:
    """The complete states in a folder, newest first."""
    return sorted((path for path in folder.glob("step-*.pt") if _NAME.fullmatch(path.name)), reverse=True)


def read_state(path: Path) -> dict[str, Any]:
    """The content of a saved state.

    Raises:
        InputError: The file is damaged.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        if not {"modules", "optimizers", "step", "items", "seconds"} <= content.keys():
            raise ValueError("parts are missing")
    except Exception as error:
        raise InputError(f"the state {path} is damaged", fix="delete it to resume from the one before it") from error
    return dict(content)
