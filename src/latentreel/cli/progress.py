"""Progress bars with speed and time left."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from latentreel.training.config import RunConfig
    from latentreel.training.state import TrainState

LEFT_OUT = "items are left out"
"""In the warning of `data.clip_decoding`."""

console = Console(markup=False, emoji=False, highlight=False, quiet=os.environ.get("RANK", "0") != "0")
"""Says what it is given, brackets and colons of names too. Of several processes, only the first speaks."""


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar for work that reports "done, in all", from its first report on: what is refused before shows none."""
    with steps() as show:
        yield lambda done, total: show(what, done, total)


@contextmanager
def steps() -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each of several steps, for work that reports "what, done, in all"."""
    with _bar() as bar:
        tasks: dict[str, TaskID] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total, note="")
            bar.update(tasks[what], completed=done, total=total)

        yield show


@contextmanager
def training(what: str, config: "RunConfig") -> Iterator[Callable[["TrainState"], None]]:
    """A bar for a training run: items, or seconds where the run is limited by time; speed, the last score and losses beside it."""
    with _bar(count=config.minutes is None) as bar:
        total = config.total_items if config.minutes is None else 60 * config.minutes
        task = bar.add_task(what, total=total, note="")
        begun: list[tuple[int, float]] = []

        def show(state: "TrainState") -> None:
            begun.append((state.items, state.seconds)) if not begun else None
            items, seconds = state.items - begun[0][0], state.seconds - begun[0][1]
            speed = f"{items / seconds:.1f}/s " if seconds > 0 else ""
            losses = " ".join(f"{name} {value:.2f}" for name, value in list(state.figures.items())[:3])
            score = f"{config.score} {state.scores[config.score]:.4g} " if config.score in state.scores else ""
            done = state.items if config.minutes is None else state.seconds
            bar.update(task, completed=done, note=speed + score + losses)

        yield show


@contextmanager
def reasons_shown_later() -> Iterator[None]:
    """Keeps the library's warnings off the screen, for commands that show each of them themselves."""
    logger = logging.getLogger("latentreel")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextmanager
def left_out_told_here() -> Iterator[None]:
    """Keeps one of the library's warnings off the screen: how many items were left out, for commands that name them."""
    logger = logging.getLogger("latentreel.data.clip_decoding")

    def others(record: logging.LogRecord) -> bool:
        return LEFT_OUT not in str(record.msg)

    logger.addFilter(others)
    try:
        yield
    finally:
        logger.removeFilter(others)


def _bar(*, count: bool = True) -> Progress:
    columns = [TextColumn("{task.description}", markup=False), BarColumn(), *([MofNCompleteColumn()] if count else [])]
    return Progress(
        *columns,
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        console=console,
    )
