"""The journal: one line of figures per entry in `journal.jsonl`, and the same to a tracker."""

import json
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor

from latentreel.core.errors import InputError
from latentreel.core.files import atomic_path
from latentreel.training.distribution import average

SCORE = "score/"


class Journal:
    """Appends figures to `journal.jsonl`; on resume, drops what lies beyond the resumed step."""

    def __init__(self, path: Path, accelerator: Accelerator, *, resumed_step: int) -> None:
        self.path = path
        self.accelerator = accelerator
        if accelerator.is_main_process and path.exists():
            kept = "".join(f"{line}\n" for line in path.read_text().splitlines() if _step_of(line) <= resumed_step)
            with atomic_path(path) as temporary:
                temporary.write_text(kept)
        if accelerator.log_with:
            accelerator.init_trackers("latentreel")
        self._noted: dict[str, list[Tensor]] = {}

    def note(self, figures: dict[str, Tensor]) -> None:
        """Keeps the figures of one phase's turn for the next entry."""
        for name, value in figures.items():
            self._noted.setdefault(name, []).append(value.detach().float().reshape(()))

    def write(self, *, step: int, items: int, seconds: float) -> dict[str, float]:
        """Adds one entry: how far the run has come, and the mean of each figure since the last entry.

        Returns:
            The entry's figures.

        Raises:
            InputError: The disk is full.
        """
        figures: dict[str, float] = {}
        if self._noted:
            means = torch.stack([torch.stack(values).mean() for values in self._noted.values()])
            figures = dict(zip(self._noted, average(self.accelerator, means).tolist(), strict=True))
            self._noted = {}
        figures |= {"items": items, "seconds": seconds}
        self._append(figures, step=step)
        return figures

    def write_scores(self, scores: dict[str, float], *, step: int, items: int, seconds: float) -> None:
        """Adds an entry of its own for scores, as "score/name".

        Raises:
            InputError: The disk is full.
        """
        figures = {f"{SCORE}{name}": value for name, value in scores.items()}
        self._append(figures | {"items": items, "seconds": seconds}, step=step)

    def _append(self, figures: dict[str, float], *, step: int) -> None:
        try:
            if self.accelerator.is_main_process:
                with self.path.open("a") as file:
                    file.write(json.dumps({"step": step, **figures}) + "\n")
            self.accelerator.log(figures, step=step)
        except OSError as error:
            problem = f"cannot write the journal in {self.path.parent}: {error.strerror}"
            raise InputError(problem, fix="free some space; the same command resumes") from error


def read_journal(path: Path) -> list[dict[str, float]]:
    """All entries, oldest first; a last line that was cut off is left out."""
    return [json.loads(line) for line in path.read_text().splitlines() if _step_of(line) < float("inf")]


def _step_of(line: str) -> float:
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError):
        return float("inf")
