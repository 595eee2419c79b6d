"""A table: what is compared in rows, by what in columns; where there is little room it scrolls inside itself."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

from latentreel.core.errors import InputError


@dataclass(frozen=True)
class Table:
    """Cells of text under headings. The first column names the rows."""

    headings: Sequence[str]
    """One for each column."""

    rows: Sequence[Sequence[str]]
    """As many cells in each as there are headings."""

    label: str
    """What stands in it, for those who do not see it."""

    note: str = ""
    """How to read it, under the table."""

    def __post_init__(self) -> None:
        if wrong := next((row for row in self.rows if len(row) != len(self.headings)), None):
            raise InputError("a row of a table has another length", given=len(wrong), allowed=len(self.headings))

    def markup(self) -> str:
        """A figure with the table inside."""
        head = "".join(f'<th scope="col">{html.escape(heading)}</th>' for heading in self.headings)
        body = "".join(_row(row) for row in self.rows)
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        label = html.escape(self.label)
        note = f"<figcaption>{html.escape(self.note)}</figcaption>" if self.note else ""
        scrolled = f'<div class="scrolled" role="region" tabindex="0" aria-label="{label}">{table}</div>'
        return f"<figure>{scrolled}{note}</figure>"


def _row(cells: Sequence[str]) -> str:
    name, *others = (html.escape(cell) for cell in cells)
    return f'<tr><th scope="row">{name}</th>{"".join(f"<td>{cell}</td>" for cell in others)}</tr>'
