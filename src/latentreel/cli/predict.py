"""`latentreel predict MODEL --image FILE | --video FILE`: how a picture or the beginning of a video goes on (Sec. 4.1, Tab. 3)."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentreel.cli.arguments import parse
from latentreel.cli.inversion_config import (
    InversionConfig,
    open_distance,
    open_model,
    search_settings,
    square_frames,
    square_picture,
)
from latentreel.core.errors import InputError

if TYPE_CHECKING:
    from latentreel.pipelines.prediction_scores import PredictionScores


@dataclass(frozen=True, kw_only=True)
class PredictConfig(InversionConfig):
    """Goes on from a picture, or from the beginning of a video: inverts it, and lets the motion generator walk on.

    Writes the samples, sheet.png and latent.safetensors; with --video also scores.json: PSNR and SSIM against what really came,
    beside the bound that inversion sets and plain baselines.
    """

    image: Path | None = None
    """A picture to go on from."""

    video: Path | None = None
    """A video to go on from, whose later frames say how right the prediction is. It comes at the model's frame rate."""

    frames: int = 16
    """Frames of a prediction, the given ones among them."""

    given_frames: int = 1
    """Frames of the video that the model is given; the paper's is 1. With more, motion goes on as it was."""

    motion_seeds: tuple[int, ...] = (0, 1, 2, 3)
    """Motions: each seed is another way to go on."""

    hold: float = 0.0625
    """Past the 16th frame, the share of its way to the first latent that each latent is led back, as by `latentreel generate`."""

    out: Path = Path("runs/predict")
    """A folder."""

    def __post_init__(self) -> None:
        if (self.image is None) == (self.video is None):
            raise InputError("prediction goes on from one thing", allowed="either --image or --video")
        if self.frames < 3:
            raise InputError("frames is out of range", given=self.frames, allowed="3 or more")
        if not self.motion_seeds or len(set(self.motion_seeds)) < len(self.motion_seeds):
            given = " ".join(map(str, self.motion_seeds)) or "none"
            raise InputError("every motion is another seed", given=given, allowed="one seed or more, each once")
        if not 1 <= self.given_frames <= (self.frames - 1 if self.video else 1):
            allowed = f"1 to {self.frames - 1}" if self.video else "1 for a picture"
            raise InputError("given_frames is out of range", given=self.given_frames, allowed=allowed)
        if not 0 <= self.hold <= 1:
            raise InputError("hold is out of range", given=self.hold, allowed="0 (plain recursion) to 1")


def run(arguments: list[str]) -> None:
    """Parses, predicts, prints scores and paths."""
    config = parse(PredictConfig, arguments, command="predict")
    from latentreel.checkpoints.recordings import save_latent
    from latentreel.cli.invert import picture_writer
    from latentreel.cli.progress import console, steps
    from latentreel.core.files import removed_if_empty, require_writable
    from latentreel.core.video import Video
    from latentreel.media.contact_sheet import contact_sheet, save_image
    from latentreel.media.encode import save_video
    from latentreel.metrics.frame_quality import frame_quality
    from latentreel.pipelines.driving import driving_motion
    from latentreel.pipelines.prediction import Lookahead, predict
    from latentreel.pipelines.prediction_scores import compare_prediction

    pipe = open_model(config)
    settings, distance = search_settings(config, pipe.image_generator), open_distance(config, pipe)
    if config.video is not None:
        real = square_frames(config.video, pipe, at_least=config.frames, at_most=config.frames)
        frame_quality(real[:1], real[:1])  # fails now where it would fail in the end
    else:
        assert config.image is not None
        real = square_picture(config.image, pipe.image_generator.resolution)[None]
    ahead, comparison = Lookahead(config.frames, config.motion_seeds, config.given_frames, config.hold), None
    with removed_if_empty(config.out), steps() as progress:
        require_writable(config.out)
        made = predict(
            pipe,
            real,
            ahead,
            settings,
            label=config.label,
            distance=distance,
            progress=progress,
            on_picture=picture_writer(config.out / "reached.png"),
        )
        if config.video is not None:
            followed = driving_motion(
                pipe,
                real,
                made.first.latent,
                distance=distance,
                progress=lambda done, total: progress("inverting every frame", done, total),
            )
            comparison = compare_prediction(pipe, made, real, followed, given_frames=config.given_frames)
    _clear(config.out)
    rows = list(made.samples) if comparison is None else list(comparison.clips.values())
    paths = [
        save_video(Video(sample, pipe.fps), config.out / f"motion{seed:04d}.mp4")
        for seed, sample in zip(config.motion_seeds, made.samples, strict=True)
    ]
    paths += [
        save_image(config.out / "sheet.png", contact_sheet(rows)),
        save_image(config.out / "reached.png", made.first.picture),
    ]
    save_latent(made.first.latent, config.out / "latent.safetensors")
    if comparison is not None:
        console.print(_table(comparison.scores))
        if config.given_frames == 1:
            console.print("the linear extrapolation has seen the second frame, too")
        console.print(f"rows of the sheet: {'; '.join(comparison.clips)}", soft_wrap=True)
        paths.append(_save(comparison.scores, config))
    for path in (*paths, config.out / "latent.safetensors"):
        console.print(str(path), soft_wrap=True)


def _clear(out: Path) -> None:
    """Removes what an earlier run of this command wrote, so that no old score or sample lies beside the new ones."""
    names = ("scores.json", "sheet.png", "reached.png", "latent.safetensors", "motion[0-9][0-9][0-9][0-9]*.mp4")
    for path in (path for name in names for path in out.glob(name)):
        if path.is_file():
            path.unlink()


def _save(scores: "PredictionScores", config: PredictConfig) -> Path:
    from latentreel.core.files import atomic_path

    means = {name: {"psnr": psnr, "ssim": ssim} for name, (psnr, ssim) in scores.means().items()}
    told = {name: str(value) if isinstance(value, Path) else value for name, value in vars(config).items()}
    with atomic_path(config.out / "scores.json") as temporary:
        temporary.write_text(json.dumps({"settings": told, "means": means, **dataclasses.asdict(scores)}, indent=2) + "\n")
    return config.out / "scores.json"


def _table(scores: "PredictionScores") -> Any:
    from rich.table import Table

    table = Table(title=f"from {scores.given_frames} given frame{'s' if scores.given_frames > 1 else ''}")
    table.add_column("")
    for column in ("PSNR", "first", "last", "SSIM", "first", "last"):
        table.add_column(column, justify="right")
    for name, (psnr, ssim) in scores.means().items():
        p, s = scores.psnr[name], scores.ssim[name]
        table.add_row(name, f"{psnr:.2f}", f"{p[0]:.2f}", f"{p[-1]:.2f}", f"{ssim:.3f}", f"{s[0]:.3f}", f"{s[-1]:.3f}")
    return table
