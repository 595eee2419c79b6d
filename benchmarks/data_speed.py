"""Random clips of 16 frames at 128 px per second: from MP4 files, from folders of frames, from the frame store; 1 and 2 workers.

Beside them how fast a plain loop decodes the same files in order, which is what reading clips out of MP4 files could reach at most;
the memory that an epoch of the store's clips takes; and what of a training step at the demo's size is spent on data.
"""

import itertools
import json
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import torch

from evidence import write_table
from latentreel.cli.train import build
from latentreel.core.video import Video
from latentreel.data.clip_sampling import ClipSampler
from latentreel.data.frame_folders import open_frames
from latentreel.data.frame_store import open_frame_store
from latentreel.data.framing import framed
from latentreel.data.sources import SourceItem, open_source
from latentreel.media.encode import save_video
from latentreel.training.distribution import start_accelerator
from latentreel.training.loop import run_phase
from latentreel.training.presets import MOTION
from measure import measured_by_a_child, write_result

VIDEOS, LENGTH, SIDE = 6, 96, 256
RESOLUTION, CLIP = 128, 16
SECONDS = 3.0  # of each measurement
STEPS = 6

Pixels = npt.NDArray[np.uint8]


def write_videos(folder: Path) -> None:
    """Soft noise that drifts: each video as MP4 and as a folder of PNG frames."""
    for number in range(VIDEOS):
        coarse = np.random.default_rng(number).integers(0, 256, (SIDE // 16, SIDE // 16, 3), np.uint8)
        picture = np.kron(coarse, np.ones((16, 16, 1), np.uint8))
        frames = np.stack([np.roll(picture, (t, 2 * t), (0, 1)) for t in range(LENGTH)])
        save_video(Video(frames, 25), folder / "mp4" / f"{number}.mp4")
        save_video(Video(frames, 25), f"{folder / 'frames' / str(number)}/")


def plain_clips_per_second(folder: Path) -> float:
    """Frames per second of a loop over all files, decoded to RGB and nothing else, by the length of a clip."""
    started, count = time.perf_counter(), 0
    for path in sorted((folder / "mp4").iterdir()):
        with av.open(str(path)) as container:
            container.streams.video[0].thread_type = "AUTO"
            count += sum(1 for frame in container.decode(video=0) if frame.to_ndarray(format="rgb24").size)
    return count / CLIP / (time.perf_counter() - started)


def clips_per_second(clip: Callable[[int], Pixels], workers: int) -> float:
    """How many different clips so many threads get, for some seconds."""
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(clip, range(workers)))  # opens and imports what is used later
        started = time.perf_counter()
        counts = pool.map(lambda worker: _work(clip, worker, workers, started + SECONDS), range(workers))
        return sum(counts) / (time.perf_counter() - started)


def _work(clip: Callable[[int], Pixels], worker: int, workers: int, until: float) -> int:
    for done in itertools.count(1):
        assert clip(done * workers + worker).shape == (CLIP, RESOLUTION, RESOLUTION, 3)
        if time.perf_counter() > until:
            return done
    raise AssertionError


def readers(folder: Path) -> dict[str, Callable[[int], Pixels]]:
    """What gives a random clip from each form, by its number."""
    videos, frames = (open_source(folder / form).items for form in ("mp4", "frames"))
    store = open_frame_store(folder / "mp4", resolution=RESOLUTION, cache=folder / "cache")
    sampler = ClipSampler(store, num_frames=CLIP, seed=0)

    def place(number: int, items: tuple[SourceItem, ...]) -> tuple[SourceItem, int]:
        draws = np.random.default_rng(number)
        return items[draws.integers(len(items))], int(draws.integers(LENGTH - CLIP + 1))

    def from_video(number: int) -> Pixels:
        item, start = place(number, videos)
        return np.stack([framed(f, RESOLUTION) for f in itertools.islice(item.open().frames, start, start + CLIP)])

    def from_frames(number: int) -> Pixels:
        item, start = place(number, frames)
        return np.stack([framed(frame, RESOLUTION) for frame in open_frames(item.files[start : start + CLIP]).frames])

    return {"mp4": from_video, "frames": from_frames, "store": lambda number: sampler.batch(number, 1)[0]}


def memory_over_an_epoch(folder: Path) -> dict[str, object]:
    """The process's own memory, without the mapped file, after a tenth, a half and all of an epoch of the store's clips."""
    store = open_frame_store(folder / "mp4", resolution=RESOLUTION, cache=folder / "cache")
    sampler = ClipSampler(store, num_frames=CLIP, seed=0, mirror=True)
    steps = max(10, sampler.num_clips // 8)
    own = {}
    for step in range(steps):
        sampler.batch(step, 8)
        if step + 1 in (steps // 10, steps // 2, steps):
            status = Path("/proc/self/status").read_text()
            own[f"after {step + 1} batches"] = round(int(status.split("RssAnon:")[1].split()[0]) / 1024, 1)
    return {"clips": steps * 8, "own_mb": own}


def step_share(folder: Path) -> dict[str, float]:
    """How long the demo's step takes, and its clips: read, brought to [-1, 1]; with the frames of a world in the store."""
    config = replace(MOTION["demo"], out=folder / "run", world_videos=16, basis_samples=10_000, device="cpu")
    family = build(config, start_accelerator(config))
    for phase in family.phases:
        phase.module.requires_grad_(False)
    data, whole = [], []
    for step in range(STEPS):
        started = time.perf_counter()
        batch = family.batch(step)
        data.append(time.perf_counter() - started)
        for phase in family.phases:
            if phase.is_due(step):
                run_phase(phase, batch, family.accelerator)
        family.after_step()
        whole.append(time.perf_counter() - started)
    data_ms, step_ms = (1000 * float(np.median(times[1:])) for times in (data, whole))
    return {"data_ms": round(data_ms, 2), "step_ms": round(step_ms, 1), "share": round(data_ms / step_ms, 4)}


def main() -> None:
    """Measures, prints a table, writes it; "--memory FOLDER" is a child that measures an epoch alone."""
    torch.set_num_threads(min(2, torch.get_num_threads()))
    if sys.argv[1:2] == ["--memory"]:
        print(json.dumps(memory_over_an_epoch(Path(sys.argv[2]))))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_videos(folder)
        plain = max(plain_clips_per_second(folder) for _ in range(3))
        rates: dict[str, dict[str, float]] = {}
        print(f"{'':8}{'workers':>8}{'clips/s':>9}{'of plain decoding':>19}")
        for form, clip in readers(folder).items():
            for workers in (1, 2):
                rate = clips_per_second(clip, workers)
                rates[f"{form}, {workers} workers"] = {"clips_per_second": round(rate, 1), "of_plain": round(rate / plain, 2)}
                print(f"{form:8}{workers:8}{rate:9.1f}{rate / plain:19.2f}", flush=True)
        result: dict[str, Any] = {
            "videos": f"{VIDEOS} of {LENGTH} frames of {SIDE}x{SIDE}",
            "plain_decoding_clips_per_second": round(plain, 1),
            "rates": rates,
            "epoch": measured_by_a_child(__file__, "--memory", name),
            "demo_step": step_share(folder),
        }
        write_table("data speed", ["clips/s", "of plain decoding"], _rows(plain, result))
        write_result("data_speed", result)


def _rows(plain: float, result: dict[str, Any]) -> dict[str, list[str]]:
    rates = {name: [f"{rate['clips_per_second']:.1f}", f"{rate['of_plain']:.2f}"] for name, rate in result["rates"].items()}
    own = ", ".join(f"{mb:.0f} MB {when}" for when, mb in result["epoch"]["own_mb"].items())
    step = result["demo_step"]
    spent = f"{step['data_ms']:.1f} of {step['step_ms']:.0f} ms"
    told = {
        "memory over an epoch of the store": [own, ""],
        "data in a step of the demo's size": [spent, f"{step['share']:.4f}"],
    }
    return {"plain decoding, in order": [f"{plain:.1f}", "1"], **rates, **told}


if __name__ == "__main__":
    main()
