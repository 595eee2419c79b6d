"""`latentreel data check PATH`: every file, its verdict and the reason; a table, a JSON file, a page with thumbnails."""

import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from latentreel.core.errors import InputError
from latentreel.core.text import printable

if TYPE_CHECKING:
    from rich.text import Text

    from latentreel.data.inspection import Finding, Inspection


MOST_IGNORED = 3
"""Files in the table that were ignored for one reason; the others are counted."""


@dataclass(frozen=True, kw_only=True)
class CheckConfig:
    """Decodes every file of a source and says what can be used, and why not.

    Exit code 0: all of it; 1: some files are damaged or refused; 2: nothing can be used.
    """

    source: Annotated[str, tyro.conf.Positional]
    """A folder of videos, frame folders, strips or pictures, an archive of them, or packed frames; behind -- if it begins with
    a dash."""

    expect: Literal["videos", "images"] = "videos"
    """Whether pictures are frames of clips or stills."""

    json: Path | None = None
    """Write everything that was found to this file."""

    html: Path | None = None
    """Write a page with thumbnails to this file."""

    max_frame_pixels: int = 8192 * 8192
    """Rows times columns that a frame may have; files that declare more are refused."""

    max_video_frames: int = 1_000_000
    """Frames that a video may have; files that declare more are refused."""

    rows: int = 100
    """Usable files in the table on screen; damaged and refused ones are always shown, of ignored ones the first three of a kind."""

    def __post_init__(self) -> None:
        if self.rows < 0:
            raise InputError("rows is out of range", given=self.rows, allowed="0 or more")


def check(config: CheckConfig) -> None:
    """Looks, prints, writes; exits with what was found."""
    from latentreel.cli.progress import console, counting, reasons_shown_later
    from latentreel.data.inspection import inspect
    from latentreel.media.limits import DecodeLimits
    from latentreel.report.data_report import data_report, summary
    from latentreel.report.page import write_page

    limits = DecodeLimits(max_frame_pixels=config.max_frame_pixels, max_frames=config.max_video_frames)
    with reasons_shown_later(), counting("looking") as progress:
        inspection = inspect(config.source, expect=config.expect, limits=limits, progress=progress)
    _print_table(inspection, config.rows)
    for name, value in summary(inspection).items():
        console.print(f"{name + ':':<17}{value}", soft_wrap=True)
    if config.json is not None:
        _write_json(inspection, config.json)
        console.print(f"{'JSON:':<17}{printable(str(config.json))}", soft_wrap=True)
    if config.html is not None:
        page = write_page(data_report(inspection), config.html)
        console.print(f"{'Page:':<17}{printable(str(page))}", soft_wrap=True)
    if not inspection.of("usable", "damaged"):
        raise InputError(f"nothing in {printable(config.source)} can be used", fix="the table above says why")
    if inspection.of("damaged", "refused"):
        sys.exit(1)


def as_json(inspection: "Inspection") -> dict[str, Any]:
    """Everything that was found, as plain values."""
    hidden = ("signature", "thumbnail")
    files = [{key: value for key, value in vars(finding).items() if key not in hidden} for finding in inspection.findings]
    return {
        "source": inspection.root,
        "kind": inspection.kind,
        "files": files,
        "duplicates": inspection.duplicates,
        "alike": inspection.alike,
    }


def _write_json(inspection: "Inspection", path: Path) -> None:
    from latentreel.core.files import atomic_path

    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(as_json(inspection), indent=1) + "\n", encoding="ascii")


def _print_table(inspection: "Inspection", rows: int) -> None:
    from rich.table import Table

    from latentreel.cli.progress import console

    table = Table("verdict", box=None, pad_edge=False)
    for column in ("size", "frames", "fps", "s", "cuts"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("file, and what there is to say of it", overflow="fold")
    usable, ignored = 0, Counter[str]()
    for finding in inspection.findings:
        usable += finding.verdict == "usable"
        ignored[finding.reason] += finding.verdict == "ignored"
        if (finding.verdict == "usable" and usable > rows) or ignored[finding.reason] > MOST_IGNORED:
            continue
        table.add_row(finding.verdict, *_numbers(finding), _name_and_reason(finding))
    for reason, count in ignored.items():
        if count > MOST_IGNORED:
            table.add_row("ignored", *[""] * 5, f"and {count - MOST_IGNORED:,} more\n  {reason}")
    console.print(table)
    if usable > rows:
        console.print(f"... and {usable - rows:,} more that are usable; --json FILE lists all, --rows N shows more")
    console.print()


def _numbers(finding: "Finding") -> tuple[str, ...]:
    if not finding.frames:
        return ("",) * 5
    size, cuts = f"{finding.width}x{finding.height}", len(finding.cuts)
    return size, str(finding.frames), f"{finding.fps:.4g}", f"{finding.seconds:.3g}", str(cuts or "")


def _name_and_reason(finding: "Finding") -> "Text":
    from rich.text import Text

    text = Text(printable(finding.name))
    return text.append(f"\n  {printable(finding.reason)}", style="dim") if finding.reason else text
