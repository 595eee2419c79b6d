"""`latentreel report SOURCE`: one page that shows a run, an evaluation, or what a model or a folder of videos holds."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from latentreel.cli.arguments import parse, without_effect
from latentreel.core.errors import InputError

if TYPE_CHECKING:
    from latentreel.report.clip_selection import Progress
    from latentreel.report.page import Page

SOURCES = "a run's folder, results of latentreel evaluate (.json), a model, or a folder or an archive of videos"

LOOKED_AT = {
    "a run": (),
    "an evaluation": ("clips",),
    "a model": ("seeds", "frames", "long_frames", "truncation"),
    "an image generator": ("seeds", "truncation"),
    "a collection of videos": (),
}
"""Which flags mean something for which kind of source."""


@dataclass(frozen=True, kw_only=True)
class ReportConfig:
    """Writes one HTML page that opens from the disk without a network, videos and all, on a phone as on a desk.

    What the source is shows in its content. A run's folder: samples, curves, settings. A result of `latentreel evaluate`: scores
    and all they depend on; several of one protocol stand side by side. A bundle or the name of a model that ships: a gallery. A
    folder or an archive of videos: some of them. (A preference study of two models is `latentreel compare`.)
    """

    sources: Annotated[tuple[str, ...], tyro.conf.Positional]
    """A run's folder, one or more .json files of evaluations, a model, or a folder of videos."""

    out: Path = Path("runs/report.html")
    """The page to write."""

    clips: tuple[Path, ...] = ()
    """Of evaluations: for each the folder of the clips that were judged, to be looked at."""

    seeds: tuple[int, ...] = tuple(range(8))
    """Of models: the contents to show."""

    frames: int = 16
    """Of models: frames of a clip."""

    long_frames: int = 96
    """Of models: frames of the two long clips; 0 leaves them out."""

    truncation: float = 1.0
    """Of models: 1 leaves contents as drawn; smaller values are plainer and cleaner."""

    device: Literal["auto", "cpu"] = "auto"
    """Of models: auto takes the accelerator if there is one."""

    def __post_init__(self) -> None:
        if not self.sources:
            raise InputError("there is nothing to report on", allowed=SOURCES)
        if self.out.suffix not in (".html", ".htm"):
            raise InputError("the page needs another suffix", given=self.out.name, allowed=".html")


def run(arguments: list[str]) -> None:
    """Finds out what the source is, writes the page, prints its path."""
    config = parse(ReportConfig, arguments, command="report")
    from latentreel.cli.progress import console, counting
    from latentreel.core.files import removed_if_empty, require_writable
    from latentreel.report.page import write_page

    with removed_if_empty(config.out.parent):
        require_writable(config.out.parent)
        with counting("gathering") as progress:
            kind, page = _page(config, progress)
        path = write_page(page, config.out)
    unused = [name for name in ("clips", "seeds", "frames", "long_frames", "truncation") if name not in LOOKED_AT[kind]]
    for note in without_effect(config, unused, kind):
        console.print(note)
    console.print(f"{path} ({path.stat().st_size / 2**20:.1f} MiB)", soft_wrap=True)


def _page(config: ReportConfig, progress: "Progress") -> "tuple[str, Page]":
    """The kind of the source, and its page.

    Raises:
        InputError: It is of no kind that is known, or cannot be read.
    """
    from latentreel.report.run_report import is_run, run_report

    paths = [Path(source) for source in config.sources]
    if all(path.suffix == ".json" and path.is_file() for path in paths):
        from latentreel.report.evaluation_report import evaluation_report

        return "an evaluation", evaluation_report(paths, clips=config.clips, progress=progress)
    if len(paths) > 1:
        fix = "of everything but evaluations a page shows one"
        raise InputError("these cannot stand on one page", given=", ".join(config.sources), allowed="several .json", fix=fix)
    source, path = config.sources[0], paths[0]
    if is_run(path):
        return "a run", run_report(path)
    return _gallery(source, path, config, progress)


def _gallery(source: str, path: Path, config: ReportConfig, progress: "Progress") -> "tuple[str, Page]":
    from accelerate import Accelerator

    from latentreel.checkpoints.bundle import read_card
    from latentreel.checkpoints.load import find_bundle, load_image_generator, shipped_names
    from latentreel.pipelines.video_pipeline import VideoPipeline
    from latentreel.report.gallery_report import GalleryContents, folder_gallery, model_gallery, picture_gallery

    bundle = find_bundle(source)
    if bundle is None and not path.exists():
        allowed = f"{SOURCES}; models that ship: {', '.join(shipped_names())}"
        raise InputError("there is no such file, folder or model to report on", given=source, allowed=allowed)
    if bundle is None:
        return "a collection of videos", folder_gallery(path, progress=progress)
    contents = GalleryContents(
        seeds=config.seeds, num_frames=config.frames, long_frames=config.long_frames, truncation=config.truncation
    )
    card, device = read_card(bundle), Accelerator(cpu=config.device == "cpu").device
    if card["kind"] == "image_generator":
        return "an image generator", picture_gallery(load_image_generator(source).to(device), source, contents, card=card)
    return "a model", model_gallery(VideoPipeline.load(source).to(device), source, contents, card=card, progress=progress)
