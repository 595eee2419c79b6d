"""The journal: one line of figures per entry in `journal.jsonl`, and the same to a tracker."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor

from latentreel.core.errors import InputError
from latentreel.core.files import atomic_path
from latentreel.core.text import printable
from latentreel.training.distribution import average

SCORE = "score/"

_ENDLESS = 2**63
"""No run comes so far, in whatever is counted."""


class Journal:
    """Appends figures to `journal.jsonl`; on resume, drops what lies beyond the resumed step."""

    def __init__(self, path: Path, accelerator: Accelerator, *, resumed_step: int) -> None:
        self.path = path
        self.accelerator = accelerator
        if accelerator.is_main_process and path.exists():
            kept = "".join(f"{line}\n" for line, entry in _entries(path) if entry["step"] <= resumed_step)
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
    """All entries, oldest first; a last line that was cut off is left out.

    Raises:
        InputError: The journal cannot be read, or another line is no entry.
    """
    return [entry for _, entry in _entries(path)]


def _entries(path: Path) -> Iterator[tuple[str, dict[str, float]]]:
    """Each line, and what it says."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError as error:
        raise InputError(f"cannot read the journal {path}: {error.strerror}") from error
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            if number == len(lines):
                return
            entry = None
        if not _is_entry(entry):
            allowed, fix = "lines with step, items, seconds and figures", "remove that line if you can do without it"
            raise InputError(
                f"{path} is no journal of a run", given=f"line {number}: {printable(line[:40])}", allowed=allowed, fix=fix
            )
        yield line, entry


def _is_entry(told: Any) -> bool:
    """Figures may be infinite or none, for trainings fail; how far a run has come may not."""
    return (
        isinstance(told, dict)
        and all(isinstance(value, float) or (isinstance(value, int) and abs(value) < _ENDLESS) for value in told.values())
        and all(abs(told.get(name, math.nan)) < _ENDLESS for name in ("step", "items", "seconds"))
    )
