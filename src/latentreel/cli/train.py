"""`latentreel train image|motion|stylegan-v PRESET [--field value ...]`."""

import contextlib
import dataclasses
import sys
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from latentreel.core.config import load_yaml
from latentreel.core.errors import InputError
from latentreel.core.files import atomic_path, removed_if_empty, require_writable, sole_user
from latentreel.core.text import printable, with_name
from latentreel.training.config import RunConfig
from latentreel.training.image_config import ImageTrainingConfig
from latentreel.training.motion_config import MotionTrainingConfig
from latentreel.training.presets import FAMILIES, default_out
from latentreel.training.stylegan_v_config import StyleGANVTrainingConfig

if TYPE_CHECKING:
    from accelerate import Accelerator

    from latentreel.data.clip_sampling import ClipSampler, FramePlacement
    from latentreel.data.frame_store import FrameStore
    from latentreel.data.streamed_clips import StreamedClips
    from latentreel.metrics.extractors.extractor import Extractor
    from latentreel.training.loop import Family
    from latentreel.training.scores import Scorer
    from latentreel.training.state import TrainState

HELD_OUT = "held_out.txt"  # in a run's folder

USAGE = """usage: latentreel train image|motion|stylegan-v PRESET [--field value ...]
       latentreel train image|motion|stylegan-v --config FILE [--field value ...]

Trains on a folder of videos or frame folders, for image generators also of images, or on a procedural world. Running the same
command again resumes. `latentreel train image PRESET --help` lists the fields.

presets:
"""

MOST_TOLD = 5
"""Items that were left out and are named on screen."""


def run(arguments: list[str]) -> None:
    """Parses, trains, says where things are."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE + "\n".join(f"  {family:<11} {', '.join(presets)}" for family, presets in FAMILIES.items()))
        return
    config = parse_config(arguments)
    require_inputs(config)
    with removed_if_empty(config.out):
        _run(config)


def _run(config: RunConfig) -> None:
    require_writable(config.out)
    state = start(config)
    from latentreel.cli.progress import console

    console.print(f"done: {state.items} items in {state.seconds / 60:.1f} minutes")
    console.print(f"bundle: {config.out / 'bundle'}", soft_wrap=True)
    console.print(f"samples: {config.out / 'samples'}", soft_wrap=True)
    if config.score_items is not None:
        _print_best(config)


def parse_config(arguments: Sequence[str]) -> RunConfig:
    """The config that a command line asks for.

    Raises:
        InputError: The family, preset, file or a flag is wrong.
    """
    from latentreel.cli.arguments import parse

    family = arguments[0]
    if family not in FAMILIES:
        raise InputError("there is no such thing to train", given=family, allowed=", ".join(FAMILIES))
    presets = FAMILIES[family]
    if len(arguments) < 2:
        raise InputError("a preset is missing", allowed=", ".join(presets), fix=f"for example: latentreel train {family} debug")
    if arguments[1] == "--config":
        if len(arguments) < 3:
            raise InputError("--config needs a file", fix="for example: --config runs/mine/config.yaml")
        default, rest, command = (
            load_yaml(type(presets["debug"]), Path(arguments[2])),
            arguments[3:],
            f"train {family} --config FILE",
        )
    elif arguments[1] in ("-h", "--help"):
        default, rest, command = presets["debug"], ["--help"], f"train {family} PRESET"
    elif arguments[1] in presets:
        name = arguments[1]
        default, rest = dataclasses.replace(presets[name], out=default_out(family, name)), arguments[2:]
        command = f"train {family} {name}"
    else:
        raise InputError("there is no such preset", given=arguments[1], allowed=", ".join(presets))
    return parse(type(default), rest, command=command, default=default)


def require_inputs(config: RunConfig) -> None:
    """Raises if a field that the preset leaves open is still empty."""
    if not config.data:
        raise InputError("the preset brings no data", fix="give --data FOLDER (videos, frame folders) or --data world:faces")
    if isinstance(config, MotionTrainingConfig) and not config.image_generator and not config.start_from:
        raise InputError(
            "the preset brings no image generator", fix="give --image-generator BUNDLE (for example the run of `train image`)"
        )


def start(config: RunConfig) -> "TrainState":
    """Opens the data, builds the family, trains with a progress bar.

    Raises:
        InputError: Data, image generator or folder cannot be used.
    """
    from latentreel.training.distribution import start_accelerator

    accelerator = start_accelerator(config)
    with sole_user(config.out) if accelerator.is_main_process else contextlib.nullcontext():
        return _start(config, accelerator)


def _start(config: RunConfig, accelerator: "Accelerator") -> "TrainState":
    from latentreel.cli.progress import training
    from latentreel.training.loop import Interrupted, TrainingDiverged, open_folder, train

    if isinstance(config, MotionTrainingConfig):
        from latentreel.training.starting_weights import resolve

        config = resolve(config)
    open_folder(config, accelerator)
    judge = None if config.score_items is None else open_score_network(config, accelerator)
    family = build(config, accelerator)
    scorer = None if judge is None else build_scorer(config, family, judge)
    try:
        with _told_once(), training(f"training in {config.out}", config) as on_step:
            state = train(family, on_step=on_step, scorer=scorer)
        accelerator.wait_for_everyone()  # no process leaves while another still talks to it
        return state
    except Interrupted as stop:
        if accelerator.is_main_process:
            print(f"latentreel: {stop}", file=sys.stderr)
        sys.exit(128 + stop.signal_number)
    except TrainingDiverged as error:
        print(f"latentreel: error: {error}", file=sys.stderr)
        sys.exit(1)
    finally:
        with contextlib.suppress(OSError):  # a tracker that could not write has said so already
            accelerator.end_training()


@contextlib.contextmanager
def _told_once() -> Iterator[None]:
    """That the disk is full is told by the thread that trains; those of the trackers stay silent about it."""
    before = threading.excepthook

    def hook(error: threading.ExceptHookArgs) -> None:
        if not isinstance(error.exc_value, OSError):
            before(error)

    threading.excepthook = hook
    try:
        yield
    finally:
        threading.excepthook = before


def build(config: RunConfig, accelerator: "Accelerator") -> "Family":
    """The family that a config trains, with its data."""
    if isinstance(config, ImageTrainingConfig):
        return _build_image(config, accelerator)
    if isinstance(config, StyleGANVTrainingConfig):
        return _build_stylegan_v(config, accelerator)
    assert isinstance(config, MotionTrainingConfig)
    return _build_motion(config, accelerator)


def _build_image(config: ImageTrainingConfig, accelerator: "Accelerator") -> "Family":
    from latentreel.training.image import ImageTraining, network_config

    network_config(config)  # refuses impossible sizes before any data is decoded
    sampler = _open_clips(config, config.resolution, accelerator, num_frames=1)
    return ImageTraining(config, sampler, accelerator)


def _build_motion(config: MotionTrainingConfig, accelerator: "Accelerator") -> "Family":
    from latentreel.checkpoints.load import load_image_generator
    from latentreel.cli.progress import counting
    from latentreel.training.mocogan_hd import MotionTraining
    from latentreel.training.starting_weights import open_basis
    from latentreel.training.state import saved_states

    generator = load_image_generator(config.image_generator)
    sampler = _open_clips(
        config,
        generator.resolution,
        accelerator,
        num_frames=config.num_frames,
        frame_step=config.frame_step,
        clip_seconds=config.clip_seconds,
    )
    generator.to(accelerator.device)
    with accelerator.main_process_first(), counting("latent basis") as progress:
        anew = accelerator.is_main_process and not saved_states(config.out / "state")
        basis = open_basis(config, generator, anew=anew, progress=progress)
    return MotionTraining(config, sampler, accelerator, image_generator=generator, basis=basis)


def _build_stylegan_v(config: StyleGANVTrainingConfig, accelerator: "Accelerator") -> "Family":
    from latentreel.data.clip_sampling import ClipSampler
    from latentreel.stylegan_v.discriminator import StyleGANVDiscriminator
    from latentreel.stylegan_v.generator import StyleGANVGenerator
    from latentreel.training.image_start import start_from_images
    from latentreel.training.state import saved_states
    from latentreel.training.stylegan_v import StyleGANVTraining, discriminator_config, frame_sampling, generator_config

    # What is impossible is refused before any data is decoded.
    sizes, judged, placement = generator_config(config), discriminator_config(config), frame_sampling(config)
    if config.image_generator is not None and not config.conditional and not saved_states(config.out / "state"):
        start_from_images(StyleGANVGenerator(sizes), StyleGANVDiscriminator(judged), config.image_generator)
    sampler = _open_clips(config, config.resolution, accelerator, num_frames=config.num_frames, placement=placement)
    assert isinstance(sampler, ClipSampler)
    return StyleGANVTraining(config, sampler, accelerator)


def open_score_network(config: RunConfig, accelerator: "Accelerator") -> "Extractor":
    """What sees the clips that a run is scored by; refused before any data is decoded.

    Raises:
        InputError: There is no such network, or it would be given images and looks at clips.
    """
    from latentreel.checkpoints.feature_networks import load_extractor

    with accelerator.local_main_process_first():
        extractor = load_extractor(config.score_network, device=accelerator.device)
    if isinstance(config, ImageTrainingConfig) and extractor.looks_at == "clips":
        problem, given = "score_network looks at clips, and an image generator makes none", config.score_network
        raise InputError(problem, given=given, allowed="networks that look at frames, for example worlds-frames")
    return extractor


def build_scorer(config: RunConfig, family: "Family", extractor: "Extractor") -> "Scorer":
    """Scores of a run's bundles, as `latentreel evaluate` takes them in fp32, against the run's own data.

    Motion generators are judged by clips as the run trains on, a StyleGAN-V by clips of its own choice, image generators by frames.
    """
    from latentreel.cli.progress import console
    from latentreel.core.precision import set_precision
    from latentreel.data.clip_sampling import ClipSampler
    from latentreel.metrics.protocols import LATENTREEL, altered
    from latentreel.pipelines.clip_collections import StoredClips, open_clips
    from latentreel.pipelines.evaluation import evaluate

    accelerator, sampler = family.accelerator, family.sampler
    assert isinstance(sampler, ClipSampler), "streamed data cannot be scored"
    lengths = {"num_frames": sampler.num_frames, "frame_step": sampler.usual_step}
    if isinstance(config, StyleGANVTrainingConfig):  # it trains on sparse frames
        lengths = {"num_frames": config.score_frames, "frame_step": 1}
    protocol = altered(LATENTREEL, num_clips=config.score_clips, size=sampler.store.resolution, **lengths)
    real = StoredClips(config.data_name, sampler.store)
    told: set[str] = set()

    def score(bundle: Path) -> dict[str, float]:
        set_precision("fp32")
        fake = open_clips(bundle, protocol, device=accelerator.device)
        result = evaluate(real, fake, protocol, extractor, seed=config.seed, with_interval=False, accelerator=accelerator)
        for warning in sorted(set(result.warnings) - told):
            console.print(f"note: {warning}", soft_wrap=True)
        told.update(result.warnings)
        return {_plain(name): score.value for name, score in result.scores.items()}

    return score


def _plain(name: str) -> str:
    """A score's name as flags and the journal have it, e.g. "frechet_distance"."""
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower().replace(" ", "_")


def _print_best(config: RunConfig) -> None:
    from latentreel.cli.progress import console
    from latentreel.training.scores import BEST, read_best

    best = read_best(config.out)
    if best is not None:
        console.print(f"best: {config.out / BEST} ({best.score} {best.value:.4g}, {best.items} items)", soft_wrap=True)


def _open_clips(
    config: RunConfig,
    resolution: int,
    accelerator: "Accelerator",
    *,
    num_frames: int,
    frame_step: int = 1,
    clip_seconds: float | None = None,
    placement: "FramePlacement | None" = None,
) -> "ClipSampler | StreamedClips":
    """What clips are drawn from: a store of all frames, or shards as they are read."""
    from latentreel.data.clip_sampling import ClipSampler
    from latentreel.training.sources import is_streamed, open_streamed

    if is_streamed(config):
        if placement is not None:
            raise InputError("sparse frames need the data on disk, and it is streamed", fix="download it")
        if clip_seconds is not None:
            raise InputError("clips of one duration need the data on disk, and it is streamed", fix="use --frame-step")
        rank, world_size = accelerator.process_index, accelerator.num_processes
        sizes = {"resolution": resolution, "num_frames": num_frames, "frame_step": frame_step}
        return open_streamed(config, rank=rank, world_size=world_size, **sizes)
    return ClipSampler(
        _open_data(config, resolution, accelerator),
        num_frames=num_frames,
        frame_step=frame_step if clip_seconds is None else 1,
        clip_seconds=clip_seconds,
        placement=placement,
        seed=config.seed,
        mirror=config.mirror,
        weighting=config.weighting,
    )


def _open_data(config: RunConfig, resolution: int, accelerator: "Accelerator") -> "FrameStore":
    from latentreel.cli.progress import console, counting, left_out_told_here
    from latentreel.training.sources import hold_out, open_training_data

    expect: Literal["images", "videos"] = "images" if isinstance(config, ImageTrainingConfig) else "videos"
    turn = accelerator.local_main_process_first()  # each machine has its own cache
    with turn, left_out_told_here(), counting("preparing data") as progress:
        store = open_training_data(config, resolution=resolution, expect=expect, progress=progress)
    for name, reason in store.problems[:MOST_TOLD]:
        console.print(f"left out: {printable(with_name(name, reason))}", soft_wrap=True)
    if len(store.problems) > MOST_TOLD:
        console.print(f"left out: {len(store.problems) - MOST_TOLD:,} more, all named by latentreel data check")
    store, rest = hold_out(store, config)
    if rest and accelerator.is_main_process:
        with atomic_path(require_writable(config.out) / HELD_OUT) as temporary:
            temporary.write_text("".join(f"{name}\n" for name in rest))
    told = f", {len(rest)} held out ({config.out / HELD_OUT})" if rest else ""
    console.print(f"data: {len(store.names)} items, {store.lengths.sum()} frames, {store.resolution} px{told}", soft_wrap=True)
    return store
