"""The report of `latentreel demo`: what a motion generator makes of an image generator, and how its training went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from latentreel.core.errors import InputError
from latentreel.report.blocks import ClipGrid, Command, Facts
from latentreel.report.curves import curves, readable
from latentreel.report.page import Page, Section

Pixels = npt.NDArray[np.uint8]

COLUMNS = 4
"""Clips in a row, wherever the number of clips does not say another."""


@dataclass(frozen=True, kw_only=True, eq=False)
class DemoResults:
    """What the report shows. N clips, R rows, T frames; clips are uint8 RGB, all of one height H and width W."""

    headline: Pixels
    """The clips that open the page, [N, T, H, W, 3]; 8 or 12 look well."""

    real: Pixels
    """Clips of the training videos, [N, T, H, W, 3]; 4 look well."""

    generated: Pixels
    """Clips to stand under the real ones, [N, T, H, W, 3], as many."""

    one_content: Pixels
    """Each row one content, each column one motion's noise, [R, N, T, H, W, 3]; 2 or 3 rows of 4."""

    one_motion: Pixels
    """Each row one motion's noise, each column one content, [R, N, T, H, W, 3]; 2 or 3 rows of 4."""

    shipped: Pixels
    """Clips by the motion generator that ships with the package, [N, T, H, W, 3]."""

    trained: Pixels
    """Clips by the motion generator of this run, from the same contents and motion noise, [N, T, H, W, 3]."""

    creatures: Pixels
    """Clips by the model of another domain that ships, moved by videos of people, [N, T, H, W, 3]; 8 look well."""

    skies: Pixels
    """Clips by the model of skies that ships, [N, T, H, W, 3]; 8 look well."""

    made_by: str
    """Which motion generator made all but `shipped` and `trained`, e.g. "the motion generator trained in this run"."""

    fps: float
    """Frames per second of all clips."""

    journal: Sequence[Mapping[str, float]]
    """Entries as `training.journal.read_journal` gives them: "step", "items", "seconds", and "phase/term" for each figure."""

    timings: Mapping[str, float]
    """What was done, and the seconds that it took, in order."""

    config: Mapping[str, object]
    """The run's resolved config, as plain values."""

    versions: Mapping[str, str]
    """Programs, libraries and the machine."""

    commands: Sequence[str]
    """What was typed, first the command that made this page, then what to try next."""

    videos: Mapping[str, Path | str]
    """What the written video files show, and where they are."""

    def __post_init__(self) -> None:
        for name, rows in (("real", self.generated), ("shipped", self.trained)):
            clips = getattr(self, name)
            if clips.shape != rows.shape:
                raise InputError(
                    f"{name} and the clips beside it differ in form", given=list(rows.shape), allowed=list(clips.shape)
                )


def training_report(results: DemoResults) -> Page:
    """Lays the demo's results out, to be written with `report.page.write_page`."""
    seconds = results.journal[-1]["seconds"] if results.journal else sum(results.timings.values())
    return Page(
        "Faces that were never filmed",
        "A generator of still images that was taught to make videos. "
        f"Every clip on this page was made on this machine, where a second motion generator was trained for {in_words(seconds)}. "
        "The faces are chosen: of the first 24 that the shipped model drew, 17 stayed themselves, "
        "and 7 gained or lost glasses as they moved.",
        [
            _headline(results),
            _beside_real(results),
            _one_content(results),
            _one_motion(results),
            _shipped_and_trained(results),
            _creatures(results),
            _skies(results),
            curves(results.journal, items="clips"),
            _what_was_run(results),
        ],
    )


def in_words(seconds: float) -> str:
    """A duration as people say it, e.g. "2 min 41 s", "0.4 s"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _headline(results: DemoResults) -> Section:
    count, num_frames = results.headline.shape[:2]
    return Section(
        "What this is",
        "The image generator has seen single pictures only and stays as it is. Beside it, a small motion generator learns from "
        "videos how to walk through the pictures that the image generator can draw, so that its steps make a movement. "
        "This is MoCoGAN-HD (Tian et al., ICLR 2021).",
        [
            ClipGrid(
                list(results.headline),
                fps=results.fps,
                columns=COLUMNS,
                caption=f"{count} clips of {num_frames} frames. By {results.made_by}.",
                description=f"A grid of {count} generated faces that move: they turn and look around.",
            )
        ],
    )


def _beside_real(results: DemoResults) -> Section:
    return Section(
        "Real and generated",
        "The training videos, and what was learned from them.",
        [
            _pair(
                results,
                {"real": results.real, "generated": results.generated},
                caption=f"Above, clips of the training videos; below, clips by {results.made_by}.",
                description="Two rows of moving faces: clips of the training videos above, generated clips below.",
            )
        ],
    )


def _one_content(results: DemoResults) -> Section:
    rows, columns = results.one_content.shape[:2]
    return Section(
        "One face, several motions",
        "A face is a point in the image generator's latent space; a motion is a sequence of random numbers. "
        "Along a row the point is the same and only those numbers change.",
        [
            ClipGrid(
                _flat(results.one_content),
                fps=results.fps,
                columns=columns,
                row_labels=_numbered("face", rows),
                column_labels=_numbered("motion", columns),
                caption="All clips of a row start from the same picture. Look for the same person doing different things.",
                description=f"A grid of moving faces: each of the {rows} rows shows one person in {columns} different motions.",
            )
        ],
    )


def _one_motion(results: DemoResults) -> Section:
    rows, columns = results.one_motion.shape[:2]
    return Section(
        "One motion, several faces",
        "The other way round: along a row the random numbers are the same, and the faces differ.",
        [
            ClipGrid(
                _flat(results.one_motion),
                fps=results.fps,
                columns=columns,
                row_labels=_numbered("motion", rows),
                column_labels=_numbered("face", columns),
                caption="The motion also depends on where it starts, so expect a likeness along a row, not a copy.",
                description=f"A grid of moving faces: each of the {rows} rows shows one motion on {columns} different people.",
            )
        ],
    )


def _shipped_and_trained(results: DemoResults) -> Section:
    return Section(
        "The shipped motion generator and yours",
        "The package brings a motion generator that was trained for longer, for the same image generator. "
        "Both start from the same faces and get the same random numbers.",
        [
            _pair(
                results,
                {"shipped": results.shipped, "trained here": results.trained},
                caption="Above, the one that ships with the package; below, the one this run trained.",
                description="Two rows of the same faces: above by the shipped motion generator, below by the one trained here.",
            )
        ],
    )


def _creatures(results: DemoResults) -> Section:
    return _first_seeds(
        results,
        results.creatures,
        title="Animals that learned from people",
        text="Motion can come from one place and content from another: the second model that ships draws animals, "
        "of which there are no videos at all. Its motion generator learned from the videos of people.",
        hint="Look for heads that turn, and ears that change.",
        shown="animals that move their heads",
    )


def _skies(results: DemoResults) -> Section:
    return _first_seeds(
        results,
        results.skies,
        title="Skies, and no faces at all",
        text="The third model that ships draws skies over a horizon. "
        "Nothing in a sky has a place of its own, as eyes have in a face.",
        hint="Clouds drift and the horizon stays, or should.",
        shown="skies whose clouds drift",
    )


def _first_seeds(results: DemoResults, clips: Pixels, *, title: str, text: str, hint: str, shown: str) -> Section:
    count = len(clips)
    grid = ClipGrid(
        list(clips),
        fps=results.fps,
        columns=COLUMNS,
        caption=f"{count} clips, seeds 0 to {count - 1}, none left out. {hint}",
        description=f"A grid of {count} generated {shown}.",
    )
    return Section(title, text, [grid])


def _what_was_run(results: DemoResults) -> Section:
    timings = {name: in_words(seconds) for name, seconds in results.timings.items()}
    total = {"all together": in_words(sum(results.timings.values()))} if timings else {}
    config = {readable(name): shown(value) for name, value in results.config.items()}
    return Section(
        "What was run",
        "",
        [
            *([Command("\n".join(results.commands))] if results.commands else []),
            Facts(timings | total, "How long it took"),
            Facts(results.videos, "Video files"),
            Facts(config, "Settings", folded=True),
            Facts(results.versions, "Versions", folded=True),
        ],
    )


def _pair(results: DemoResults, rows: Mapping[str, Pixels], *, caption: str, description: str) -> ClipGrid:
    """Rows of clips to compare, column by column."""
    columns = len(next(iter(rows.values())))
    clips = [clip for row in rows.values() for clip in row]
    return ClipGrid(clips, fps=results.fps, columns=columns, row_labels=tuple(rows), caption=caption, description=description)


def _flat(rows: Pixels) -> list[Pixels]:
    return [clip for row in rows for clip in row]


def _numbered(noun: str, count: int) -> tuple[str, ...]:
    return tuple(f"{noun} {i}" for i in range(1, count + 1))


def shown(value: object) -> str:
    """A setting's value as words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(shown, value)) or "none"
    return "none" if value is None else str(value)
