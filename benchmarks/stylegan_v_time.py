"""What a StyleGAN-V does with time: continuity, frames that depend on nothing else, other frame rates, and 1,000 frames.

    latentreel bench stylegan_v_time                                  a small model with random weights
    latentreel bench stylegan_v_time -- runs/my-sgv --world faces     a trained one, of a procedural world
    latentreel bench stylegan_v_time -- model.pkl

Every model has a row in docs/evidence.md and an entry in benchmarks/results/, which later runs for other models keep.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from rich.progress import track
from torch import Tensor

import latentreel as lr
from evidence import write_table
from latentreel.core.memory import keep_freed_memory
from latentreel.metrics.factor_measures import identity_drift, read_clips
from latentreel.metrics.factor_reader import load_factor_reader
from latentreel.pipelines.stylegan_v_pipeline import StyleGANVPipeline
from latentreel.sampling.latents import content_labels, content_latents
from latentreel.stylegan_v.config import StyleGANVConfig
from latentreel.stylegan_v.generator import StyleGANVGenerator
from latentreel.stylegan_v.motion_codes import motion_noise
from latentreel.worlds.registry import open_world
from measure import RESULTS, peak_memory_gb, write_result

NAME = "stylegan_v_time"
CONTENTS, FRAMES, BLOCK, EVERY = 3, 1000, 100, 5
STEPS = (1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
ANCHORS = (1, 2, 10, 1000)


class Clip:
    """The content and motion of seed 0, drawn at any times as numbers rather than as pixels."""

    def __init__(self, generator: StyleGANVGenerator) -> None:
        self.generator = generator
        self.labels = content_labels(generator, [0])
        self.w = content_latents(generator, [0], labels=self.labels)

    def codes(self, t: Tensor) -> Tensor:
        """v(t) at times [k], [k, 2F]."""
        noise, first = self._noise(t)
        return self.generator.motion_codes(noise, t[None], self.labels, first_anchor=first)[0]

    def frames(self, t: Tensor, *, at_once: int = 0) -> Tensor:
        """Frames at times [k], [k, 3, H, W]."""
        noise, first = self._noise(t)
        where = {"labels": self.labels, "first_anchor": first, "frames_at_once": at_once}
        return self.generator.synthesize(self.w, motion_z=noise, t=t[None], **where)[0]

    def _noise(self, t: Tensor) -> tuple[Tensor, int]:
        window = self.generator.motion.window(t)
        return motion_noise([0], window, self.generator.config.motion_dim), window.first


def continuity(clip: Clip) -> dict[str, float]:
    """How far v(t) is from v at an anchor, by the distance in time, either side; over anchors the largest."""
    distance, gaps = clip.generator.config.anchor_distance, {}
    for step in STEPS:
        both = torch.tensor([[a - step, a, a + step] for a in (distance * n for n in ANCHORS)], dtype=torch.float64)
        codes = torch.stack([clip.codes(t) for t in both])
        gaps[f"{step:g}"] = float((codes - codes[:, 1:2]).abs().max())
    return gaps


def alone(clip: Clip) -> dict[str, float]:
    """Largest differences between frames drawn together and otherwise; colours span 2."""
    t = torch.rand(48, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * FRAMES
    together, order = clip.frames(t), torch.randperm(len(t), generator=torch.Generator().manual_seed(1))
    single = clip.frames(t, at_once=1)
    others = {
        "one by one": torch.cat([clip.frames(part) for part in t.split(1)]),
        "five by five": torch.cat([clip.frames(part) for part in t.split(5)]),
        "in another order": clip.frames(t[order])[order.argsort()],
    }
    found = {name: float((frames - together).abs().max()) for name, frames in others.items()}
    found["one at a time, whatever the chunking"] = float((others["one by one"] - single).abs().max())
    return found | {"largest colour": float(together.abs().max())}


def rates(clip: Clip, pipe: StyleGANVPipeline) -> dict[str, float]:
    """The same four seconds at 12.5 and at 50 frames a second, and backwards: largest differences at shared times."""
    fps, span = clip.generator.config.fps, 4.0
    slow, fast = (torch.arange(0, span, 1 / rate, dtype=torch.float64) * fps for rate in (12.5, 50))
    numbers = float((clip.frames(fast, at_once=8)[::4] - clip.frames(slow, at_once=8)).abs().max())
    clips = {rate: pipe.generate(num_frames=int(span * rate), fps=rate).frames.astype(int) for rate in (12.5, 50)}
    back = pipe.generate(num_frames=int(span * 50), fps=50, speed=-1).frames[::-1].astype(int)
    levels = np.abs(clips[50][::4] - clips[12.5])
    return {
        "12.5 and 50 fps, numbers": numbers,
        "12.5 and 50 fps, levels of 255": int(levels.max()),
        "12.5 and 50 fps, share of levels that differ": float((levels > 0).mean()),
        "backwards, levels of 255": int(np.abs(back - clips[50]).max()),
    }


def long_clip(pipe: StyleGANVPipeline, world: str) -> dict[str, object]:
    """1,000 frames of several contents: change from frame to frame, contrast and identity in blocks of 100; memory, speed."""
    for _ in pipe.stream(num_frames=BLOCK):
        pass
    before, start, changes, contrasts, clips = peak_memory_gb(), time.perf_counter(), [], [], []
    for seed in track(range(CONTENTS), description=f"{FRAMES} frames"):
        last, change, contrast, kept = None, [], [], []
        for piece in pipe.stream(seed=seed, motion_seed=seed, num_frames=FRAMES):
            for frame in piece.frames.astype(np.float32) / 127.5 - 1:
                change.append(np.nan if last is None else np.abs(frame - last).mean())
                contrast.append(float(frame.std()))
                kept += [frame] if len(change) % EVERY == 1 else []
                last = frame
        changes.append(change)
        contrasts.append(contrast)
        clips.append(np.stack(kept))
    seconds, after = time.perf_counter() - start, peak_memory_gb()
    found: dict[str, object] = {
        "change": in_blocks(np.mean(changes, axis=0)),
        "contrast": in_blocks(np.mean(contrasts, axis=0)),
        "frames_per_second": CONTENTS * FRAMES / seconds,
        "peak_gb_before": before,
        "peak_gb_after": after,
    }
    if world:
        pixels = ((np.stack(clips) + 1) * 127.5).round().astype(np.uint8)
        reader = load_factor_reader(world)
        found["drift"] = in_blocks(np.repeat(identity_drift(read_clips(reader, pixels).identity).curve, EVERY))
        opened = open_world(world, num_frames=16, resolution=pipe.resolution, seed=10**6)
        real = np.stack([opened.video(index).video.frames for index in range(32)])
        found["real_change"] = float(np.abs(np.diff(real.astype(np.float32), axis=1)).mean() / 127.5)
        found["real_drift"] = identity_drift(read_clips(reader, real).identity).mean
    return found


def in_blocks(curve: np.ndarray) -> list[float]:
    """Means over blocks of 100 frames."""
    return np.nanmean(curve[:FRAMES].reshape(-1, BLOCK), axis=1).round(5).tolist()


def random_model() -> StyleGANVPipeline:
    """A small one without training: what holds for it is the arithmetic, not the art."""
    torch.manual_seed(0)
    sizes = {"resolution": 64, "channels": (64, 64, 32, 32, 16), "z_dim": 64, "w_dim": 64}
    return StyleGANVPipeline(StyleGANVGenerator(StyleGANVConfig(**sizes, motion_dim=64, code_dim=64, num_frequencies=64)))


def cells(found: dict[str, dict]) -> list[str]:
    """A model's row."""
    gap, together, at_rates, long = (found[key] for key in ("continuity", "alone", "rates", "long"))
    change = [f"{100 * value:.2f}" for value in long["change"]]
    drift = [f"{value:.2f}" for value in long.get("drift", [])]
    return [
        f"{gap['1']:.2g} / {gap['0.01']:.2g} / {gap['1e-06']:.2g}",
        f"{together['one by one']:.1g} / {together['one at a time, whatever the chunking']:g}",
        f"{at_rates['12.5 and 50 fps, numbers']:.1g} / {at_rates['12.5 and 50 fps, levels of 255']}",
        f"{change[0]}, {change[4]}, {change[-1]}" + (f" ({100 * long['real_change']:.2f})" if "real_change" in long else ""),
        f"{drift[0]}, {drift[4]}, {drift[-1]} ({long['real_drift']:.2f})" if drift else "",
        f"{long['peak_gb_before']:.3f} / {long['peak_gb_after']:.3f}",
    ]


@torch.no_grad()
def main() -> None:
    """Measures one model, and writes the rows of all that were measured."""
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("model", nargs="?", help="a bundle, a run's folder or a released .pkl; by default random weights")
    flags.add_argument("--world", default="", help="the procedural world that it was trained on")
    flags.add_argument("--name", default="", help="what its row is called; by default the world, or the model's name")
    told = flags.parse_args()
    keep_freed_memory()
    lr.set_precision("fp32")
    pipe = StyleGANVPipeline.load(told.model) if told.model else random_model()
    clip = Clip(pipe.generator)
    found = {
        "continuity": continuity(clip),
        "alone": alone(clip),
        "rates": rates(clip, pipe),
        "long": long_clip(pipe, told.world),
    }
    name = told.name or told.world or (Path(told.model).stem if told.model else "random weights")
    path = RESULTS / f"{NAME}.json"
    models = json.loads(path.read_text())["models"] if path.exists() else {}
    models[name] = found
    write_result(NAME, {"contents": CONTENTS, "frames": FRAMES, "block": BLOCK, "models": models})
    columns = [
        "v(t) - v(anchor), 1 / 0.01 / 1e-6 frames off",
        "frames alone or together / one at a time",
        "12.5 and 50 fps, numbers / levels",
        "change a frame, %, 1st, 5th, 10th hundred (real)",
        "identity drift, the same (real)",
        "peak GB before / after",
    ]
    write_table("stylegan-v time", columns, {row: cells(one) for row, one in models.items()})


if __name__ == "__main__":
    main()
