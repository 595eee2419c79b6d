"""The page of `latentreel data check`: every file of a source with its verdict and what it looks like."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import PurePath

from latentreel.core.text import printable
from latentreel.data.inspection import Finding, Inspection
from latentreel.report.blocks import Facts
from latentreel.report.catalogue import Catalogue, Entry
from latentreel.report.page import Page, Section

MOST_SHOWN = 300
"""Usable files with a picture; beyond, they are evenly spread over all. Everything else is shown whole."""

MOST_VALUES = 8
"""Different sizes, rates or classes that are counted one by one."""


def data_report(inspection: Inspection) -> Page:
    """The page."""
    usable, damaged = inspection.of("usable"), inspection.of("damaged")
    refused, ignored = inspection.of("refused"), inspection.of("ignored")
    shown = _spread(usable)
    sections = [
        Section("What is here", blocks=[Facts(summary(inspection))]),
        _section("Refused", "Nothing of these can be used.", refused),
        _section("Damaged", "What can be decoded of these is used.", damaged),
        _copies("The same file twice", "Byte for byte; training sees them more often than others.", inspection.duplicates),
        _copies(
            "Nearly the same",
            "The same pictures in the same motion: most likely one is a copy of the other, encoded or resized again. Apart in a "
            "split they would make a test too easy.",
            inspection.alike or (),
        ),
        _section(
            "Usable",
            "" if len(shown) == len(usable) else f"{len(shown)} of {len(usable):,}, evenly spread; the JSON of --json has all.",
            shown,
        ),
        _section("Ignored", "These are no videos, and no pictures that would be used.", ignored),
    ]
    lead = f"{_counted(len(usable) + len(damaged), 'file')} of {len(inspection.findings):,} in {_name(inspection)} can be used."
    return Page(f"Videos in {_name(inspection)}", lead, [section for section in sections if section is not None])


def summary(inspection: Inspection) -> dict[str, str]:
    """What there is in all, by name: for a page as for a screen."""
    used = inspection.of("usable", "damaged")
    verdicts = Counter(finding.verdict for finding in inspection.findings)
    facts = {"Source": inspection.root, "Files": ", ".join(f"{count:,} {verdict}" for verdict, count in verdicts.items())}
    if not used:
        return {name: printable(value) for name, value in facts.items()}
    lengths = sorted(finding.frames for finding in used)
    seconds = sum(finding.seconds for finding in used)
    if inspection.kind:
        facts["Read as"] = inspection.kind.replace("_", " ")
    facts["Frames"] = f"{sum(lengths):,}, {_duration(seconds)}"
    facts["Length"] = f"{lengths[0]:,} to {lengths[-1]:,} frames, the middle one {lengths[len(lengths) // 2]:,}"
    facts["Sizes"] = _census(f"{finding.width}x{finding.height}" for finding in used)
    facts["Rates"] = _census(f"{finding.fps:.4g} fps" for finding in used)
    cut = [finding for finding in used if finding.cuts]
    facts["Cuts"] = f"{sum(len(finding.cuts) for finding in cut):,} in {_counted(len(cut), 'file')}" if cut else "none"
    classes = Counter(finding.label for finding in used if finding.label)
    if classes:
        facts["Classes"] = f"{len(classes):,}: {_census(finding.label for finding in used if finding.label)}"
    facts["Same file twice"] = _groups(inspection.duplicates)
    facts["Nearly the same"] = "not looked for: too much looks alike" if inspection.alike is None else _groups(inspection.alike)
    return {name: printable(value) for name, value in facts.items()}


def facts_of(finding: Finding) -> str:
    """What is known of a file, in one line."""
    parts = []
    if finding.frames:
        parts = [
            f"{finding.width}x{finding.height}",
            _counted(finding.frames, "frame"),
            f"{finding.fps:.4g} fps",
            f"{finding.seconds:.3g} s",
        ]
        parts += [_counted(len(finding.cuts), "cut")] if finding.cuts else []
        parts += [f"class {printable(finding.label)}"] if finding.label else []
    return ", ".join([*parts, _bytes(finding.num_bytes)])


def _section(title: str, text: str, findings: Sequence[Finding]) -> Section | None:
    entries = [
        Entry(
            name=printable(finding.name),
            facts=facts_of(finding),
            remark=printable(finding.reason),
            picture=finding.thumbnail,
        )
        for finding in findings
    ]
    return Section(f"{title}: {len(findings):,}", text, [Catalogue(entries)]) if findings else None


def _copies(title: str, text: str, groups: Sequence[Sequence[str]]) -> Section | None:
    if not groups:
        return None
    facts = {f"Group {number}": ", ".join(map(printable, names)) for number, names in enumerate(groups, 1)}
    return Section(f"{title}: {_counted(len(groups), 'group')}", text, [Facts(facts)])


def _spread(findings: Sequence[Finding]) -> Sequence[Finding]:
    step = len(findings) / MOST_SHOWN
    return findings if step <= 1 else [findings[int(index * step)] for index in range(MOST_SHOWN)]


def _census(values: Iterable[str]) -> str:
    counts = Counter(values).most_common()
    shown = ", ".join(f"{value} ({count:,})" for value, count in counts[:MOST_VALUES])
    return shown if len(counts) <= MOST_VALUES else f"{shown} and {len(counts) - MOST_VALUES:,} more"


def _groups(groups: Sequence[Sequence[str]]) -> str:
    return f"{_counted(len(groups), 'group')} of {sum(map(len, groups)):,} files" if groups else "none"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"


def _bytes(count: int) -> str:
    size, units = float(count), ["KiB", "MiB", "GiB"]
    if count < 1024:
        return f"{count} B"
    while size >= 1024 and units:
        size, unit = size / 1024, units.pop(0)
    return f"{size:.1f} {unit}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _name(inspection: Inspection) -> str:
    return printable(PurePath(inspection.root).name or inspection.root)
