"""The curves of a training run, from its journal: a chart for each term, a line for each network that has it."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from latentreel.report.chart import Chart
from latentreel.report.page import Section
from latentreel.training.journal import SCORE

Points = npt.NDArray[np.float64]

TERM_NOTES = {
    "adversarial": "The two sides of the game. When it goes well, neither falls to zero: each keeps the other busy.",
    "mutual_information": "Minus how well motion noise can be read back from the trajectory, at best -1; keeps motions apart.",
    "gradient_penalty": "What keeps a discriminator's judgement smooth.",
    "r1": "What keeps a discriminator's judgement smooth around real videos.",
    "real_sign": "How surely a discriminator tells real clips: at 1 it knows all of them, at 0 it guesses.",
}
"""How to read the curves of a loss term."""

MOST_POINTS = 600
"""Of a line: neighbours are averaged where there are more, so that pages of long runs stay small."""


def curves(journal: Sequence[Mapping[str, float]], *, items: str) -> Section:
    """A section with a chart for each term of the losses.

    Args:
        journal: Entries as `training.journal.read_journal` gives them.
        items: What training counts, e.g. "clips".
    """
    terms = sorted(
        dict.fromkeys(name.partition("/")[2] for entry in journal for name in entry if "/" in name and not _is_score(name)),
        key=_rank,
    )
    charts, unused = [], []
    for term in terms:
        series = {phase: line for phase, line in _series(journal, term).items() if f"{phase}/" != SCORE}
        if all(not np.any(y) for _, y in series.values()):
            unused += [f"{phase} {readable(term)}" for phase in series]
            continue
        note = TERM_NOTES.get(term, "")
        charts.append(Chart(series, title=readable(term).capitalize(), x_label=f"{items} seen in training", caption=note))
    text = "Faint, what the journal says; bold, its moving average. G is the generator, the names with D are discriminators."
    if unused:
        text += f" Zero throughout, and not shown: {', '.join(unused)}."
    return Section(
        "How the training went", text if charts else "The training was too short for an entry in its journal.", charts
    )


def score_charts(journal: Sequence[Mapping[str, float]], *, items: str) -> list[Chart]:
    """A chart for each score that the run took of itself."""
    names = dict.fromkeys(name for entry in journal for name in entry if _is_score(name))
    return [
        Chart(
            {"score": _series(journal, name.removeprefix(SCORE))["score"]},
            title=readable(name.removeprefix(SCORE)).capitalize(),
            x_label=f"{items} seen in training",
        )
        for name in names
    ]


def readable(name: str) -> str:
    """A field's name as words."""
    return name.replace("_", " ")


def _is_score(name: str) -> bool:
    return name.startswith(SCORE)


def _series(journal: Sequence[Mapping[str, float]], term: str) -> dict[str, tuple[Points, Points]]:
    """For each phase that has the term, over the items seen; entries without it are passed over."""
    series: dict[str, tuple[list[float], list[float]]] = {}
    for entry in journal:
        for name, value in entry.items():
            phase, _, its_term = name.partition("/")
            if its_term == term:
                x, y = series.setdefault(phase, ([], []))
                x.append(entry["items"])
                y.append(value)
    return {phase: (_thinned(x), _thinned(y)) for phase, (x, y) in series.items()}


def _thinned(values: Sequence[float]) -> Points:
    """At most `MOST_POINTS` means of neighbours."""
    points = np.asarray(values, np.float64)
    stride = math.ceil(len(points) / MOST_POINTS)
    return points if stride <= 1 else np.array([part.mean() for part in np.split(points, range(stride, len(points), stride))])


def _rank(term: str) -> tuple[int, str]:
    known = list(TERM_NOTES)
    return known.index(term) if term in known else len(known), term
