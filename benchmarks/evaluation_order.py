"""Whether scores put spoiled clips in a sensible order, with each network that can be had offline, and say the same every time.

Half of 32 sky videos is the reference; the clips of the other half are judged as they are, and spoiled. Real skies where
../shared/data is, else the procedural ones, without MDGAN's. Names of networks as arguments run those alone; what others said
before stays in the result and in the page.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from accelerate import Accelerator
from rich.progress import track
from scipy.ndimage import gaussian_filter

import latentreel as lr
from evidence import write_table
from latentreel.checkpoints.feature_networks import load_extractor, save_feature_network
from latentreel.core.video import Video
from latentreel.metrics.clip_choice import ClipRef
from latentreel.metrics.extractors.extractor import Extractor
from latentreel.metrics.extractors.i3d import I3D
from latentreel.metrics.protocols import LATENTREEL, Protocol, altered
from latentreel.pipelines.clip_collections import open_clips
from latentreel.pipelines.evaluation import FRECHET, KERNEL, evaluate
from latentreel.pipelines.evaluation_result import Score
from measure import RESULTS, write_result

Clips = npt.NDArray[np.uint8]  # [N, T, H, W, 3]

SHARED = Path(__file__).parents[2] / "shared" / "data"  # as the tests find it
SHORT = altered(LATENTREEL, num_clips=32)
WHOLE = altered(LATENTREEL, num_clips=32, num_frames=32, size=128)
FRAMES = SHORT.num_frames
ALIKE = 16  # clips on either side for "the same every time": the fewest that get a score
TOLD_FRAMES = (1, 2, 4, 8, 16, 24, 32)
RESULT = RESULTS / "evaluation_order.json"
KEYS = {"Fréchet": FRECHET, "kernel": KERNEL}
RANDOM = "I3D, random weights"
NETWORKS = ("worlds-clips", "worlds-frames", RANDOM)
ACCELERATOR = Accelerator(cpu=True)


def videos(source: Path | str) -> Clips:
    """All frames of all videos."""
    collection = open_clips(source, WHOLE)
    return np.stack([collection.clip(ClipRef(video, 0), WHOLE) for video in range(WHOLE.num_clips)])


def in_clips(videos: Clips) -> Clips:
    """Videos cut into clips that share no frame."""
    return videos.reshape(-1, FRAMES, *videos.shape[2:])


def spoiled(clips: Clips) -> Iterator[tuple[str, Clips]]:
    """The clips as they are, then in every way that should cost something."""
    draws, n = np.random.default_rng(0), len(clips)
    yield "other clips, as they are", clips
    yield "frozen at the first frame", np.repeat(clips[:, :1], FRAMES, axis=1)
    yield "frames in shuffled order", np.stack([clip[draws.permutation(FRAMES)] for clip in clips])
    times = np.arange(FRAMES)
    yield "every frame from another video", np.stack([clips[(first + 2 * times) % n, times] for first in range(n)])
    for deviation in (8, 24, 64):
        noise = np.rint(deviation * draws.standard_normal(clips.shape, dtype=np.float32))
        yield f"noise, deviation {deviation} of 255", np.clip(clips + noise, 0, 255).astype(np.uint8)
    gains = np.exp(0.2 * draws.standard_normal((n, FRAMES, 1, 1, 1)))
    yield "flicker, brightness ± 20 %", np.clip(clips * gains, 0, 255).astype(np.uint8)
    yield "blur, deviation 2 px", np.stack([gaussian_filter(clip, (0, 2, 2, 0)) for clip in clips])


def network(name: str, folder: Path) -> Extractor:
    """One that ships, or an I3D that has learned nothing."""
    if name != RANDOM:
        return load_extractor(name)
    torch.manual_seed(0)
    save_feature_network(I3D(), folder / "i3d.safetensors")
    return load_extractor(folder / "i3d.safetensors")


def scores_of(
    real: Clips | Path, fake: Clips | Path, extractor: Extractor, cache: Path, *, protocol: Protocol = SHORT, **settings: Any
) -> dict[str, Score]:
    """One evaluation."""
    sides = [open_clips(side, protocol) for side in (real, fake)]
    return evaluate(*sides, protocol, extractor, cache=cache, accelerator=ACCELERATOR, **settings).scores


def written(clips: Clips, folder: Path) -> Path:
    """Clips as folders of frames, which lose nothing, named in their order."""
    for place, clip in enumerate(clips):
        lr.save_video(Video(clip, 25.0), folder / f"{place:03d}")
    return folder


def differences(real: Clips, fake: Clips, extractor: Extractor, folder: Path) -> dict[str, float]:
    """The largest relative difference of both distances when the same clips are scored again; nothing is kept in between."""
    plain, turned = (
        [written(clips[::step], folder / f"{name}{step}") for name, clips in (("real", real), ("fake", fake))]
        for step in (1, -1)
    )
    first, *others = (
        scores_of(*paths, extractor, Path(tempfile.mkdtemp(dir=folder)), batch_size=batch_size, with_interval=False)
        for paths, batch_size in ((plain, 2), (plain, 2), (plain, 3), (turned, 2))
    )
    return {
        what: max(abs(other[key].value / first[key].value - 1) for key in (FRECHET, KERNEL))
        for what, other in zip(("once more", "batches of 3, not 2", "files in another order"), others, strict=True)
    }


def ranged(value: float, low: float | None, high: float | None) -> str:
    """A score and its interval, if it has one."""
    return f"{value:.3g}" + ("" if low is None else f" [{low:.3g}, {high:.3g}]")


def order_of(real: Clips, rows: dict[str, Clips], name: str, extractor: Extractor, folder: Path) -> dict[str, Any]:
    """Both distances of every row, with their intervals."""
    found = {}
    for row, clips in track(rows.items(), description=name):
        scores = scores_of(real, clips, extractor, folder)
        told = {short: scores[key] for short, key in KEYS.items()}
        found[row] = {short: [some.value, some.low, some.high] for short, some in told.items()}
    return {
        "from_near_to_far": {short: sorted(found, key=lambda row: found[row][short][0]) for short in KEYS},
        "distances": found,
    }


def order_table(order: dict[str, Any]) -> None:
    """Every row by every network, in the page."""
    columns = [f"{name}, {short}" for name in order for short in KEYS]
    rows = order[next(iter(order))]["distances"]
    cells = {row: [ranged(*of["distances"][row][short]) for of in order.values() for short in KEYS] for row in rows}
    write_table("evaluation order", columns, cells)


def pair_table(extractor: Extractor, folder: Path) -> object:
    """PSNR and SSIM of MDGAN's videos against the real ones that they continue."""
    sides = SHARED / "sky", SHARED / "sky_mdgan_generated"
    scores = scores_of(*sides, extractor, folder, protocol=WHOLE, with_interval=False, paired=True)
    pairs = {name: scores[name] for name in ("PSNR", "SSIM")}
    assert all(pair.by_frame for pair in pairs.values())
    cells = {
        name: [ranged(pair.value, pair.low, pair.high), *(f"{pair.by_frame[t - 1]:.3g}" for t in TOLD_FRAMES)]
        for name, pair in pairs.items()
    }
    write_table("evaluation pairs", ["mean of 32 frames", *(f"frame {t}" for t in TOLD_FRAMES)], cells)
    return {
        name: {"mean": pair.value, "low": pair.low, "high": pair.high, "by_frame": pair.by_frame}
        for name, pair in pairs.items()
    }


def main() -> None:
    """Scores, pairs, and scores again; what is kept goes with the folder."""
    lr.set_precision("fp32")
    chosen, has_real = sys.argv[1:] or NETWORKS, (SHARED / "sky").is_dir()
    before = json.loads(RESULT.read_text()) if len(chosen) < len(NETWORKS) else {}
    order, same = before.get("order", {}), before.get("largest_relative_difference", {})
    with tempfile.TemporaryDirectory() as cache:
        os.environ["LATENTREEL_CACHE"], folder = cache, Path(cache)
        skies = videos(SHARED / "sky" if has_real else "world:skies")
        half = len(skies) // 2
        real, rows = in_clips(skies[:half]), dict(spoiled(in_clips(skies[half:])))
        if has_real:
            rows["MDGAN's for the same videos"] = in_clips(videos(SHARED / "sky_mdgan_generated")[half:])
        for name in chosen:
            extractor = network(name, folder)
            order[name] = order_of(real, rows, name, extractor, folder)
            same[name] = differences(real[:ALIKE], in_clips(skies[half:])[:ALIKE], extractor, folder / name)
        result = {"skies": "real" if has_real else "procedural", "clips": len(real), "order": order}
        if has_real:
            result["pairs"] = pair_table(network("worlds-clips", folder), folder)
    order_table({name: order[name] for name in NETWORKS if name in order})
    again = {name: [f"{d:.0e}" if d else "0" for d in some.values()] for name, some in same.items()}
    write_table("evaluation again", list(next(iter(same.values()))), again)
    write_result("evaluation_order", result | {"largest_relative_difference": same})


if __name__ == "__main__":
    main()
