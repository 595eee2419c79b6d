"""The journal: one line of figures per entry in `journal.jsonl`, and the same to a tracker."""

import json
from pathlib import Path

from accelerate import Accelerator

from latentreel.core.errors import InputError


class Journal:
    """Appends figures to `journal.jsonl`; on resume, drops what lies beyond the resumed step."""

    def __init__(self, path: Path, accelerator: Accelerator, *, resumed_step: int) -> None:
        self.path = path
        self.accelerator = accelerator
        if accelerator.is_main_process and path.exists():
            kept = [line for line in path.read_text().splitlines() if _step_of(line) <= resumed_step]
            path.write_text("".join(f"{line}\n" for line in kept))
        if accelerator.log_with:
            accelerator.init_trackers("tensorboard")

    def write(self, figures: dict[str, float], *, step: int) -> None:
        """Adds one entry.

        Raises:
            InputError: The disk is full.
        """
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
