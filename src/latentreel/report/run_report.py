"""The page of a training run: its samples from first to last, its curves, its settings."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from latentreel.checkpoints.bundle import is_bundle
from latentreel.core.config import read_yaml
from latentreel.core.errors import InputError
from latentreel.core.text import printable, shell_word
from latentreel.media.decode import load_image, load_video, natural_key
from latentreel.report.blocks import Clip, Command, Facts, Picture
from latentreel.report.clip_selection import bounded
from latentreel.report.curves import curves, readable, score_charts
from latentreel.report.gallery_report import bundle_facts
from latentreel.report.page import Page, Section
from latentreel.report.training_report import in_words, shown
from latentreel.training.journal import read_journal
from latentreel.training.scores import BEST

JOURNAL, CONFIG, SAMPLES = "journal.jsonl", "config.yaml", "samples"

MOST_SAMPLES = 4
"""Evenly spread over the run, the first and the last among them."""

SAMPLE_PIXELS = 640
"""Columns of a sheet or of a grid of clips, as a page shows it."""


def is_run(folder: Path) -> bool:
    """Whether a folder is that of a training run."""
    return (folder / JOURNAL).is_file() and (folder / CONFIG).is_file()


def run_report(folder: Path) -> Page:
    """What a run has done so far; it may still be going on.

    Args:
        folder: One for which `is_run` holds.

    Raises:
        InputError: The config or the journal is damaged.
    """
    config = read_yaml(folder / CONFIG)
    journal = read_journal(folder / JOURNAL)
    items = "images" if "kimg" in config else "clips"
    name = printable(folder.resolve().name)
    sections = [_samples(folder / SAMPLES), curves(journal, items=items)]
    if scores := score_charts(journal, items=items):
        sections.append(Section("Scores on the way", "Taken of the bundle while it trained.", scores))
    sections.append(_what_was_run(folder, config, journal, items))
    return Page(f"The run {name}", _lead(journal, items), sections)


def _lead(journal: Sequence[Mapping[str, float]], items: str) -> str:
    if not journal:
        return "A training run whose journal has no entry yet."
    last = journal[-1]
    speed = f", {last['items'] / last['seconds']:.3g} {items} per second" if last["seconds"] > 0 else ""
    return (
        f"A training run, by its journal of {int(last['step']):,} steps: {int(last['items']):,} {items} in "
        f"{in_words(last['seconds'])} of training{speed}."
    )


def _samples(folder: Path) -> Section:
    """Pictures or clips of the same latents, from the run's beginning to its end."""
    files = sorted(folder.glob("*"), key=lambda path: natural_key(path.name)) if folder.is_dir() else []
    moving = [path for path in files if path.suffix == ".mp4"]
    files = moving or [path for path in files if path.suffix == ".png"]
    if not files:
        return Section("Samples", "The run has written no sample yet.")
    count = min(MOST_SAMPLES, len(files))
    chosen = [files[round(place * (len(files) - 1) / max(1, count - 1))] for place in range(count)]
    blocks: list[Clip | Picture] = []
    problems = []
    for path in chosen:
        number, _, unit = path.stem.partition("_")
        caption = f"After {int(number):,} {unit}." if number.isdecimal() else f"{path.stem}."
        description = f"Samples of the model in training, {caption.lower()}"
        try:
            blocks.append(_clip(path, caption, description) if moving else _picture(path, caption, description))
        except InputError as error:
            problems.append(printable(str(error)))
    told = f" {count} of {len(files)}, evenly spread." if count < len(files) else ""
    text = "Always of the same random numbers, so that what changes is the model." + told
    return Section("Samples", "\n\n".join([text, *problems]), blocks)


def _clip(path: Path, caption: str, description: str) -> Clip:
    video = load_video(path)
    frames = bounded(video.frames, pixels=SAMPLE_PIXELS)
    return Clip(frames, fps=video.fps, caption=caption, description=description)


def _picture(path: Path, caption: str, description: str) -> Picture:
    pixels = load_image(path)
    if pixels.shape[1] > SAMPLE_PIXELS:
        size = SAMPLE_PIXELS, max(1, round(pixels.shape[0] * SAMPLE_PIXELS / pixels.shape[1]))
        pixels = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))
    return Picture(pixels, caption=caption, description=description)


def _what_was_run(folder: Path, config: Mapping[str, Any], journal: Sequence[Mapping[str, float]], items: str) -> Section:
    facts: dict[str, object] = {"Folder": printable(str(folder)), "Data": config.get("data", "")}
    if journal:
        facts |= {
            "Training time": in_words(journal[-1]["seconds"]),
            f"{items.capitalize()} seen": f"{int(journal[-1]['items']):,}",
        }
    settings = {readable(name): shown(value) for name, value in config.items()}
    blocks: list[Facts | Command] = [Facts(facts)]
    bundle = folder / "bundle"
    if is_bundle(bundle):
        blocks.append(Command(f"latentreel report {shell_word(str(bundle))}", "A gallery of what the model can do now."))
        blocks += bundle_facts(bundle)
    if is_bundle(folder / BEST):
        blocks.append(
            Command(f"latentreel report {shell_word(str(folder / BEST))}", "The same of the bundle that had the best score.")
        )
    return Section("What was run", "", [*blocks, Facts(settings, "Settings", folded=True)])
