"""`latentreel data prepare SOURCE --out FOLDER` packs frames for training; `latentreel data recipes` lists known datasets."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from latentreel.core.errors import InputError
from latentreel.core.text import printable, with_name

if TYPE_CHECKING:
    from latentreel.data.packed_frames import Manifest

MOST_SHOWN = 5
"""Clips on screen that were left out, or of which there is something to say."""


@dataclass(frozen=True, kw_only=True)
class PrepareConfig:
    """Resizes and packs a source once; training opens the result at once. Stopped, the same command goes on.

    `latentreel data recipes` lists the datasets that are known by name.
    """

    source: Annotated[str, tyro.conf.Positional]
    """A folder of videos, frame folders, strips or pictures, or an archive of them; behind -- if it begins with a dash."""

    out: Path
    """The folder for the packed frames; name it as --data."""

    recipe: str = ""
    """A dataset's name: its files are checked, split and cropped as published."""

    resolution: int | None = None
    """Rows and columns of the frames; by default the recipe's, else 128."""

    fit: Literal["crop", "pad", "keep"] = "crop"
    """What becomes of frames that are no squares: the centre square, the whole on black, or as they are."""

    expect: Literal["videos", "images"] | None = None
    """Whether pictures are frames of clips or stills; by default the recipe's, else videos."""

    split: str = ""
    """Parts and shares, as train=0.9,test=0.1; by default the recipe's, else one part."""

    group_by: str = "file"
    """What a split never parts: file, class, prefix, or a regular expression found in the names."""

    seed: int = 0
    """Another seed is another split."""

    classes: tuple[str, ...] = ()
    """Only these classes; by default all."""

    boxes: Path | None = None
    """CSV (name,left,top,width,height) or JSON: a square around each clip's box is cut out."""

    detector: str = ""
    """MODULE:FUNCTION of yours that takes a frame and gives boxes, in place of --boxes."""

    margin: float = 0.3
    """Added to every side of a box, in parts of its longer side."""

    max_frame_pixels: int = 8192 * 8192
    """Rows times columns that a frame may have; files that declare more are refused."""

    max_video_frames: int = 1_000_000
    """Frames that a video may have; files that declare more are refused."""

    whole_frames: bool = False
    """Take the centre square even where the recipe wants boxes."""


@dataclass(frozen=True, kw_only=True)
class RecipesConfig:
    """Lists the datasets that are known by name; of one, what to get where, its terms and its layout."""

    name: Annotated[str, tyro.conf.Positional] = ""
    """One of them; by default all."""


def prepare(config: PrepareConfig) -> None:
    """Packs, and says what is where."""
    from latentreel.cli.progress import console, counting, reasons_shown_later
    from latentreel.data.packing import pack
    from latentreel.data.preparation import Preparation, missing_clips, plan_packing
    from latentreel.media.limits import DecodeLimits

    preparation = Preparation(
        recipe=config.recipe,
        resolution=config.resolution,
        fit=config.fit,
        expect=config.expect,
        shares=_shares(config.split),
        group_by=config.group_by,
        seed=config.seed,
        classes=config.classes,
        boxes=config.boxes,
        detector=config.detector,
        margin=config.margin,
        limits=DecodeLimits(max_frame_pixels=config.max_frame_pixels, max_frames=config.max_video_frames),
        whole_frames=config.whole_frames,
    )
    plan = plan_packing(config.source, preparation)
    if missing := missing_clips(plan):
        console.print(missing)
    with reasons_shown_later(), counting(f"packing {plan.resolution} px") as progress:
        manifest = pack(plan, config.out, progress=progress)
    for line in _summary(manifest, config.out):
        console.print(line, soft_wrap=True)


def show_recipes(config: RecipesConfig) -> None:
    """Prints the table, or one recipe."""
    from rich.table import Table

    from latentreel.cli.progress import console
    from latentreel.data.recipes import RECIPES, find_recipe

    if config.name:
        recipe = find_recipe(config.name)
        crop = "a square around the face (--boxes or --detector)" if recipe.crop == "boxes" else "the centre square"
        facts = {
            "dataset": f"{recipe.title} ({recipe.paper})",
            "get": recipe.origin,
            "terms": recipe.terms,
            "layout": "\n          ".join(recipe.layout),
            "split": recipe.split.told,
            "frames": f"{crop}, {recipe.resolution} px, as {recipe.expect}",
            "prepare": f"latentreel data prepare FOLDER --recipe {config.name} --out PACKED",
        }
        for name, value in facts.items():
            console.print(f"{name:<10}{value}", soft_wrap=True)
        return
    table = Table("recipe", "dataset", "px", "split", box=None, pad_edge=False)
    for name, recipe in RECIPES.items():
        table.add_row(name, recipe.title, str(recipe.resolution), recipe.split.told)
    console.print(table)
    console.print("\nlatentreel data recipes NAME: what to get where, under which terms, and how it must lie.")


def _shares(text: str) -> dict[str, float]:
    try:
        pairs = [pair.split("=") for pair in text.split(",")] if text else []
        shares = {name.strip(): float(share) for name, share in pairs}
    except ValueError as error:
        raise InputError("the split is not written as it must be", given=text, allowed="train=0.9,test=0.1") from error
    for name in shares:
        if not name or Path(name).name != name or name.startswith("."):
            raise InputError("a part becomes a folder, and cannot be called so", given=name, allowed="a plain name, as train")
    return shares


def _summary(manifest: "Manifest", out: Path) -> list[str]:
    lines = []
    for part in manifest.parts:
        clips = [clip for clip in manifest.clips if clip.part == part]
        frames = sum(clip.frames for clip in clips)
        size = frames * manifest.frame_bytes / 2**20
        lines.append(
            f"{out / part}: {len(clips):,} clips, {frames:,} frames of {manifest.width}x{manifest.height}, {size:,.0f} MiB"
        )
    noted = [(clip.name, clip.note) for clip in manifest.clips if clip.note]
    for what, pairs in (("left out", manifest.left_out), ("note", noted)):
        lines += [printable(f"{what}: {with_name(name, text)}") for name, text in pairs[:MOST_SHOWN]]
        if len(pairs) > MOST_SHOWN:
            lines.append(f"{what}: {len(pairs) - MOST_SHOWN:,} more, all in {out / 'manifest.json'}")
    if shared := manifest.shared_content():
        lines.append(
            f"{len(shared):,} clips stand in several parts with the same content, e.g. {printable(' and '.join(shared[0]))}"
        )
    trained = "train" if len(manifest.parts) > 1 else manifest.parts[0]
    lines.append(f"train with: --data {out}" + (f"  (its part {trained})" if len(manifest.parts) > 1 else ""))
    return lines
