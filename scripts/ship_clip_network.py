"""Trains the clip network that ships (`worlds-clips`) on endless clips of all worlds, and puts it into the package.

    python scripts/ship_clip_network.py [--minutes M]

It learns what a clip shows (world, identity), how its motion factors change, and whether it was spoiled: frozen, out of order,
flickering, shaking, noisy, blurred, or somebody else halfway. The minutes are processor time.
"""

import argparse
import math
import time

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

import latentreel
from latentreel.core.pixels import to_float
from latentreel.core.precision import compute_dtype
from latentreel.core.randomness import numpy_generator
from latentreel.metrics.extractors.worlds import SHIPPED, ClipNetwork, save_worlds_clips
from latentreel.metrics.factor_code import FactorCode, change_of
from latentreel.worlds.registry import WORLDS, open_world
from latentreel.worlds.world import World

LICENCE = "Apache-2.0"
SEED, HELD_OUT_SEED = 0, 1
FRAMES, SIZE = 16, 64
FASTEST = 4
"""Largest distance of neighbouring frames, in frames of the video."""

POOL, BATCH, DRAWN = 768, 24, 3
"""Clips that batches are drawn from; in a batch; new ones in a step."""

SPOILED = ("as it is", "frozen", "out of order", "noisy", "blurred", "flickering", "shaking", "somebody else halfway")
LEARNING_RATE, WEIGHT_DECAY, WARM_UP = 2e-3, 0.02, 0.03
HELD_OUT = 768


class Clips:
    """Clips of all worlds, with what the network shall say of them: the oldest are replaced by new ones."""

    def __init__(self, seed: int, size: int) -> None:
        self.seed, self.size, self.drawn = seed, size, 0
        self.worlds = [open_world(name, resolution=SIZE, num_frames=(FRAMES - 1) * FASTEST + 1) for name in WORLDS]
        self.codes = [FactorCode(world.IDENTITY_FACTORS) for world in self.worlds]
        widths = [code.size + 2 * len(world.MOTION_FACTORS) for code, world in zip(self.codes, self.worlds, strict=True)]
        self.ends = np.cumsum(widths)
        self.frames = np.empty((size, FRAMES, SIZE, SIZE, 3), dtype=np.uint8)
        self.world = np.empty(size, dtype=np.int64)
        self.told = np.zeros((size, self.ends[-1]), dtype=np.float32)
        self.asked = np.zeros((size, self.ends[-1]), dtype=np.float32)
        """1 where a number belongs to the clip's world."""

    def draw(self, count: int) -> None:
        """Draws clips, of each world in turn."""
        for _ in range(count):
            place, which = self.drawn % self.size, self.drawn % len(self.worlds)
            world, draws = self.worlds[which], numpy_generator(self.seed, "clip-network", self.drawn)
            step = int(draws.integers(1, FASTEST + 1))
            identity = world.sample_identity(draws)
            motion = world.sample_motion(draws)[: (FRAMES - 1) * step + 1 : step]
            self.frames[place] = world.render(identity, motion)
            own = slice(self.ends[which] - self._width(which), self.ends[which])
            self.world[place], self.asked[place] = which, 0
            self.asked[place, own], self.told[place, own] = 1, self._told(which, world, identity, motion)
            self.drawn += 1

    def _width(self, which: int) -> int:
        return int(self.ends[which] - (self.ends[which - 1] if which else 0))

    def _told(
        self, which: int, world: World, identity: npt.NDArray[np.float32], motion: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """The code of the identity; of each motion factor its mean, and how much it changes from frame to frame."""
        code = self.codes[which].of_values(torch.from_numpy(identity)).numpy()
        span = np.array([factor.high - factor.low for factor in world.MOTION_FACTORS])
        low = np.array([factor.low for factor in world.MOTION_FACTORS])
        changes = [change_of(factor, motion[:-1, m], motion[1:, m]) for m, factor in enumerate(world.MOTION_FACTORS)]
        speed = np.sqrt(np.abs(np.stack(changes, axis=1)).mean(axis=0) / span)
        return np.concatenate([code, (motion.mean(axis=0) - low) / span, speed]).astype(np.float32)


def spoil(clips: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """Spoils most clips [N, T, 3, H, W], each in a way that chance chooses.

    Returns:
        The clips, and how each was spoiled, [N].
    """
    how = torch.randint(len(SPOILED), [len(clips)])
    how[torch.rand(len(clips)) < 0.25] = 0
    return torch.stack([_spoiled(clip, other, int(way)) for clip, other, way in zip(clips, others, how, strict=True)]), how


def _spoiled(clip: Tensor, other: Tensor, way: int) -> Tensor:
    num_frames = len(clip)
    match SPOILED[way]:
        case "frozen":
            begin = int(torch.randint(num_frames // 2, []))
            return torch.cat([clip[:begin], clip[begin : begin + 1].expand(num_frames - begin, -1, -1, -1)])
        case "out of order":
            return clip[torch.randperm(num_frames)]
        case "noisy":
            return clip + torch.randn_like(clip) * (0.03 + 0.25 * torch.rand([]))
        case "blurred":
            kernel = int(torch.randint(1, 4, [])) * 2 + 1
            return F.avg_pool2d(clip, kernel, 1, kernel // 2, count_include_pad=False)
        case "flickering":
            return clip + (0.05 + 0.2 * torch.rand([])) * torch.randn(num_frames, 1, 1, 1)
        case "shaking":
            shifts = torch.randint(-3, 4, [num_frames, 2]).tolist()
            return torch.stack([frame.roll(shift, dims=(1, 2)) for frame, shift in zip(clip, shifts, strict=True)])
        case "somebody else halfway":
            return torch.cat([clip[: num_frames // 2], other[num_frames // 2 :]])
        case _:
            return clip


def coloured(clips: Tensor) -> Tensor:
    """Another brightness, contrast and tint for each clip: real pictures have other colours than worlds."""
    n = len(clips)
    contrast = 1 + 0.3 * (2 * torch.rand(n, 1, 1, 1, 1) - 1)
    return (clips * contrast + 0.15 * torch.randn(n, 1, 3, 1, 1)).clamp(-1, 1)


def batch_of(pool: Clips, count: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Clips as the network gets them, how they were spoiled, their worlds, what it shall say, and what it is asked for."""
    chosen = torch.randint(min(pool.size, pool.drawn), [2, count]).numpy()
    clips, others = (to_float(pool.frames[some]) for some in chosen)
    images, how = spoil(coloured(clips), coloured(others))
    facts = (torch.from_numpy(some[chosen[0]]) for some in (pool.world, pool.told, pool.asked))
    return images, how, *facts  # type: ignore[return-value]


def losses(outputs: Tensor, how: Tensor, world: Tensor, told: Tensor, asked: Tensor, mean: Tensor, spread: Tensor) -> Tensor:
    """Cross entropy of world and spoiling, and squared errors of the factors, each against its own variance."""
    spoiled, worlds, factors = outputs.split([len(SPOILED), len(WORLDS), told.shape[1]], dim=1)
    whole = asked * (how != SPOILED.index("somebody else halfway"))[:, None]
    errors = ((factors - (told - mean) / spread).square() * whole).sum() / whole.sum()
    return F.cross_entropy(spoiled, how) + 0.3 * F.cross_entropy(worlds, world) + 2.0 * errors


def main() -> None:
    """Trains, tests, ships."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="processor time")
    minutes = parser.parse_args().minutes
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    pool = Clips(SEED, POOL)
    pool.draw(POOL)
    told, asked = torch.from_numpy(pool.told), torch.from_numpy(pool.asked)
    mean = (told * asked).sum(0) / asked.sum(0).clamp_min(1)
    spread = (((told - mean).square() * asked).sum(0) / asked.sum(0).clamp_min(1)).sqrt().clamp_min(1e-3)
    network = ClipNetwork(len(SPOILED) + len(WORLDS) + told.shape[1])
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.99), weight_decay=WEIGHT_DECAY, fused=True
    )
    low_precision = compute_dtype(torch.device("cpu")) == torch.bfloat16
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), TextColumn("{task.fields[note]}")
    ) as bar:
        task, begin, note = bar.add_task("worlds-clips", total=60 * minutes, note=""), time.process_time(), 0.0
        for step in range(10**9):
            done = (time.process_time() - begin) / (60 * minutes)
            if done >= 1:
                break
            for group in optimizer.param_groups:
                group["lr"] = LEARNING_RATE * min(done / WARM_UP, 0.5 + 0.5 * math.cos(math.pi * done))
            pool.draw(DRAWN)
            images, *facts = batch_of(pool, BATCH)
            with torch.autocast("cpu", torch.bfloat16, enabled=low_precision):
                outputs = network(images)
            loss = losses(outputs.float(), *facts, mean, spread)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            note = 0.98 * note + 0.02 * float(loss.detach())
            if step % 20 == 0:
                bar.update(task, completed=time.process_time() - begin, note=f"{pool.drawn} clips, loss {note:.2f}")
    network.eval()
    accuracy = tested(network, mean, spread)
    for name, value in accuracy.items():
        print(f"{name}: {value:.3f}")
    facts = {
        "licence": LICENCE,
        "origin": f"scripts/ship_clip_network.py: {pool.drawn} clips that the worlds {', '.join(WORLDS)} drew; no other data",
        "processor_minutes": minutes,
        "held_out_accuracy": {name: round(value, 3) for name, value in accuracy.items()},
        "held_out_clips": HELD_OUT,
        "versions": {"latentreel": latentreel.__version__, "torch": torch.__version__.split("+")[0]},
    }
    save_worlds_clips(network, facts=facts)
    print(f"{SHIPPED}: {sum(path.stat().st_size for path in SHIPPED.iterdir()) / 1e6:.2f} MB")


@torch.no_grad()
def tested(network: ClipNetwork, mean: Tensor, spread: Tensor) -> dict[str, float]:
    """On new clips: the share of spoilings and worlds that it names, and the explained variance of the factors."""
    pool = Clips(HELD_OUT_SEED, HELD_OUT)
    pool.draw(HELD_OUT)
    hits: dict[str, list[float]] = {name: [] for name in (*SPOILED, "world")}
    error, count = torch.zeros(pool.told.shape[1]), torch.zeros(pool.told.shape[1])
    for _ in range(HELD_OUT // 32):
        images, how, world, told, asked = batch_of(pool, 32)
        outputs = network(images)
        spoiled, worlds, factors = outputs.split([len(SPOILED), len(WORLDS), told.shape[1]], dim=1)
        for way, right in zip(how.tolist(), (spoiled.argmax(1) == how).tolist(), strict=True):
            hits[SPOILED[way]].append(right)
        hits["world"] += (worlds.argmax(1) == world).tolist()
        plain = asked * (how == 0)[:, None]
        error += ((factors - (told - mean) / spread).square() * plain).sum(0)
        count += plain.sum(0)
    explained = 1 - error / count.clamp_min(1)
    found = {name: float(np.mean(values)) for name, values in hits.items()}
    ends, names = pool.ends, list(WORLDS)
    for which, name in enumerate(names):
        motion = 2 * len(pool.worlds[which].MOTION_FACTORS)
        found[f"{name}, speed of motion (R^2)"] = float(explained[ends[which] - motion // 2 : ends[which]].mean())
    return found


if __name__ == "__main__":
    main()
