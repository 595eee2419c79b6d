"""Trains the factor readers that ship, on endless pictures of their worlds, and puts them into the package.

    python scripts/ship_factor_readers.py [WORLD ...] [--minutes M]

Without a name, those of all worlds. The minutes are processor time: a busy machine takes longer, the result is as good. Pictures
are drawn as they are needed. They are blurred, darkened, covered in part and made noisy at random, since the readers are for
generated pictures, which are a little soft.
"""

import argparse
import math
import tempfile
import time
from pathlib import Path

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
from latentreel.metrics.factor_code import FactorCode
from latentreel.metrics.factor_reader import SHIPPED, FactorReader, build_factor_reader, load_factor_reader, save_factor_reader
from latentreel.metrics.reader_accuracy import FRAME_STEP, motion_as_read, reading_accuracy
from latentreel.worlds.registry import WORLDS, open_world
from latentreel.worlds.world import World

LICENCE = "Apache-2.0"
LARGEST_MB = 3.0
SEED, HELD_OUT_SEED = 0, 1
HELD_OUT = 4096
BATCH = 32
DRAWN, STEPS_PER_DRAW = 16, 4
"""Pairs of pictures in a batch; new pairs, and the steps between two draws: every pair is seen eight times, each time changed."""

POOL = 3072
"""Pairs that batches are drawn from; the oldest make way for the new."""

APART = 1.5
"""Weight of the error in a pair's difference; that of the error in its mean makes it up to 2."""

LEAST_CHANGE = 0.15
"""How often a factor that is read well differs within a pair."""

LEARNING_RATE, WEIGHT_DECAY = 3e-3, 0.02
WARM_UP = 0.03
"""Part of the time in which the learning rate rises."""


def main() -> None:
    """Trains, tests, ships."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("worlds", nargs="*", metavar="WORLD", help=f"of {', '.join(WORLDS)}; by default all")
    parser.add_argument("--minutes", type=float, default=8.0, help="processor time for each world's training")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for name in arguments.worlds or WORLDS:
        ship(name, minutes=arguments.minutes)
    size = sum(path.stat().st_size for path in SHIPPED.iterdir()) / 1e6
    assert size <= LARGEST_MB, f"{size:.1f} MB is too much to ship"
    print(f"{SHIPPED}: {size:.2f} MB")


def ship(name: str, *, minutes: float) -> None:
    """One world's reader, from nothing to its files; what is tested is what the files hold."""
    world = open_world(name)
    reader = build_factor_reader(name)
    pictures = train(reader, world, minutes=minutes)
    facts = {
        "licence": LICENCE,
        "origin": f"scripts/ship_factor_readers.py: {pictures} pictures that the world {name} drew; no other data",
        "processor_minutes": minutes,
        "versions": {"latentreel": latentreel.__version__, "torch": torch.__version__.split("+")[0]},
    }
    with tempfile.TemporaryDirectory() as folder:
        save_factor_reader(reader, name, facts=facts, folder=Path(folder))
        reader = load_factor_reader(name, folder=Path(folder))
    accuracy = reading_accuracy(reader, world, count=HELD_OUT, seed=HELD_OUT_SEED)
    rounded = {part: {factor: round(value, 3) for factor, value in found.items()} for part, found in accuracy.items()}
    save_factor_reader(reader, name, facts={"held_out_accuracy": rounded, "held_out_pictures": HELD_OUT, **facts})
    for part, found in rounded.items():
        print(f"{name}, {part}: " + ", ".join(f"{factor} {value:.3f}" for factor, value in found.items()))


def train(reader: FactorReader, world: World, *, minutes: float) -> int:
    """Trains for a given processor time, the learning rate along a half cosine down to nothing.

    Returns:
        How many pictures were drawn.
    """
    torch.manual_seed(SEED)
    reader.train()
    matrices = [weight for weight in reader.parameters() if weight.ndim > 1]
    others = [weight for weight in reader.parameters() if weight.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=LEARNING_RATE, betas=(0.9, 0.99), fused=True)
    low_precision = compute_dtype(torch.device("cpu")) == torch.bfloat16
    columns = [TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), TextColumn("{task.fields[note]}")]
    with Progress(*columns, refresh_per_second=1) as bar:
        task = bar.add_task(world.NAME, total=60 * minutes, note="")
        pool = Pool(world, sees_change=reader.sees_change)
        objective = Objective(reader, pool)
        begin = time.process_time()
        for step in range(10**9):
            done = (time.process_time() - begin) / (60 * minutes)
            if done >= 1:
                break
            for group in optimizer.param_groups:
                group["lr"] = LEARNING_RATE * min(done / WARM_UP, 0.5 + 0.5 * math.cos(math.pi * done))
            if step % STEPS_PER_DRAW == 0:
                pool.draw(DRAWN, change=objective.unread)
            images, values = pool.batch(BATCH)
            images = disturb(images)
            with torch.autocast("cpu", torch.bfloat16, enabled=low_precision):
                outputs = reader.outputs(images[:, :3], images[:, 3:] if reader.sees_change else None)
            loss = objective.loss(outputs, values)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            if step % 20 == 0:
                note = f"{2 * pool.drawn} pictures, not read yet {objective.unread.mean():.3f}"
                bar.update(task, completed=time.process_time() - begin, note=note)
    reader.eval()
    return 2 * pool.drawn


class Pool:
    """Pairs of pictures with their factors, the oldest replaced by new ones; each, where asked for, with the frame before it."""

    def __init__(self, world: World, *, sees_change: bool) -> None:
        self.world = world
        self.drawn = 0
        self.moments = 2 if sees_change else 1
        self.frames = np.empty((POOL, 2, self.moments, world.resolution, world.resolution, 3), dtype=np.uint8)
        self.values = np.empty((POOL, 2, len(world.IDENTITY_FACTORS) + len(world.MOTION_FACTORS)), dtype=np.float32)
        for _ in range(POOL // 256):
            self.draw(256, change=np.ones(self.values.shape[-1]))

    def draw(self, count: int, *, change: npt.NDArray[np.float64]) -> None:
        """Draws pairs. The second picture shares each factor with the first, but where chance has it drawn anew.

        Args:
            count: How many pairs; divides the pool.
            change: How probably each factor differs, [I + M].
        """
        draws = numpy_generator(SEED, "factor-reader-pairs", self.world.NAME, self.drawn)
        identities = np.stack([self.world.sample_identity(draws) for _ in range(2 * count)])
        clips = -(-2 * count // (self.world.num_frames - FRAME_STEP))
        motions = [self.world.sample_motion(draws) for _ in range(clips)]
        moments = [
            np.concatenate([clip[FRAME_STEP:] for clip in motions]),
            np.concatenate([clip[:-FRAME_STEP] for clip in motions]),
        ]
        order = draws.permutation(len(moments[0]))[: 2 * count]
        now, before = (np.concatenate([identities, moment[order]], axis=1) for moment in moments)
        before[: count // 8] = now[: count // 8]  # as a clip's first frame is read
        swapped = draws.uniform(size=(count, now.shape[1])) < change
        now, before = (
            np.stack([moment[:count], np.where(swapped, moment[count:], moment[:count])], axis=1) for moment in (now, before)
        )
        place, split = slice(self.drawn % POOL, self.drawn % POOL + count), identities.shape[1]
        for moment, values in enumerate((now, before)[: self.moments]):
            flat = values.reshape(2 * count, -1)
            frames = self.world.render(flat[:, :split], flat[:, split:])
            self.frames[place, :, moment] = frames.reshape(count, 2, *frames.shape[1:])
        self.values[place] = now
        self.values[place, :, split:] = motion_as_read(self.world, before[..., split:], now[..., split:])
        self.drawn += count

    def batch(self, count: int) -> tuple[Tensor, Tensor]:
        """Picks pairs: images [2 count, 3 or 6, H, W] and factors [2 count, I + M], the two of a pair next to each other."""
        chosen = torch.randint(POOL, [count]).numpy()
        images = to_float(self.frames[chosen]).flatten(0, 1)  # [2 count, moments, 3, H, W]
        return images.flatten(1, 2), torch.from_numpy(self.values[chosen]).flatten(0, 1)


class Objective:
    """What is minimised, and how much of each factor is not read yet.

    A pair's two pictures share most of what is read well already. So their difference shows what a factor that is hard to see does,
    with little else in the way, and counts more than their mean.
    """

    def __init__(self, reader: FactorReader, pool: Pool) -> None:
        self.code = FactorCode(reader.identity_code.factors + reader.motion_code.factors)
        self.weights = loss_weights(self.code, torch.from_numpy(pool.values).flatten(0, 1))
        self.unread = np.ones(len(self.code.factors))
        """By factor, [I + M], from 1 down to a smallest share that keeps every factor in play."""

    def loss(self, outputs: Tensor, values: Tensor) -> Tensor:
        """The mean over factors: squared error of positions and directions, cross entropy of levels."""
        losses, plain = [], []
        parts = zip(
            outputs.split(self.code.widths, dim=1), self.code.of_values(values).split(self.code.widths, dim=1), strict=True
        )
        for factor, (found, true) in zip(self.code.factors, parts, strict=True):
            if factor.levels:
                losses.append(F.cross_entropy(found, true))
                plain.append(losses[-1].detach())
            else:
                first, second = (found - true).unflatten(0, (-1, 2)).unbind(1)  # [N / 2, width]
                apart, together = (0.5 * (first + sign * second).square().sum(dim=1).mean() for sign in (-1, 1))
                losses.append(0.5 * (APART * apart + (2 - APART) * together))
                plain.append(0.5 * (apart + together).detach())
        now = (torch.stack(plain) * self.weights).numpy().clip(LEAST_CHANGE, 1)
        self.unread = 0.98 * self.unread + 0.02 * now
        return (torch.stack(losses) * self.weights).mean()


def disturb(images: Tensor) -> Tensor:
    """What may be otherwise in a generated picture: softness, brightness, spots that are not right, noise. [N, C, H, W]."""
    n = len(images)
    images = images.lerp(blurred(images), per_picture(n) * sometimes(n, 0.5))
    images = images * (1 + 0.05 * signed(n)) + 0.04 * signed(n)
    few = n // 5
    field = F.interpolate(torch.randn(few, 4, 5, 5), size=images.shape[-2:], mode="bicubic")
    spots = torch.sigmoid(12 * (field[:, :1] - 1.1))
    images[:few].lerp_((0.5 * field[:, 1:] + signed(few)).repeat(1, images.shape[1] // 3, 1, 1), spots)
    grain = torch.rand(images.shape, dtype=torch.bfloat16).sub_(0.5)
    return images.addcmul_(grain, 0.28 * per_picture(n).square()).clamp_(-1, 1)


def blurred(images: Tensor) -> Tensor:
    """Each pixel the mean of about 3 x 3, weighed by [1, 2, 1] twice along both axes."""
    for axis in (2, 3):
        size = images.shape[axis]
        for _ in range(2):
            ends = [images.narrow(axis, 0, 1), images, images.narrow(axis, size - 1, 1)]
            padded = torch.cat(ends, dim=axis)
            images = (padded.narrow(axis, 0, size) + padded.narrow(axis, 2, size)).mul_(0.25).add_(images, alpha=0.5)
    return images


def per_picture(count: int) -> Tensor:
    """A number in [0, 1) for each picture, [N, 1, 1, 1]."""
    return torch.rand(count, 1, 1, 1)


def signed(count: int) -> Tensor:
    """A number in [-1, 1) for each picture, [N, 1, 1, 1]."""
    return 2 * per_picture(count) - 1


def sometimes(count: int, share: float) -> Tensor:
    """1 for a share of the pictures, 0 for the others, [N, 1, 1, 1]."""
    return (per_picture(count) < share).float()


def loss_weights(code: FactorCode, values: Tensor) -> Tensor:
    """One over what is lost by always giving the mean, or the mean of the choices: so every factor's loss begins at about 1."""
    weights = []
    for factor, true in zip(code.factors, code.of_values(values).split(code.widths, dim=1), strict=True):
        mean = true.mean(dim=0)
        lost = -(mean * mean.clamp_min(1e-6).log()).sum() if factor.levels else (true - mean).square().sum(dim=1).mean()
        weights.append(1 / max(float(lost), 1e-4))
    return torch.tensor(weights)


if __name__ == "__main__":
    main()
