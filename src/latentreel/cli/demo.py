"""`latentreel demo`: the main job on the embedded default, in minutes: train, generate, report."""

import dataclasses
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from latentreel.cli.arguments import parse
from latentreel.core.errors import InputError
from latentreel.training.presets import MOTION

if TYPE_CHECKING:
    from latentreel.pipelines.video_pipeline import VideoPipeline
    from latentreel.report.training_report import DemoResults
    from latentreel.training.motion_config import MotionTrainingConfig

TRUNCATION = 0.8  # of the shown contents: plainer, cleaner faces than at 1
PEOPLE = (1, 2, 3, 5, 6, 8, 9, 10)  # content seeds, chosen: of the first 24, 7 gained or lost glasses; the report says so
MORE_PEOPLE = (13, 14, 17, 20)
CONTENTS = (1, 6, 10, 9)
OTHERS = 8  # animals and skies, the first seeds


@dataclass(frozen=True, kw_only=True)
class DemoConfig:
    """Trains a motion generator for the image generator that ships, on a procedural world; then makes videos and a report."""

    out: Path = Path("runs/demo")
    """The folder for everything. Running again with the same folder resumes an interrupted training."""

    minutes: float = 2.0
    """Training time."""

    seed: int = 0
    """Everything random follows from it."""

    def __post_init__(self) -> None:
        if not self.minutes > 0:
            raise InputError("minutes is out of range", given=self.minutes, allowed="above 0")


def run(arguments: list[str]) -> None:
    """Trains, generates, writes the report, prints the paths."""
    config = parse(DemoConfig, arguments, command="demo")
    from latentreel.cli.progress import console
    from latentreel.cli.train import start
    from latentreel.core.files import require_writable
    from latentreel.pipelines.video_pipeline import VideoPipeline
    from latentreel.report.page import write_page
    from latentreel.report.training_report import training_report

    require_writable(config.out)
    recipe = dataclasses.replace(MOTION["demo"], out=config.out / "training", minutes=config.minutes, seed=config.seed)
    timings: dict[str, float] = {}
    with _timed(timings, "data, latent basis, training"):
        start(recipe)
    with _timed(timings, "generating videos"):
        shipped, trained = VideoPipeline.load(recipe.image_generator), VideoPipeline.load(recipe.out)
        results = _gather(config, recipe, shipped, trained, timings)
    report = write_page(training_report(results), config.out / "report.html")
    for what, path in results.videos.items():
        console.print(f"{what}: {path}", soft_wrap=True)
    console.print(f"report: {report}", soft_wrap=True)


def _gather(
    config: DemoConfig,
    recipe: "MotionTrainingConfig",
    shipped: "VideoPipeline",
    trained: "VideoPipeline",
    timings: dict[str, float],
) -> "DemoResults":
    """Everything the report shows, and the MP4s beside it."""
    import numpy as np
    import torch

    import latentreel
    from latentreel.cli.progress import counting
    from latentreel.core.config import to_dict
    from latentreel.core.video import Video
    from latentreel.data.clip_sampling import ClipSampler
    from latentreel.media.contact_sheet import video_grid
    from latentreel.media.encode import save_video
    from latentreel.pipelines.galleries import clips_of
    from latentreel.pipelines.video_pipeline import VideoPipeline
    from latentreel.report.training_report import DemoResults
    from latentreel.training.journal import read_journal
    from latentreel.training.sources import open_training_data

    store = open_training_data(recipe, resolution=shipped.resolution, expect="videos")
    real = ClipSampler(store, num_frames=recipe.num_frames, frame_step=recipe.frame_step, seed=config.seed).batch(0, 4)
    animals, skies = VideoPipeline.load("creatures"), VideoPipeline.load("skies")
    wanted = {
        "eight people": (shipped, [(s, s) for s in PEOPLE]),
        "generated beside real": (shipped, [(s, s) for s in MORE_PEOPLE]),
        "one content, several motions": (shipped, [(s, m) for s in CONTENTS[:3] for m in range(4)]),
        "one motion, several contents": (shipped, [(s, m) for m in range(3) for s in CONTENTS]),
        "by the motion generator that ships": (shipped, [(s, s + 20) for s in PEOPLE]),
        "by the one just trained": (trained, [(s, s + 20) for s in PEOPLE]),
        "animals moved by people": (animals, [(s, s) for s in range(OTHERS)]),
        "skies": (skies, [(s, s) for s in range(OTHERS)]),
    }
    clips, videos = {}, {}
    with counting("generating videos") as progress:
        for done, (name, (pipe, pairs)) in enumerate(wanted.items(), start=1):
            clips[name] = clips_of(pipe, pairs, num_frames=recipe.num_frames, truncation=TRUNCATION)
            path = config.out / f"{name.replace(',', '').replace(' ', '_')}.mp4"
            save_video(Video(video_grid(list(clips[name]), columns=4), fps=shipped.fps), path)
            videos[name] = path
            progress(done, len(wanted))

    def rows(name: str) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
        return clips[name].reshape(3, 4, *clips[name].shape[1:])

    headline, beside, _, _, by_shipped, by_trained, creatures, drifting = clips.values()
    return DemoResults(
        headline=headline,
        real=real,
        generated=beside,
        one_content=rows("one content, several motions"),
        one_motion=rows("one motion, several contents"),
        shipped=by_shipped,
        trained=by_trained,
        creatures=creatures,
        skies=drifting,
        made_by="the motion generator that ships",
        fps=shipped.fps,
        journal=read_journal(recipe.out / "journal.jsonl"),
        timings=timings,
        config=to_dict(recipe),
        versions={
            "latentreel": latentreel.__version__,
            "torch": torch.__version__,
            "Python": platform.python_version(),
            "machine": f"{platform.machine()}, {torch.get_num_threads()} threads",
        },
        commands=["latentreel demo", "latentreel generate faces --seeds 1 2 3 4 --motion-seeds 1 2 3 --truncation 0.8 --grid"],
        videos=videos,
    )


@contextmanager
def _timed(timings: dict[str, float], what: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    timings[what] = time.perf_counter() - started
