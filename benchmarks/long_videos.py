"""Unrolled far past the trained 16 frames: plain recursion, as in the paper, against latents held near their content.

Over 1,000 frames: the latents' distance from their mean, how much pictures change, how far identity drifts. Over 10,000 frames:
memory, and speed against a short clip. Curves go into benchmarks/results/ and docs/pictures/, a table into docs/evidence.md.
"""

import time
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure

import latentreel as lr
from evidence import write_table
from latentreel.core.memory import keep_freed_memory
from latentreel.metrics.factor_measures import identity_drift, read_clips
from latentreel.metrics.factor_reader import load_factor_reader
from latentreel.pipelines.mocogan_hd_pipeline import MoCoGANHDPipeline
from latentreel.sampling.rollout import HOLD
from measure import peak_memory_gb, write_result

PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "long_videos.png"
CONTENTS, FRAMES, EVERY = 6, 1000, 5
SPANS = {"2-16": (1, 16), "17-50": (16, 50), "51-200": (50, 200), "201-1000": (200, 1000)}
TRUNCATION = 0.8  # as the README's pictures


def curves(name: str, hold: float) -> dict[str, list[float]]:
    """Every fifth frame of clips of several contents: means over contents."""
    pipe, reader = MoCoGANHDPipeline.load(name), load_factor_reader(name)
    distances, clips, changes = [], [], []
    for seed in range(CONTENTS):
        clip, change, last = [], [0.0], None
        for chunk in pipe.stream(seed=seed, motion_seed=seed, num_frames=FRAMES, truncation=TRUNCATION, hold=hold):
            for frame in chunk.frames:
                change += [] if last is None else [np.abs(frame.astype(float) - last).mean() / 127.5]
                last = frame
                clip.append(frame)
        motion = pipe.motion(seed=seed, motion_seed=seed, num_frames=FRAMES, truncation=TRUNCATION, hold=hold)
        first = _coordinates(pipe, seed)
        distances.append((first + motion.offsets).square().mean(dim=1).sqrt().numpy())
        clips.append(np.stack(clip)[::EVERY])
        changes.append(change)
    drift = identity_drift(read_clips(reader, np.stack(clips)).identity).curve
    mean = {"distance": np.mean(distances, axis=0)[::EVERY], "change": np.mean(changes, axis=0)[::EVERY], "drift": drift}
    return {key: np.round(values, 4).tolist() for key, values in mean.items()}


def _coordinates(pipe: MoCoGANHDPipeline, seed: int) -> torch.Tensor:
    """A content's place along the basis, in standard deviations from the mean [K]."""
    from latentreel.sampling.latents import content_latents

    w = content_latents(pipe.image_generator, [seed], truncation=TRUNCATION)
    return ((w - pipe.basis.mean) @ pipe.basis.components.T / pipe.basis.stdev)[0]


def in_spans(curve: list[float]) -> list[str]:
    """A curve's mean over each span of frames."""
    frames = np.arange(0, FRAMES, EVERY)
    return [f"{np.mean(np.asarray(curve)[(frames >= start) & (frames < end)]):.3g}" for start, end in SPANS.values()]


def draw(found: dict[str, dict[str, list[float]]]) -> None:
    """The curves as a picture: a panel for each measure, models by colour, plain ones dashed."""
    labels = {
        "distance": "distance from the mean\n(standard deviations)",
        "change": "change from frame to frame\n(pixels in -1 to 1)",
        "drift": "identity drift\n(1: somebody else)",
    }
    figure = Figure(figsize=(12, 3.4), layout="constrained")
    axes = figure.subplots(1, len(labels))
    frames = np.arange(0, FRAMES, EVERY) + 1
    for (key, label), axis in zip(labels.items(), axes, strict=True):
        for name, one in found.items():
            colour, dashes = "C0" if name.startswith("faces") else "C1", "--" if name.endswith("plain") else "-"
            axis.plot(frames[1:], one[key][1:], dashes, color=colour, label=name, linewidth=1.2)
        axis.set(xlabel="frame", ylabel=label, xscale="log", yscale="linear" if key == "drift" else "log")
        axis.axvline(16, color="0.7", linewidth=0.8)
    axes[0].legend(frameon=False)
    figure.savefig(PICTURE, dpi=100)


def ten_thousand() -> dict[str, float]:
    """Speed of a short clip and of 10,000 frames; peak memory before and after."""
    pipe = lr.VideoPipeline.load("faces")

    def frames_per_second(count: int) -> float:
        start = time.perf_counter()
        for _ in pipe.stream(num_frames=count):
            pass
        return count / (time.perf_counter() - start)

    frames_per_second(256)
    short = max(frames_per_second(256) for _ in range(3))
    before = peak_memory_gb()
    long = frames_per_second(10_000)
    return {"short": short, "long": long, "ratio": long / short, "peak_gb_before": before, "peak_gb_after": peak_memory_gb()}


def main() -> None:
    """Measures, writes curves and table."""
    keep_freed_memory()
    speed = ten_thousand()
    found = {
        f"{name}, {how}": curves(name, hold)
        for name in ("faces", "creatures")
        for how, hold in (("plain", 0.0), ("held", HOLD))
    }
    write_result("long_videos", {"every": EVERY, "contents": CONTENTS, "curves": found, "ten_thousand_frames": speed})
    draw(found)
    keys = ("distance", "change", "drift")
    columns = [f"{key}, frames {span}" for key in keys for span in SPANS]
    write_table(
        "long videos",
        columns,
        {row: [cell for key in keys for cell in in_spans(one[key])] for row, one in found.items()},
    )


if __name__ == "__main__":
    main()
