"""Lines over a horizontal axis, drawn by matplotlib as SVG that takes its colours from the page."""

import html
import io
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

from latentreel.core.errors import InputError

Points = npt.NDArray[np.float64]

WINDOW_SHARE = 1 / 12
"""Share of a line's points that its smoothed form averages over."""

MOST = 1e100
"""Of a point; where axes are much longer, their ticks overflow."""

_INK, _LINE = "#010101", "#020202"
_SERIES = [f"#0300{i:02x}" for i in range(1, 7)]
_ON_PAGE = {_INK: "var(--quiet)", _LINE: "var(--line)"} | {c: f"var(--series-{i})" for i, c in enumerate(_SERIES, 1)}
"""Colours that matplotlib draws with, and what of the page's style sheet takes their place."""


@dataclass(frozen=True, eq=False)
class Chart:
    """Named lines: each smoothed, over its faint raw form."""

    series: Mapping[str, tuple[Sequence[float] | Points, Sequence[float] | Points]]
    """Name to x and y, of equal lengths; points that are not finite, or beyond 1e100, are left out."""

    _: KW_ONLY

    title: str
    """What the vertical axis measures."""

    x_label: str
    """What the horizontal axis measures, with its unit."""

    caption: str = ""
    """How to read it."""

    def __post_init__(self) -> None:
        for name, (x, y) in self.series.items():
            if len(x) != len(y):
                raise InputError(f"the line {name} has not one y for each x", given=f"{len(x)} and {len(y)}")

    def markup(self) -> str:
        """A figure with title, legend and drawing; a description in words for those who do not see it."""
        lines = {name: _finite(x, y) for name, (x, y) in self.series.items()}
        lines = {name: line for name, line in lines.items() if len(line[0])}
        legend = "".join(
            f'<li style="--colour:{_ON_PAGE[colour]}">{html.escape(name)}</li>'
            for name, colour in zip(lines, itertools.cycle(_SERIES))
        )
        caption = f"<figcaption>{html.escape(self.caption)}</figcaption>" if self.caption else ""
        drawing = _drawing(lines, self.x_label, described=self._in_words(lines))
        return f'<figure><h3>{html.escape(self.title)}</h3><ul class="legend">{legend}</ul>{drawing}{caption}</figure>'

    def _in_words(self, lines: Mapping[str, tuple[Points, Points]]) -> str:
        smooth = {name: smoothed(y) for name, (_, y) in lines.items()}
        courses = [f"{name} goes from {y[0]:.3g} to {y[-1]:.3g}" for name, y in smooth.items()]
        return f"Line chart of {self.title} over {self.x_label}: {'; '.join(courses) or 'no points'}."


def smoothed(y: Points) -> Points:
    """A centred moving average; near the ends it averages over the points that there are.

    Args:
        y: [n].

    Returns:
        [n].
    """
    reach = int(len(y) * WINDOW_SHARE / 2)
    window = np.ones(2 * reach + 1)
    return np.convolve(y, window)[reach : reach + len(y)] / np.convolve(np.ones_like(y), window)[reach : reach + len(y)]


def _finite(x: Sequence[float] | Points, y: Sequence[float] | Points) -> tuple[Points, Points]:
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    kept = (np.abs(x) < MOST) & (np.abs(y) < MOST)
    return x[kept], y[kept]


def _drawing(lines: Mapping[str, tuple[Points, Points]], x_label: str, *, described: str) -> str:
    """The SVG alone. Small, so that its letters are large enough on a phone."""
    figure = Figure(figsize=(4.6, 2.5), layout="constrained")
    axes = figure.subplots()
    for (x, y), colour in zip(lines.values(), itertools.cycle(_SERIES)):
        axes.plot(x, y, color=colour, linewidth=0.8, alpha=0.28, clip_on=False)
        axes.plot(x, smoothed(y), color=colour, linewidth=1.8, solid_capstyle="round", solid_joinstyle="round", clip_on=False)
    axes.set_xlabel(x_label, color=_INK, parse_math=False)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.tick_params(length=0, labelcolor=_INK, pad=5)
    axes.grid(axis="y", color=_LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_LINE)
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "latentreel"}):
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    return _for_the_page(buffer.getvalue(), described)


def _for_the_page(svg: str, described: str) -> str:
    """Matplotlib's file as a part of a page: without header, style sheet, names and fonts of its own, in the page's colours."""
    drawing = re.sub(r"<defs>.*?</defs>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    drawing = re.sub(r'\s(?:xmlns(?::\w+)?|version|id)="[^"]*"|font-family: [^;"]*;?', "", drawing)
    drawing = re.sub(r'(<svg[^>]*?) width="[^"]*" height="[^"]*"', r"\1", drawing, count=1)
    for drawn, shown in _ON_PAGE.items():
        drawing = drawing.replace(drawn, shown)
    return drawing.replace("<svg", f'<svg role="img" aria-label="{html.escape(described)}"', 1)
