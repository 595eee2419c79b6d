"""From a source and a few choices, or a dataset's recipe, to the plan of a packing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from latentreel.core.errors import InputError
from latentreel.data.clip_decoding import FrameClip
from latentreel.data.face_boxes import MARGIN, Boxes, CroppedClip, Detector, detect, load_detector
from latentreel.data.framing import Fit
from latentreel.data.packed_frames import WHOLE, is_packed, packed_parts
from latentreel.data.packing import Cut, PackingPlan, PlannedClip
from latentreel.data.recipe import ByGroup, Parts, Recipe
from latentreel.data.recipes import find_recipe
from latentreel.data.source_items import Expect, SourceItem
from latentreel.data.sources import open_source
from latentreel.media.limits import DEFAULT_LIMITS, DecodeLimits

DEFAULT_RESOLUTION = 128


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """What a user chooses; empty fields are the recipe's to say, or the defaults'."""

    recipe: str = ""
    """A dataset's name; empty: any folder."""

    resolution: int | None = None
    """Rows and columns; None: the recipe's, else 128."""

    fit: Fit = "crop"
    """What becomes of frames that are no squares."""

    expect: Expect | None = None
    """Videos or pictures; None: the recipe's, else videos."""

    shares: Mapping[str, float] = field(default_factory=dict)
    """Parts and their shares, in place of the recipe's division; empty: the recipe's, else one part."""

    group_by: str = "file"
    """What no division parts, as for `splits.split`."""

    seed: int = 0
    """Of the division."""

    classes: tuple[str, ...] = ()
    """Only these are taken; empty: all."""

    boxes: Path | None = None
    """A file of boxes: a square around each is cut out."""

    detector: str = ""
    """MODULE:FUNCTION that finds the boxes."""

    margin: float = MARGIN
    """As in `face_boxes`."""

    limits: DecodeLimits = DEFAULT_LIMITS
    """What a file may ask for."""

    whole_frames: bool = False
    """The centre square, though the recipe wants boxes."""

    def __post_init__(self) -> None:
        if self.boxes is not None and self.detector:
            raise InputError("boxes come from a file or from a detector", given="both", fix="leave one of them out")
        if self.whole_frames and (self.boxes is not None or self.detector):
            raise InputError("whole frames need no boxes", given="both", fix="leave one of them out")
        if not 0 <= self.margin <= 10:
            raise InputError("the margin is out of range", given=self.margin, allowed="0 to 10")


def plan_packing(path: Path | str, preparation: Preparation) -> PackingPlan:
    """Looks through a source, and says what becomes of each of its clips. Nothing is decoded.

    Raises:
        InputError: There is nothing to pack, a choice is not possible, or the source is not laid out as its recipe says.
    """
    recipe = find_recipe(preparation.recipe) if preparation.recipe else None
    expect = preparation.expect or (recipe.expect if recipe else "videos")
    root = Path(path)
    _refuse_parts(root)
    items = _items(path, expect, recipe, preparation.limits)
    names = [item.name for item in items]
    if recipe is None:
        labels = {item.name: item.label for item in items}
        parts: Parts = dict.fromkeys(names, WHOLE)
        told = ""
    else:
        chosen = recipe.choose(names, root)
        labels = {name: label for name, (_, label) in chosen.items()}
        parts, told = {name: part for name, (part, _) in chosen.items()}, recipe.split.told
    kept = [item for item in items if item.name in parts and _wanted(labels[item.name], preparation.classes)]
    if not kept:
        given, allowed = ", ".join(preparation.classes), ", ".join(sorted(set(labels.values()) - {""})) or "none has a class"
        raise InputError("no clip is of these classes", given=given, allowed=allowed)
    if preparation.shares:
        rule = ByGroup(preparation.group_by, preparation.shares, preparation.seed)
        parts, told = rule.parts([item.name for item in kept], root), rule.told
    cut, crop = _cut(preparation, recipe)
    default = recipe.resolution if recipe else DEFAULT_RESOLUTION
    return PackingPlan(
        source=root.resolve().name,
        resolution=default if preparation.resolution is None else preparation.resolution,
        fit=preparation.fit,
        expect=expect,
        clips=tuple(
            PlannedClip(item=item, part=parts[item.name], label=labels[item.name], cut=None if cut is None else cut(item))
            for item in kept
        ),
        recipe=preparation.recipe,
        terms=recipe.terms if recipe else "",
        crop=crop,
        split=told,
    )


def missing_clips(plan: PackingPlan) -> str:
    """What a dataset lacks, beside its recipe; empty where nothing is known to."""
    recipe = find_recipe(plan.recipe) if plan.recipe else None
    if recipe is None or len(plan.clips) >= recipe.count:
        return ""
    return f"{len(plan.clips):,} of the {recipe.count:,} clips of {recipe.title} are here"


def _refuse_parts(root: Path) -> None:
    """Raises for packed frames of several parts: of these a source is the training part alone, and the others would be lost."""
    if not is_packed(root):
        return
    parts = packed_parts(root)
    if len(parts) > 1:
        fix = f"name one of them, as {root / parts[0]}, or prepare from the source of {root}"
        raise InputError(f"{root} is packed already, in several parts", given=", ".join(parts), fix=fix)


def _items(path: Path | str, expect: Expect, recipe: Recipe | None, limits: DecodeLimits) -> Sequence[SourceItem]:
    try:
        return open_source(path, expect=expect, limits=limits).items
    except InputError:
        if recipe is None or not Path(path).is_dir():
            raise
        recipe.fail(Path(path))
        raise


def _wanted(label: str, classes: Sequence[str]) -> bool:
    return not classes or label in classes


def _cut(preparation: Preparation, recipe: Recipe | None) -> tuple[Callable[[SourceItem], Cut] | None, str]:
    """What is cut out of each clip, and its description."""
    if preparation.boxes is not None:
        boxes = Boxes(preparation.boxes)
        return partial(
            _given, boxes, preparation.margin
        ), f"boxes of {boxes.path.name} {boxes.digest[:12]}, margin {preparation.margin:g}"
    if preparation.detector:
        detector = load_detector(preparation.detector)
        return partial(
            _detected, detector, preparation.margin
        ), f"boxes of {preparation.detector}, margin {preparation.margin:g}"
    if recipe is not None and recipe.crop == "boxes" and not preparation.whole_frames:
        fix = "give --boxes FILE or --detector MODULE:FUNCTION, or --whole-frames for the centre square"
        raise InputError(f"{recipe.title} is cropped to faces, and where they are is not known", fix=fix)
    return None, ""


def _given(boxes: Boxes, margin: float, item: SourceItem) -> Cut:
    def cut(opened: Callable[[], FrameClip]) -> FrameClip:
        box = boxes.of(item.name)
        return CroppedClip(opened(), box, margin)

    return cut


def _detected(detector: Detector, margin: float, item: SourceItem) -> Cut:
    def cut(opened: Callable[[], FrameClip]) -> FrameClip:
        box = detect(item.open, detector)
        return CroppedClip(opened(), box, margin)

    return cut
