"""The page of an evaluation: scores with all that they depend on; of several evaluations of one protocol, side by side."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from latentreel.core.errors import InputError
from latentreel.core.text import printable
from latentreel.media.decode import load_image
from latentreel.pipelines.evaluation_result import compare_results, read_result, real_text, score_text
from latentreel.report.blocks import Facts, Picture
from latentreel.report.chart import Chart
from latentreel.report.clip_selection import COLUMNS, Progress, select_clips
from latentreel.report.curves import readable
from latentreel.report.page import Block, Page, Section
from latentreel.report.table import Table
from latentreel.report.training_report import shown

MOST_NAMED = 40
"""Clips of a manifest that are named; the JSON has all."""

CLIPS_EACH = 2 * COLUMNS


def evaluation_report(paths: Sequence[Path], *, clips: Sequence[Path] = (), progress: Progress | None = None) -> Page:
    """Lays results out.

    Args:
        paths: Files that `latentreel evaluate` wrote.
        clips: Folders of the clips that were judged, in the order of the results, to be looked at; none, or one for each.
        progress: Told of the clips that are decoded.

    Raises:
        InputError: One is no result, they may not stand side by side, or there are not as many folders as results.
    """
    results = [read_result(path) for path in paths]
    compare_results(results)
    if len(clips) not in (0, len(results)):
        given = f"{len(results)} results, {len(clips)} folders of clips"
        raise InputError("not every result has clips", given=given, allowed="as many of each, or no clips")
    names = _names(results)
    first = results[0]
    sections = [_scores(results, names), _warnings(results, names)]
    if clips:
        sections.append(_clips(clips, names, progress))
    sections += [*_by_frame(results, names), *_diversity(paths, names), _what_it_depends_on(results, names)]
    lead = (
        f"{', '.join(names)}, held against {printable(first['real']['name'])} by the protocol {first['protocol']['name']} "
        f"through the eyes of {first['network']['name']}: {first['fake']['num_clips']:,} clips of {_form(first)}."
    )
    title = f"Scores of {names[0]}" if len(names) == 1 else f"Scores of {len(names)} sets of clips"
    return Page(title, lead, [section for section in sections if section is not None])


def _names(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """What was judged; numbered where two have one name."""
    names = [printable(str(result["fake"]["name"])) for result in results]
    return [name if names.count(name) == 1 else f"{name} ({number})" for number, name in enumerate(names, 1)]


def _scores(results: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Section:
    scores = dict.fromkeys(name for result in results for name in result["scores"])
    rows = []
    for score in scores:
        found = [result["scores"].get(score) for result in results]
        real = next(each for each in found if each is not None)
        count = results[0]["fake"]["num_clips"]
        rows.append([readable(score), *(score_text(each) if each else "" for each in found), real_text(real, count)])
    headings = ["score", *names, f"real: {printable(str(results[0]['real']['name']))}"]
    note = (
        "In brackets the 95 % interval of resampled clips, behind ± the deviation over repeats. The last column is the same score "
        "of real clips alone: of a distance, that between two sets of them, which is the floor. Distances are better the smaller "
        "they are."
    )
    return Section("Scores", "", [Table(headings, rows, "Scores", note)])


def _warnings(results: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Section | None:
    lines = [
        f"{name}: {warning}" if len(names) > 1 else warning
        for name, result in _each(results, names)
        for warning in result["warnings"]
    ]
    lines += [
        f"{name}: left out: {reason}"
        for name, result in _each(results, names)
        for reason in result["fake"]["left_out"][:MOST_NAMED]
    ]
    return Section("What to keep in mind", "\n\n".join(printable(line) for line in lines)) if lines else None


def _clips(folders: Sequence[Path], names: Sequence[str], progress: Progress | None) -> Section:
    grids: list[Block] = []
    for folder, name in zip(folders, names, strict=True):
        grids.append(
            select_clips(folder, count=CLIPS_EACH, progress=progress).grid(f"clips in {printable(str(folder))}, {name}")
        )
    text = (
        "To be looked at beside the numbers. The page takes the folders at their word: the scores' own clips are named below."
    )
    return Section("Clips", text, grids)


def _by_frame(results: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[Section]:
    """Of scores that every frame has, such as PSNR of predictions: their course."""
    scores = dict.fromkeys(name for result in results for name, score in result["scores"].items() if score["by_frame"])
    charts = [
        Chart(
            {
                name: (range(1, len(line) + 1), line)
                for name, result in _each(results, names)
                if score in result["scores"] and (line := result["scores"][score]["by_frame"])
            },
            title=readable(score),
            x_label="frame",
        )
        for score in scores
    ]
    return [Section("From frame to frame", "", charts)] if charts else []


def _diversity(paths: Sequence[Path], names: Sequence[str]) -> list[Section]:
    """The sheets that lie beside results of models."""
    pictures = []
    for path, name in zip(paths, names, strict=True):
        sheet = path.with_suffix(".diversity.png")
        if sheet.is_file():
            caption = (
                f"{name}: of each content the first frame, the mean of the last frames of many motions, and their deviation, "
                "white where it is largest (MoCoGAN-HD, App. D)."
            )
            pictures.append(
                Picture(load_image(sheet), caption=caption, description=f"A sheet: where the pictures of {name} move.")
            )
    return [Section("Where it moves", "", pictures)] if pictures else []


def _what_it_depends_on(results: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Section:
    first = results[0]
    blocks: list[Block] = [
        Facts({readable(name): shown(value) for name, value in first["protocol"].items()}, "Protocol"),
        Facts({readable(name): shown(value) for name, value in first["network"].items()}, "Network"),
        _side("Real clips", first["real"]),
        *(_side(f"Clips of {name}", result["fake"]) for name, result in _each(results, names)),
    ]
    for name, result in _each(results, names):
        if variance := result["variance"]:
            shares = {f"first {count} components": f"{100 * share:.1f} %" for count, share in variance.items()}
            blocks.append(Facts(shares, f"Variance of the latents of {name}", folded=True))
    versions = {name: shown(value) for name, value in first["versions"].items()} | {"seed": first["seed"]}
    return Section("What the scores depend on", "", [*blocks, Facts(versions, "Versions and seed", folded=True)])


def _side(title: str, side: Mapping[str, Any]) -> Facts:
    manifest = [f"{name} from frame {start}" for name, start in side["manifest"][:MOST_NAMED]]
    more = len(side["manifest"]) - len(manifest)
    facts = {
        "Name": printable(str(side["name"])),
        "Clips": f"{side['num_clips']:,}",
        "SHA-256 of their pixels": side["digest"],
        "Left out": ", ".join(map(printable, side["left_out"][:MOST_NAMED])) or "nothing",
        "Clips looked at": printable(", ".join(manifest)) + (f" and {more:,} more, in the JSON" if more > 0 else ""),
    }
    return Facts(facts, title, folded=True)


def _form(result: Mapping[str, Any]) -> str:
    frames, height, width, _ = result["clip_shape"]
    return f"{frames} frames, {width}x{height} px" if frames > 1 else f"one picture, {width}x{height} px"


def _each(results: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[tuple[str, Mapping[str, Any]]]:
    return list(zip(names, results, strict=True))
