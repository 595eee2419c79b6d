"""A report: a page of sections that opens from the disk without a network, on a phone as on a desk, to eyes and to ears."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from latentreel.core.errors import InputError
from latentreel.core.files import atomic_path
from latentreel.report.blocks import Clip, ClipGrid, Command, Facts, Picture
from latentreel.report.catalogue import Catalogue
from latentreel.report.chart import Chart
from latentreel.report.stylesheet import SCRIPT, STYLE
from latentreel.report.table import Table

Block = Clip | ClipGrid | Picture | Chart | Table | Catalogue | Facts | Command
"""What a section can show; `markup()` is its HTML."""

MOST_BYTES = 48 * 2**20
"""Of a page: phones open no larger one. What a page shows is bounded where it is gathered; this is the last word."""

NOTHING_FROM_OUTSIDE = (
    "default-src 'none'; img-src data:; media-src data: blob:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
)
"""What a page may load: itself."""


@dataclass(frozen=True, eq=False)
class Section:
    """A heading, what there is to say, and what there is to see."""

    title: str
    """The heading, a few words."""

    text: str = ""
    """Plain text; an empty line starts a new paragraph."""

    blocks: Sequence[Block] = ()
    """What follows the text; charts that follow each other stand side by side where there is room."""


@dataclass(frozen=True, eq=False)
class Page:
    """A whole report."""

    title: str
    """The page's heading, and its name in the browser."""

    lead: str
    """One or two sentences: what this page is."""

    sections: Sequence[Section] = ()
    """From top to bottom; two or more are listed under the lead."""


def write_page(page: Page, path: Path | str) -> Path:
    """Writes a page as one HTML file, whole or not at all.

    Args:
        page: What to write.
        path: Where to; the parents are made.

    Returns:
        The path written to.

    Raises:
        InputError: The page is larger than `MOST_BYTES`, or the path cannot be written to.
    """
    return write_html(markup(page), path)


def write_html(text: str, path: Path | str) -> Path:
    """Writes a finished document; the rest is as for `write_page`."""
    path, content = Path(path), text.encode()
    if len(content) > MOST_BYTES:
        given, allowed = f"{len(content) / 2**20:.0f} MiB", f"{MOST_BYTES // 2**20} MiB"
        raise InputError(f"{path} would be too large for a browser", given=given, allowed=allowed, fix="show fewer clips")
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)
    return path


def markup(page: Page) -> str:
    """The page as a complete HTML document that loads nothing from elsewhere."""
    links = "".join(f'<li><a href="#section-{i}">{html.escape(s.title)}</a></li>' for i, s in enumerate(page.sections, 1))
    contents = f'<nav aria-label="Contents"><ul>{links}</ul></nav>' if len(page.sections) > 1 else ""
    sections = "\n".join(_section(section, i) for i, section in enumerate(page.sections, 1))
    heading = f'<h1>{html.escape(page.title)}</h1><p class="lead">{html.escape(page.lead)}</p>'
    return document(page.title, f"<header>{heading}{contents}</header>\n<main>\n{sections}\n</main>", script=SCRIPT)


def document(title: str, body: str, *, script: str, style: str = "", policy: str = NOTHING_FROM_OUTSIDE) -> str:
    """What every page has around its content.

    Args:
        title: The page's name in the browser.
        body: HTML.
        script: JavaScript, run when the body is there.
        style: CSS beyond the common one.
        policy: What may be loaded (Content-Security-Policy).
    """
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{html.escape(title)}</title>
<style>{STYLE}{style}</style>
</head>
<body>
{body}
<script>{script}</script>
</body>
</html>
"""


def _section(section: Section, number: int) -> str:
    paragraphs = "".join(f"<p>{html.escape(part.strip())}</p>" for part in section.text.split("\n\n") if part.strip())
    name = f"section-{number}"
    blocks = ""
    for is_chart, group in groupby(section.blocks, lambda block: isinstance(block, Chart)):
        shown = "\n".join(block.markup() for block in group)
        blocks += f'<div class="charts">{shown}</div>' if is_chart else shown
    heading = f'<h2 id="{name}-title">{html.escape(section.title)}</h2>'
    return f'<section id="{name}" aria-labelledby="{name}-title">{heading}{paragraphs}{blocks}</section>'
