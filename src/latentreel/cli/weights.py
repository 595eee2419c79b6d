"""`latentreel weights show|import|export|push|pull`: look into weights, and carry them between formats and machines."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from latentreel.cli.arguments import run_action
from latentreel.core.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from latentreel.image_generators.build import Network

SHEET_PICTURES = 32


@dataclass(frozen=True, kw_only=True)
class ShowConfig:
    """Says what a weight file or bundle is: format, networks, sizes, parameters, licence."""

    source: Annotated[str, tyro.conf.Positional]
    """A bundle, a run's folder, a foreign checkpoint (.pt, .pth, .pkl), or the name of a model that ships."""

    sheet: Path | None = None
    """Also draw pictures of it into this .png: of each class one row, of at most 32, if there are classes."""

    truncation: float = 1.0
    """Of the pictures on the sheet: 1 as drawn, smaller values plainer."""


@dataclass(frozen=True, kw_only=True)
class ImportConfig:
    """Turns a foreign checkpoint into a bundle: an image generator, a StyleGAN-V or, with --motion and --basis, a MoCoGAN-HD."""

    source: Annotated[str, tyro.conf.Positional]
    """A StyleGAN2 g_ema state dict, a network pickle (of a StyleGAN-V, too), or a BigGAN-PyTorch state dict."""

    out: Path
    """The bundle's folder."""

    motion: Path | None = None
    """A released motion generator (modelR_*.pth)."""

    basis: Path | None = None
    """The folder with the release's pca_comp.npy and pca_stdev.npy."""

    step_size: float = 0.2
    """lambda of Eq. 2, which the released files do not say."""

    frame_step: int = 2
    """Every how many-th frame of its training videos the model saw, which the released files do not say."""

    video_fps: float = 25.0
    """Frames per second of those videos; a generated clip has video_fps / frame_step."""

    origin: str | None = None
    """Where the weights come from; by default the file's name and format."""

    licence: str | None = None
    """Under which terms they stand; goes into the card. By default what the source says."""

    network: Literal["G_ema", "G"] | None = None
    """Which generator of a network pickle; by default the averaged one if it is there."""

    def __post_init__(self) -> None:
        if (self.motion is None) != (self.basis is None):
            raise InputError("a released model needs both --motion and --basis", given="one of them")


@dataclass(frozen=True, kw_only=True)
class ExportConfig:
    """Writes a bundle as other programs read it: a g_ema state dict, a BigGAN state dict, or all files of a MoCoGAN-HD."""

    source: Annotated[str, tyro.conf.Positional]
    """A bundle, a run's folder, or the name of a model that ships."""

    out: Path
    """A file (.pt, .pth) for the image generator; a new folder for all files of a MoCoGAN-HD, of a run the discriminators too."""

    drop_clamp: bool = False
    """Leave out a StyleGAN2's conv_clamp, for which these formats have no place; pictures differ where an activation reaches it."""


@dataclass(frozen=True, kw_only=True)
class PushConfig:
    """Uploads a bundle to the Hugging Face hub."""

    source: Annotated[str, tyro.conf.Positional]
    """A bundle or a run's folder."""

    repository: Annotated[str, tyro.conf.Positional]
    """user/name; made if it does not exist."""

    private: bool = False
    """Make a new repository private."""


@dataclass(frozen=True, kw_only=True)
class PullConfig:
    """Downloads a bundle from the Hugging Face hub. (Every command also takes hf://user/name where it takes a bundle.)"""

    repository: Annotated[str, tyro.conf.Positional]
    """user/name."""

    out: Path
    """The folder to write it to."""

    revision: str | None = None
    """A branch, tag or commit; by default the newest."""


def show(config: ShowConfig) -> None:
    """Prints what the source is, and draws the sheet."""
    from latentreel.checkpoints.describe import describe
    from latentreel.cli.progress import console
    from latentreel.media.contact_sheet import save_image

    found = describe(config.source)
    if config.sheet is not None and found.image_generator is None:
        raise InputError(f"{config.source} holds no image generator to draw with", fix="leave out --sheet")
    console.print(f"format      {found.format}\nlicence     {found.licence}\norigin      {found.origin}", soft_wrap=True)
    for part in found.parts:
        console.print(f"\n{part.name}: {part.kind}, {part.parameters:,} parameters", soft_wrap=True)
        if part.licence not in (None, found.licence):
            console.print(f"  {'licence':<28}{part.licence}", soft_wrap=True)
        for name, value in part.sizes.items():
            console.print(f"  {name:<28}{value}", soft_wrap=True)
    if config.sheet is not None and found.image_generator is not None:
        console.print(f"\n{save_image(config.sheet, _sheet(found.image_generator, config.truncation))}", soft_wrap=True)


def import_(config: ImportConfig) -> None:
    """Reads, checks, writes a bundle."""
    from latentreel.checkpoints.bundle import save_image_generator, save_stylegan_v
    from latentreel.checkpoints.load import load_generator
    from latentreel.cli.progress import console
    from latentreel.pipelines.mocogan_hd_release import import_mocogan_hd
    from latentreel.stylegan_v.generator import StyleGANVGenerator

    if config.motion is not None and config.basis is not None:
        pipe = import_mocogan_hd(
            image_generator=config.source,
            motion=config.motion,
            basis=config.basis,
            step_size=config.step_size,
            frame_step=config.frame_step,
            video_fps=config.video_fps,
        )
        origin = config.origin or f"{config.motion.name}, a motion generator of the MoCoGAN-HD release"
        licence = config.licence or pipe.image_generator.provenance["licence"]
        pipe.image_generator.provenance["licence"] = licence
        pipe.save(config.out, origin=origin, licence=licence)
    else:
        generator = load_generator(config.source, network=config.network)
        origin, licence = config.origin or generator.provenance["origin"], config.licence or generator.provenance["licence"]
        if isinstance(generator, StyleGANVGenerator):
            save_stylegan_v(generator, config.out, origin=origin, licence=licence)
        else:
            save_image_generator(generator, config.out, origin=origin, licence=licence)
    console.print(str(config.out), soft_wrap=True)


def export(config: ExportConfig) -> None:
    """Writes the files, prints their paths."""
    import torch

    from latentreel.checkpoints.load import exporter_of, load_image_generator
    from latentreel.cli.progress import console
    from latentreel.core.files import atomic_path
    from latentreel.pipelines.mocogan_hd_pipeline import MoCoGANHDPipeline
    from latentreel.pipelines.mocogan_hd_release import export_mocogan_hd
    from latentreel.training.starting_weights import trained_discriminators

    if config.out.suffix not in (".pt", ".pth"):
        pipe = MoCoGANHDPipeline.load(config.source)
        discriminators = trained_discriminators(Path(config.source))
        for path in export_mocogan_hd(pipe, config.out, discriminators=discriminators, drop_clamp=config.drop_clamp):
            console.print(str(path), soft_wrap=True)
        return
    generator = load_image_generator(config.source)
    content = exporter_of(generator).export_generator(generator, drop_clamp=config.drop_clamp)
    with atomic_path(config.out) as temporary:
        torch.save(content, temporary)
    console.print(str(config.out), soft_wrap=True)


def push(config: PushConfig) -> None:
    """Uploads, prints the address."""
    from latentreel.checkpoints.hub import push_bundle
    from latentreel.checkpoints.load import find_bundle
    from latentreel.cli.progress import console

    folder = find_bundle(config.source)
    if folder is None:
        raise InputError("there is no such bundle", given=config.source, allowed="a bundle or a run's folder")
    console.print(push_bundle(folder, config.repository, private=config.private), soft_wrap=True)


def pull(config: PullConfig) -> None:
    """Downloads, copies out of the cache, prints the folder."""
    import shutil

    from latentreel.checkpoints.bundle import CARD, read_card, require_free
    from latentreel.checkpoints.hub import pull_bundle
    from latentreel.cli.progress import console
    from latentreel.core.files import atomic_path

    require_free(config.out)
    cached = pull_bundle(config.repository, revision=config.revision)
    with atomic_path(config.out) as temporary:
        temporary.mkdir()
        for name in (CARD, *read_card(cached)["files"]):  # the cache may hold other files of the repository, and holds links
            shutil.copyfile(cached / name, temporary / name)
    console.print(str(config.out), soft_wrap=True)


ACTIONS: dict[str, tuple[type[Any], Callable[[Any], None]]] = {
    "show": (ShowConfig, show),
    "import": (ImportConfig, import_),
    "export": (ExportConfig, export),
    "push": (PushConfig, push),
    "pull": (PullConfig, pull),
}


def run(arguments: list[str]) -> None:
    """Dispatches to the action."""
    run_action("weights", ACTIONS, arguments)


def _sheet(generator: "Network", truncation: float) -> "npt.NDArray[np.uint8]":
    import torch

    from latentreel.cli.progress import counting
    from latentreel.core.pixels import to_uint8
    from latentreel.media.contact_sheet import contact_sheet
    from latentreel.sampling.latents import content_latents

    columns = 8
    rows = min(generator.num_classes, SHEET_PICTURES) if generator.num_classes else SHEET_PICTURES // columns
    pictures = []
    with counting("drawing") as progress, torch.no_grad():
        for row in range(rows):
            labels = torch.full([columns], row) if generator.num_classes else None
            seeds = list(range(columns)) if generator.num_classes else list(range(row * columns, (row + 1) * columns))
            w = content_latents(generator, seeds, labels=labels, truncation=truncation)
            images = generator.synthesize(w, labels=labels)
            pictures.append(to_uint8(images))
            progress(row + 1, rows)
    return contact_sheet(pictures, columns=columns)
