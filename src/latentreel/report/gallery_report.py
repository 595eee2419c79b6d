"""The page of a gallery: what a model can do, or what lies in a folder of videos."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from latentreel.checkpoints.bundle import read_card
from latentreel.core.errors import InputError
from latentreel.core.pixels import to_uint8
from latentreel.core.text import printable, shell_word
from latentreel.image_generators.build import Network
from latentreel.media.contact_sheet import contact_sheet
from latentreel.pipelines.edits import component_walks
from latentreel.pipelines.mocogan_hd_pipeline import MoCoGANHDPipeline
from latentreel.pipelines.video_pipeline import VideoPipeline
from latentreel.report.blocks import ClipGrid, Command, Facts, Picture
from latentreel.report.clip_selection import COLUMNS, bounded, columns_for, select_clips
from latentreel.report.page import Page, Section
from latentreel.sampling.directions import Direction
from latentreel.sampling.latents import content_labels, content_latents

Pixels = npt.NDArray[np.uint8]
Progress = Callable[[int, int], None]

ROWS = 3
"""Of a grid that keeps one thing along a row."""

DIRECTIONS = 8
"""Components of the basis that are walked."""

STEPS = 7
"""Pictures on a walk, from -3 to 3 standard deviations (MoCoGAN-HD, App. E.1)."""


@dataclass(frozen=True, kw_only=True)
class GalleryContents:
    """What a model's gallery shows."""

    seeds: tuple[int, ...]
    """Contents; a dozen at most."""

    num_frames: int
    """Frames of each clip; 64 at most."""

    long_frames: int
    """Frames of the long clips; 0 leaves them out."""

    truncation: float

    def __post_init__(self) -> None:
        for name, value, least, most in (("frames", self.num_frames, 1, 64), ("long_frames", self.long_frames, 0, 512)):
            if not least <= value <= most:
                raise InputError(f"{name} is out of range", given=value, allowed=f"{least} to {most}")
        if not 1 <= len(self.seeds) <= 12:
            raise InputError("seeds are out of range", given=f"{len(self.seeds)} of them", allowed="1 to 12")


class _Clips:
    """Clips of a model, bounded, and the progress of making them."""

    def __init__(self, pipe: VideoPipeline, contents: GalleryContents, progress: Progress | None, total: int) -> None:
        self.pipe, self.contents, self.progress, self.total, self.done = pipe, contents, progress, total, 0

    def of(self, pairs: Sequence[tuple[int, int]], num_frames: int) -> list[Pixels]:
        """Clips of (seed, motion seed)."""
        clips = []
        for seed, motion_seed in pairs:
            pieces = self.pipe.stream(
                seed=seed, motion_seed=motion_seed, num_frames=num_frames, truncation=self.contents.truncation
            )
            parts = []
            for piece in pieces:
                parts.append(bounded(piece.frames, most_frames=num_frames))
                self.done += len(piece)
                if self.progress is not None:
                    self.progress(self.done, self.total)
            clips.append(np.concatenate(parts))
        return clips


def model_gallery(
    pipe: VideoPipeline, name: str, contents: GalleryContents, *, card: Mapping[str, object], progress: Progress | None = None
) -> Page:
    """What a model makes of seeds, and what its latent basis changes.

    Args:
        pipe: The model.
        name: What it is called, as a command would name it.
        contents: What to show.
        card: As `checkpoints.bundle.read_card` gives it.
        progress: Told of the frames that are drawn.

    Raises:
        InputError: A number is out of range.
    """
    seeds, motions = contents.seeds, range(COLUMNS)
    few, long = seeds[:ROWS], [(seed, seed) for seed in seeds[:2]] if contents.long_frames else []
    grids = len(seeds) + len(few) * len(motions) + min(ROWS, len(motions)) * len(seeds[:COLUMNS])
    clips = _Clips(pipe, contents, progress, grids * contents.num_frames + len(long) * contents.long_frames)
    sections = [_own_motion(clips), _one_content(clips, few), _one_motion(clips, seeds[:COLUMNS])]
    if long:
        sections.append(_long(clips, long))
    if isinstance(pipe, MoCoGANHDPipeline):
        sections.append(_directions(pipe, contents))
    sections.append(Section("What this is", "", [*_commands(name, contents), *card_facts(card)]))
    lead = (
        f"What the model {printable(name)} makes of the content seeds {', '.join(map(str, seeds))}, at truncation "
        f"{contents.truncation:g}. Nothing was left out, and nothing was chosen by this page."
    )
    return Page(f"Gallery of {printable(Path(name).name or name)}", lead, sections)


@torch.no_grad()
def picture_gallery(generator: Network, name: str, contents: GalleryContents, *, card: Mapping[str, object]) -> Page:
    """The same of an image generator, which makes no videos: pictures."""
    seeds, device = list(contents.seeds), next(generator.parameters()).device
    labels = content_labels(generator, seeds, device=device)
    w = content_latents(generator, seeds, labels=labels, truncation=contents.truncation, device=device)
    parts = [generator.synthesize(w[i : i + 1], None if labels is None else labels[i : i + 1]) for i in range(len(seeds))]
    pictures = bounded(to_uint8(torch.cat(parts)), pixels=256)
    rows = [pictures[i : i + COLUMNS] for i in range(0, len(pictures), COLUMNS)]
    shown = ", ".join(map(str, seeds))
    sheet = Picture(
        contact_sheet(rows, columns=COLUMNS),
        caption=f"Seeds {shown}, row by row.",
        description=f"A sheet of {len(seeds)} generated pictures.",
    )
    lead = f"What the image generator {printable(name)} makes of the seeds {shown}, at truncation {contents.truncation:g}."
    sections = [Section("Pictures", "", [sheet]), Section("What this is", "", card_facts(card))]
    return Page(f"Gallery of {printable(Path(name).name or name)}", lead, sections)


def folder_gallery(source: Path | str, *, progress: Progress | None = None) -> Page:
    """Some clips of a folder of videos, of frame folders, or of an archive."""
    found = select_clips(source, progress=progress)
    name = printable(Path(source).resolve().name)
    facts = {
        "Source": printable(str(source)),
        "Read as": found.kind.replace("_", " "),
        "Clips": f"{found.total:,}",
        "Shown at": f"{found.fps:.4g} frames per second",
    }
    sections = [Section("Clips", "Each is shown whole, on a black square.", [found.grid(f"clips of {name}")])]
    if found.problems:
        sections.append(Section("What could not be shown", "\n\n".join(found.problems)))
    again = f"latentreel data check {shell_word(str(source))} --html check.html"
    check = Command(again, "Looks at every file, and says what is wrong with it.")
    sections.append(Section("What this is", "", [Facts(facts), check]))
    return Page(f"Videos in {name}", f"{len(found.clips)} of the {found.total:,} clips in {printable(str(source))}.", sections)


def card_facts(card: Mapping[str, object]) -> list[Facts]:
    """What a bundle's card says."""
    files, versions = card.get("files"), card.get("versions")
    told = {
        "Kind": card.get("kind"),
        "Origin": card.get("origin"),
        "Licence": card.get("licence"),
        "Written": card.get("written"),
    }
    facts = [Facts({name: value for name, value in told.items() if value}, "Card")]
    facts += [Facts(files, "Digests (SHA-256)", folded=True)] if isinstance(files, dict) else []
    facts += [Facts(versions, "Versions", folded=True)] if isinstance(versions, dict) else []
    return facts


def bundle_facts(folder: Path) -> list[Facts]:
    """What the card of a bundle's folder says."""
    return card_facts(read_card(folder))


def _commands(name: str, contents: GalleryContents) -> list[Command]:
    model, truncation = shell_word(name), f"--truncation {contents.truncation}"
    clips = [
        f"latentreel generate {model} --seeds {seed} --motion-seeds {seed} --frames {contents.num_frames} {truncation}"
        for seed in contents.seeds
    ]
    page = (
        f"latentreel report {model} --seeds {' '.join(map(str, contents.seeds))} --frames {contents.num_frames} "
        f"--long-frames {contents.long_frames} {truncation}"
    )
    return [Command(page, "This page again."), Command("\n".join(clips), "The clips of the first section as files.")]


def _own_motion(clips: _Clips) -> Section:
    seeds, num_frames = clips.contents.seeds, clips.contents.num_frames
    grid = ClipGrid(
        clips.of([(seed, seed) for seed in seeds], num_frames),
        fps=clips.pipe.fps,
        columns=columns_for(len(seeds)),
        caption=f"{len(seeds)} clips of {num_frames} frames: row by row the seeds {', '.join(map(str, seeds))}.",
        description=f"A grid of {len(seeds)} generated clips, each with a content and a motion of its own.",
    )
    return Section("Clips", "Each with a content and a motion of its own.", [grid])


def _one_content(clips: _Clips, seeds: Sequence[int]) -> Section:
    motions = range(COLUMNS)
    grid = ClipGrid(
        clips.of([(seed, motion) for seed in seeds for motion in motions], clips.contents.num_frames),
        fps=clips.pipe.fps,
        columns=len(motions),
        row_labels=[f"seed {seed}" for seed in seeds],
        column_labels=[f"motion {motion}" for motion in motions],
        caption="All clips of a row start from the same picture. Look for the same content doing different things.",
        description=f"A grid of clips: each of the {len(seeds)} rows shows one content in {len(motions)} motions.",
    )
    return Section("One content, several motions", "Along a row only the motion's random numbers change.", [grid])


def _one_motion(clips: _Clips, seeds: Sequence[int]) -> Section:
    motions = range(ROWS)
    grid = ClipGrid(
        clips.of([(seed, motion) for motion in motions for seed in seeds], clips.contents.num_frames),
        fps=clips.pipe.fps,
        columns=len(seeds),
        row_labels=[f"motion {motion}" for motion in motions],
        column_labels=[f"seed {seed}" for seed in seeds],
        caption="The motion of a MoCoGAN-HD also depends on where it starts: expect a likeness along a row, not a copy.",
        description=f"A grid of clips: each of the {len(motions)} rows shows one motion on {len(seeds)} contents.",
    )
    return Section("One motion, several contents", "Along a row the motion's random numbers are the same.", [grid])


def _long(clips: _Clips, pairs: Sequence[tuple[int, int]]) -> Section:
    num_frames, fps = clips.contents.long_frames, clips.pipe.fps
    grid = ClipGrid(
        clips.of(pairs, num_frames),
        fps=fps,
        columns=len(pairs),
        column_labels=[f"seed {seed}" for seed, _ in pairs],
        caption=f"{num_frames} frames, {num_frames / fps:.3g} s. Look for contents that change and for motion that dies down.",
        description=f"{len(pairs)} long generated clips.",
    )
    return Section("Longer than in training", "The same motion, run on.", [grid])


def _directions(pipe: MoCoGANHDPipeline, contents: GalleryContents) -> Section:
    count = min(DIRECTIONS, len(pipe.basis.components))
    directions = [Direction.component(pipe.basis, index) for index in range(count)]
    walks = component_walks(pipe, directions, seed=contents.seeds[0], truncation=contents.truncation, steps=STEPS)
    sheet = Picture(
        contact_sheet(
            [bounded(walk, pixels=128) for walk in walks], columns=STEPS, names=[str(index) for index in range(count)]
        ),
        caption=f"A row for each of the first {count} components, from -3 to 3 standard deviations. In the middle of "
        f"every row stands seed {contents.seeds[0]} as it is.",
        description=f"A sheet of {count} rows of {STEPS} pictures; each row changes one picture along one direction.",
    )
    text = "The motion generator moves along the directions in which latents vary most. What each of them changes in a picture:"
    return Section("First directions of the latent basis", text, [sheet])
