"""`latentreel evaluate --real A --fake B`: scores by a named protocol, in a file that says all they depend on."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from latentreel.cli.arguments import parse
from latentreel.core.errors import InputError

if TYPE_CHECKING:
    from latentreel.metrics.extractors.extractor import Extractor


COMPARE_HELP = """usage: latentreel evaluate compare A.json B.json ...

Results of one protocol, side by side; `latentreel report A.json B.json` gives them as a page. (What people prefer is asked by
another command, `latentreel compare`.)"""


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """Compares generated clips with real ones. `latentreel evaluate compare A.json B.json` lays results side by side.

    Each side is a model, an image generator (with --protocol fid50k), a folder of videos or of frames, a .npy or .safetensors file
    of clips, or "world:NAME".
    """

    real: str
    """The clips to compare with."""

    fake: str
    """The clips to be judged."""

    protocol: str = "latentreel"
    """Which clips are looked at, and at which size: latentreel, mocogan_hd_fvd, stylegan_v_fvd2048_16f, stylegan_v_fvd2048_128f,
    stylegan_v_fvd2048_128f_subsample8f, digan_fvd; fid50k for single pictures."""

    network: str = "worlds-clips"
    """What sees the clips: a network that ships (worlds-clips, worlds-frames), or a file: I3D, C3D, TorchScript, ONNX; hf://user/name/file."""

    looks_at: Literal["auto", "clips", "frames"] = "auto"
    """For TorchScript files: whether they take clips or frames."""

    out: Path = Path("runs/evaluation.json")
    """The file to write."""

    clips: int | None = None
    """Another number of clips than the protocol's; the result goes by another name then, as with the next three."""

    num_frames: int | None = None
    """Another length of clips."""

    frame_step: int | None = None
    """Another distance of neighbours in a clip, in frames."""

    size: int | None = None
    """Another size of frames: the centre square is brought to it."""

    paired: bool = False
    """Compare videos of the same name frame by frame as well: PSNR and SSIM, as for predictions."""

    lpips: Path | None = None
    """With --paired, LPIPS as well: a TorchScript archive, vgg16.pt of NVIDIA's StyleGAN3 metrics or a traced LPIPS."""

    known_truth: str = ""
    """For a model whose pictures are those of a procedural world: the world, such as faces. Measures identity and motion by the
    factors behind them; its motion is held against --real if that is a world, too."""

    batch_size: int = 1
    """Clips seen at once."""

    seed: int = 0
    """Fixes which clips, and the resampling."""

    interval: bool = True
    """Resample for a 95 % interval, where the protocol does not repeat."""

    precision: Literal["auto", "fp32", "bf16", "fp16"] = "fp32"
    """Number format of the network; published scores are of fp32."""

    device: Literal["auto", "cpu"] = "auto"
    """auto takes the accelerator if there is one."""


def run(arguments: list[str]) -> None:
    """Evaluates, or compares results."""
    if arguments and arguments[0] == "compare":
        if {"-h", "--help"} & set(arguments):
            print(COMPARE_HELP)
            return
        compare([Path(name) for name in arguments[1:]])
        return
    config = parse(EvaluateConfig, arguments, command="evaluate")
    from latentreel.core.files import removed_if_empty

    with removed_if_empty(config.out.parent):
        _evaluate(config)


def _evaluate(config: EvaluateConfig) -> None:
    from accelerate import Accelerator

    from latentreel.checkpoints.feature_networks import load_extractor
    from latentreel.cli.progress import console, steps
    from latentreel.core.files import require_writable
    from latentreel.core.precision import set_precision
    from latentreel.media.contact_sheet import save_image
    from latentreel.metrics.perceptual_distance import PerceptualDistance
    from latentreel.metrics.protocols import altered, protocol_named
    from latentreel.pipelines.clip_collections import WORLD, open_clips
    from latentreel.pipelines.evaluation import evaluate
    from latentreel.pipelines.model_clips import ModelClips
    from latentreel.pipelines.model_measures import measure_model

    require_writable(config.out.parent)
    set_precision(config.precision)
    accelerator = Accelerator(cpu=config.device == "cpu")
    changes = {"num_clips": config.clips, "num_frames": config.num_frames, "frame_step": config.frame_step, "size": config.size}
    protocol = altered(protocol_named(config.protocol), **changes)
    extractor = load_extractor(config.network, looks_at=config.looks_at, device=accelerator.device)
    lpips = PerceptualDistance(config.lpips, device=accelerator.device) if config.lpips else None
    with steps() as progress:
        real, fake = (
            open_clips(
                source, protocol, device=accelerator.device, progress=lambda done, total: progress("decoding", done, total)
            )
            for source in (config.real, config.fake)
        )
        result = evaluate(
            real,
            fake,
            protocol,
            extractor,
            seed=config.seed,
            batch_size=config.batch_size,
            with_interval=config.interval,
            paired=config.paired,
            lpips=lpips,
            accelerator=accelerator,
            progress=progress,
        )
        if not accelerator.is_main_process:
            return
        pictures = []
        if isinstance(fake, ModelClips):
            motion_world = config.real.removeprefix(WORLD) if config.real.startswith(WORLD) else ""
            measures = measure_model(
                fake.pipe,
                num_frames=protocol.num_frames,
                frame_step=protocol.frame_step,
                world=config.known_truth,
                motion_world=motion_world,
                progress=progress,
            )
            result = dataclasses.replace(result, scores=result.scores | measures.scores, variance=measures.variance)
            pictures.append(save_image(config.out.with_suffix(".diversity.png"), measures.diversity_sheet))
        elif config.known_truth:
            raise InputError("known truth is measured of models", given=config.fake, fix="leave --known-truth out")
    result.save(config.out)
    told = json.loads(config.out.read_text())
    console.print(_table([told]))
    for count, share in (result.variance or {}).items():
        console.print(f"first {count:>4} components of the latents: {100 * share:5.1f} % of their variance")
    for warning in result.warnings:
        console.print(f"note: {warning}", soft_wrap=True)
    if config.precision in ("bf16", "fp16") and str(extractor.dtype) in ("None", "torch.float32"):
        console.print(
            f"note: --precision {config.precision} changes nothing in {extractor.name}: {result.network['precision']}"
        )
    for line in published_lines(protocol.name, extractor):
        console.print(line)
    for path in (config.out, *pictures):
        console.print(str(path), soft_wrap=True)


def published_lines(protocol: str, extractor: "Extractor") -> list[str]:
    """The papers' rows of a protocol, for networks that see what theirs saw."""
    from latentreel.metrics.published import published

    if "i3d" not in (extractor.name, getattr(extractor, "call", "")):
        return []
    return [
        f"published: {row.dataset}, {row.method}: {row.score} {row.value:g}"
        f"{'' if row.deviation is None else f' ± {row.deviation:g}'} ({row.source})"
        for row in published(protocol)
    ]


def compare(paths: list[Path]) -> None:
    """Prints results side by side.

    Raises:
        InputError: There are fewer than two, one is no result, or they may not be compared.
    """
    from latentreel.cli.progress import console
    from latentreel.pipelines.evaluation_result import compare_results, read_result

    if len(paths) < 2:
        raise InputError(
            "comparing takes two results or more", given=len(paths), fix="latentreel evaluate compare A.json B.json"
        )
    results = [read_result(path) for path in paths]
    compare_results(results)
    console.print(_table(results))


def _table(results: list[dict[str, Any]]) -> Any:
    from rich.table import Table

    from latentreel.pipelines.evaluation_result import real_text, score_text

    first = results[0]
    title = f"{first['protocol']['name']}, {first['network']['name']}, {first['fake']['num_clips']} clips"
    table = Table(title=title)
    table.add_column("score")
    for result in results:
        table.add_column(result["fake"]["name"], justify="right")
    table.add_column(f"real: {first['real']['name']}", justify="right")
    for name, score in first["scores"].items():
        cells = [score_text(result["scores"][name]) if name in result["scores"] else "" for result in results]
        table.add_row(name, *cells, real_text(score, first["fake"]["num_clips"]))
    return table
