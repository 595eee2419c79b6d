"""Trains the clip network that ships (`worlds-clips`) on endless clips of all worlds, and puts it into the package.

    python scripts/ship_clip_network.py [--minutes M]

It learns what a clip shows (world, identity, or a drifting texture), how its motion factors change, how far its frames are apart,
and in which way it was spoiled. The minutes are processor time.
"""

import argparse
import json
import math
import time
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from drifting_textures import drifting_textures
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from spoiled_clips import OF_TWO, SPOILED, spoil
from torch import Tensor

import latentreel
from latentreel.core.pixels import to_float
from latentreel.core.precision import compute_dtype
from latentreel.core.randomness import numpy_generator
from latentreel.metrics.extractors.worlds import CARD, SHIPPED, ClipNetwork, open_worlds_clips, save_worlds_clips
from latentreel.metrics.factor_code import FactorCode, change_of
from latentreel.metrics.moments import Moments
from latentreel.worlds.registry import WORLDS, open_world
from latentreel.worlds.world import World

LICENCE = "Apache-2.0"
SEED, HELD_OUT_SEED = 0, 1
FRAMES, SIZE = 16, 64
FASTEST = 4
"""Largest distance of neighbouring frames, in frames of the video."""

POOL, BATCH, DRAWN = 600, 24, 2
"""Clips of worlds that batches are drawn from; clips in a batch; new ones in a step."""

TEXTURES = 1 / 3
"""Part of a batch that shows drifting textures."""

APART, LEAST_CHANGE = (1, 2, 4, 8), 1e-3
"""Frames between two whose mean absolute difference is told, as a logarithm that begins there."""

LEARNING_RATE, WEIGHT_DECAY, WARM_UP = 2e-3, 0.02, 0.03
HELD_OUT, STANDARD = 384, 1024


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


def coloured(clips: Tensor) -> Tensor:
    """Another brightness, contrast and tint for each clip: real pictures have other colours than worlds, often paler ones."""
    n = len(clips)
    contrast = 1.3 * 0.25 ** torch.rand(n, 1, 1, 1, 1)
    return (clips * contrast + 0.2 * torch.randn(n, 1, 3, 1, 1)).clamp(-1, 1)


def recorded(clips: Tensor) -> Tensor:
    """As a camera gives them, half of them with a little noise of its own, in 256 steps."""
    grain = 0.012 * torch.rand(len(clips), 1, 1, 1, 1) * (torch.rand(len(clips), 1, 1, 1, 1) < 0.5)
    noisy = (clips + grain * torch.randn_like(clips)).clamp(-1, 1)
    return (noisy + 1).mul(127.5).round().div(127.5).sub(1)


def changes_of(images: Tensor) -> Tensor:
    """How far frames are apart, as logarithms of deviation about 1, [N, 4]."""
    apart = [(images[:, step:] - images[:, :-step]).abs().mean(dim=(1, 2, 3, 4)) for step in APART]
    return (torch.stack(apart, dim=1) + LEAST_CHANGE).log().add(3.5) / 1.5


class Batch(NamedTuple):
    """Clips as the network gets them, and what it shall say of them."""

    images: Tensor
    how: Tensor
    """How each was spoiled, [N]."""
    world: Tensor
    told: Tensor
    asked: Tensor
    changes: Tensor


def batch_of(pool: Clips, count: int, *, spoiled: bool = True) -> Batch:
    """Clips of worlds and, after them, textures."""
    textures = round(count * TEXTURES)
    chosen = torch.randint(min(pool.size, pool.drawn), [count - textures]).numpy()
    clips = torch.cat([to_float(pool.frames[chosen]), drifting_textures(textures, FRAMES)])
    clips = coloured(clips)
    images, how = spoil(clips) if spoiled else (clips, torch.zeros(count, dtype=torch.long))
    images = recorded(images)
    world = F.pad(torch.from_numpy(pool.world[chosen]), (0, textures), value=len(WORLDS))
    told, asked = (F.pad(torch.from_numpy(some[chosen]), (0, 0, 0, textures)) for some in (pool.told, pool.asked))
    return Batch(images, how, world, told, asked, changes_of(images))


def losses(outputs: Tensor, batch: Batch, mean: Tensor, spread: Tensor) -> Tensor:
    """Cross entropy of world and spoiling, and squared errors of the factors, each against its own variance, and of changes."""
    spoiled, worlds, changes, factors = outputs.split(outputs_of(batch.told), dim=1)
    whole = batch.asked * ~torch.isin(batch.how, MIXED)[:, None]
    errors = ((factors - (batch.told - mean) / spread).square() * whole).sum() / whole.sum()
    told = F.cross_entropy(spoiled, batch.how) + 0.3 * F.cross_entropy(worlds, batch.world)
    return told + errors + (changes - batch.changes).square().mean()


MIXED = torch.tensor([SPOILED.index(way) for way in OF_TWO])


def outputs_of(told: Tensor) -> list[int]:
    """How many outputs say what."""
    return [len(SPOILED), len(WORLDS) + 1, len(APART), told.shape[1]]


def main() -> None:
    """Trains, tests, ships."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="processor time")
    parser.add_argument("--further", action="store_true", help="go on from the network that ships")
    given = parser.parse_args()
    minutes, seed = given.minutes, SEED + 2 * given.further
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    pool = Clips(seed, POOL)
    pool.draw(POOL)
    told, asked = torch.from_numpy(pool.told), torch.from_numpy(pool.asked)
    mean = (told * asked).sum(0) / asked.sum(0).clamp_min(1)
    spread = (((told - mean).square() * asked).sum(0) / asked.sum(0).clamp_min(1)).sqrt().clamp_min(1e-3)
    network = ClipNetwork(sum(outputs_of(told)))
    before = {"processor_minutes": 0.0, "clips": 0}
    if given.further:
        network.load_state_dict(open_worlds_clips().network.state_dict())
        before = json.loads((SHIPPED / CARD).read_text())
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
            batch = batch_of(pool, BATCH)
            with torch.autocast("cpu", torch.bfloat16, enabled=low_precision):
                outputs = network(batch.images)
            loss = losses(outputs.float(), batch, mean, spread)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            note = 0.98 * note + 0.02 * float(loss.detach())
            if step % 20 == 0:
                bar.update(task, completed=time.process_time() - begin, note=f"{pool.drawn} clips, loss {note:.2f}")
    network.eval()
    standardize(network, pool)
    accuracy = tested(network, mean, spread)
    for name, value in accuracy.items():
        print(f"{name}: {value:.3f}")
    clips = before["clips"] + pool.drawn
    facts = {
        "licence": LICENCE,
        "origin": f"scripts/ship_clip_network.py: {clips} clips that the worlds {', '.join(WORLDS)} drew, and textures",
        "clips": clips,
        "processor_minutes": before["processor_minutes"] + minutes,
        "held_out_accuracy": {name: round(value, 3) for name, value in accuracy.items()},
        "held_out_clips": HELD_OUT,
        "versions": {"latentreel": latentreel.__version__, "torch": torch.__version__.split("+")[0]},
    }
    save_worlds_clips(network, facts=facts)
    print(f"{SHIPPED}: {sum(path.stat().st_size for path in SHIPPED.iterdir()) / 1e6:.2f} MB")


@torch.no_grad()
def standardize(network: ClipNetwork, pool: Clips) -> None:
    """Brings the features of clips as they are, of worlds and textures alike, to mean 0 and like variances."""
    seen = Moments.of(torch.cat([network.features(batch_of(pool, 32, spoiled=False).images) for _ in range(STANDARD // 32)]))
    network.standardize(torch.from_numpy(seen.mean).float(), torch.from_numpy(seen.covariance).float())


@torch.no_grad()
def tested(network: ClipNetwork, mean: Tensor, spread: Tensor) -> dict[str, float]:
    """On new clips: the share of spoilings and worlds that it names, and the explained variance of the factors."""
    pool = Clips(HELD_OUT_SEED, HELD_OUT)
    pool.draw(HELD_OUT)
    hits: dict[str, list[float]] = {name: [] for name in (*SPOILED, "world or texture")}
    error, count = torch.zeros(pool.told.shape[1]), torch.zeros(pool.told.shape[1])
    for _ in range(HELD_OUT // 32):
        batch = batch_of(pool, 32)
        spoiled, worlds, _, factors = network(batch.images).split(outputs_of(batch.told), dim=1)
        for way, right in zip(batch.how.tolist(), (spoiled.argmax(1) == batch.how).tolist(), strict=True):
            hits[SPOILED[way]].append(right)
        hits["world or texture"] += (worlds.argmax(1) == batch.world).tolist()
        plain = batch.asked * (batch.how == 0)[:, None]
        error += ((factors - (batch.told - mean) / spread).square() * plain).sum(0)
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
