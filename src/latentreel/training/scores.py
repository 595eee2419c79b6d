"""Scores of a run's bundle while it trains; the best bundle so far is kept in `best/`, with the score in `score.json`.

They are taken where the items seen pass a multiple of `score_items`, and at the end; and once at the beginning, so that what cannot
be scored is refused before any long work. The state is saved first: to stop a run while it is scored costs it nothing.
"""

import dataclasses
import json
import logging
import math
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list

from latentreel.checkpoints.bundle import check_bundle
from latentreel.core.config import from_dict
from latentreel.core.errors import InputError
from latentreel.core.files import atomic_path
from latentreel.core.precision import get_precision, set_precision
from latentreel.training.config import HIGHER_IS_BETTER, RunConfig
from latentreel.training.journal import SCORE, Journal, read_journal
from latentreel.training.state import TrainState

BEST, CARD = "best", "score.json"

_log = logging.getLogger(__name__)

Scorer = Callable[[Path], dict[str, float]]
"""Scores of the bundle in a folder, by name. All processes call it together, and all get the same."""


@dataclass(frozen=True, kw_only=True)
class BestScore:
    """What `score.json` says of the bundle beside it."""

    score: str
    """Its name."""

    value: float

    step: int
    """Steps after which the bundle was saved."""

    items: int
    """Images or clips seen until then."""

    network: str
    """What saw the clips."""

    clips: int
    """How many were asked for on either side."""

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise InputError("the best score is not finite", given=self.value)


class Scores:
    """Knows when scores are due, takes them, and keeps the best bundle."""

    def __init__(
        self, config: RunConfig, state: TrainState, accelerator: Accelerator, journal: Journal, scorer: Scorer | None
    ) -> None:
        """Finds out what a resumed run has scored before.

        Args:
            config: Says how often, and which score decides.
            state: Of the run, as resumed.
            accelerator: Knows the processes.
            journal: Takes the scores in.
            scorer: Gives them; None: they are never due.
        """
        self.config, self.state, self.accelerator, self.journal = config, state, accelerator, journal
        self.scorer = scorer
        self.best: BestScore | None = None
        self.last_step = 0
        """Steps after which scores were taken last."""
        if scorer is not None and state.step:  # else what lies there is of another run
            self._go_on()
        self._proven = self.best is not None

    def are_due(self, *, done: bool) -> bool:
        """Whether scores are to be taken now.

        Args:
            done: Whether the run ends here.
        """
        every, items = self.config.score_items, self.state.items
        if self.scorer is None or every is None or not items:
            return False
        passed = items // every > (items - self.config.batch_size) // every
        return not self._proven or ((passed or done) and self.last_step < self.state.step)

    def take(self) -> None:
        """Scores the run's bundle, which must be that of this step; keeps it if it is the best so far.

        Raises:
            InputError: The scorer does not give the score that decides, or the disk is full.
        """
        assert self.scorer is not None
        config, state, bundle = self.config, self.state, self.config.out / "bundle"
        with untouched(self.accelerator.device):
            scores = self.scorer(bundle)
        if config.score not in scores:
            problem = f"the network {config.score_network} does not give the score that decides"
            raise InputError(problem, given=config.score, allowed=", ".join(scores), fix="choose another --score-network")
        value = scores[config.score]
        if self._is_better(value):
            self.best = BestScore(
                score=config.score,
                value=value,
                step=state.step,
                items=state.items,
                network=config.score_network,
                clips=config.score_clips,
            )
            if self.accelerator.is_main_process:
                _keep(bundle, self.best, config.out / BEST)
        self.journal.write_scores(scores, step=state.step, items=state.items, seconds=state.seconds)
        self._proven, self.last_step, state.scores = True, state.step, scores

    def _is_better(self, value: float) -> bool:
        sign = -1 if self.config.score in HIGHER_IS_BETTER else 1
        return math.isfinite(value) and (self.best is None or sign * value < sign * self.best.value)

    def _go_on(self) -> None:
        """Takes up the best score so far and the step of the last one, the same in all processes."""
        found: list[Any] = [None, 0]
        if self.accelerator.is_main_process:
            steps = [int(entry["step"]) for entry in self._entries() if any(name.startswith(SCORE) for name in entry)]
            found = [self._comparable(read_best(self.config.out)), max(steps, default=0)]
        self.best, self.last_step = broadcast_object_list(found)

    def _entries(self) -> list[dict[str, float]]:
        return read_journal(self.journal.path) if self.journal.path.exists() else []

    def _comparable(self, best: BestScore | None) -> BestScore | None:
        """The best score, unless the run is scored otherwise by now."""
        was = (best.score, best.network, best.clips) if best else None
        now = (self.config.score, self.config.score_network, self.config.score_clips)
        if was in (None, now):
            return best
        _log.warning("%s is the best by %s, and now %s is asked for: the best is sought anew", self.config.out / BEST, was, now)
        return None


def read_best(run: Path) -> BestScore | None:
    """The best score of a run; None if it has none. One that is damaged, or whose bundle is, costs a warning."""
    folder = run / BEST
    if not folder.exists():
        return None
    try:
        best = from_dict(BestScore, json.loads((folder / CARD).read_text()), where=str(folder / CARD))
        check_bundle(folder)
    except (OSError, ValueError, AttributeError, InputError) as error:
        _log.warning("%s is damaged (%s): the best is sought anew", folder, error)
        return None
    return best


@contextmanager
def untouched(device: torch.device) -> Iterator[None]:
    """Puts back, in the end, what the block did to the process's random states and to its number format."""
    precision, plain, arrays = get_precision(), random.getstate(), np.random.get_state()
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        try:
            yield
        finally:
            set_precision(precision)
            random.setstate(plain)
            np.random.set_state(arrays)


def _keep(bundle: Path, best: BestScore, folder: Path) -> None:
    with atomic_path(folder) as temporary:
        shutil.copytree(bundle, temporary)
        (temporary / CARD).write_text(json.dumps(dataclasses.asdict(best), indent=1) + "\n")
