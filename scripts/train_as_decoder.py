"""Trains an image generator of a procedural world that begins as the decoder of a variational autoencoder.

    python scripts/train_as_decoder.py skies runs/image-skies [--fit-minutes M] [--kimg K]

For worlds whose pictures have no layout in common, as skies. A generator that starts from random weights learns what pictures share
first; of skies that is stripes of cloud, the same in all, and it is long in leaving them. An autoencoder has to tell pictures apart
from the first step.

1. Autoencoder (Kingma & Welling 2014): an encoder with the discriminator's blocks, and the generator, on endless pictures.
2. The codes' mean and covariance go into the first layer of the mapping network, so that normal noise draws what codes draw.
3. Training against a discriminator, as `latentreel train image` does, while half a batch is still encoded and drawn again
   (Larsen et al. 2016): pictures become sharp and stay different.

Running again resumes the third part. Time is the processor's: a busy machine takes longer, the result is as good.
"""

import argparse
import dataclasses
import math
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn

from latentreel.cli.progress import training
from latentreel.cli.train import build
from latentreel.core.memory import keep_freed_memory
from latentreel.core.pixels import to_float
from latentreel.image_generators.stylegan2.config import StyleGAN2Config
from latentreel.image_generators.stylegan2.discriminator import StyleGAN2Discriminator
from latentreel.image_generators.stylegan2.generator import StyleGAN2Generator
from latentreel.losses.adversarial import logistic_generator
from latentreel.losses.multi_scale import multi_scale_distance
from latentreel.nn.equalized_layers import EqualizedLinear
from latentreel.training.distribution import start_accelerator
from latentreel.training.image import ImageTraining, network_config
from latentreel.training.image_config import ImageTrainingConfig
from latentreel.training.loop import open_folder, train
from latentreel.training.phase import Batch, Outcome, Phase
from latentreel.training.presets import IMAGE
from latentreel.training.state import saved_states
from latentreel.worlds.registry import open_world
from latentreel.worlds.world import World, even_factors

POOL, DRAWN, STEPS_PER_DRAW = 4096, 32, 4
"""Pictures that batches are drawn from; new ones, and the steps between two draws."""

FIT_LEARNING_RATE, WARM_UP_STEPS = 2.5e-3, 100
MAPPING = 30.0
"""How much faster the mapping network learns than in a GAN, where it is slowed a hundredfold: it has a code to learn."""

CODE_WEIGHT = 3e-6
"""Weight of the code's divergence from normal noise, in nats, beside pixels at several sizes."""

CODES_MEASURED = 4096
GENERATOR_RATE, DISCRIMINATOR_RATE = 1e-3, 2.5e-3
HEAD_START = 60
"""Steps that the discriminator learns alone."""

AGAIN, AGAIN_ROWS = 20.0, 32
"""Weight of the distance of what is encoded and drawn again; the largest size that counts: what is finer is the discriminator's."""


class Encoder(nn.Module):
    """Pictures [N, 3, H, W] to means and log-variances of their codes, [N, D] each."""

    def __init__(self, sizes: StyleGAN2Config) -> None:
        super().__init__()
        self.body = StyleGAN2Discriminator(sizes)
        width = sizes.channels[0]
        self.hidden = EqualizedLinear(width * 16, 2 * width, activate=True)
        self.code = EqualizedLinear(2 * width, 2 * sizes.z_dim)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Log-variances begin near -4."""
        features = self.body.features(pictures)[-1].float().flatten(1)
        mean, log_variance = self.code(self.hidden(features)).chunk(2, dim=1)
        return mean, (log_variance - 4).clamp(-12, 4)


class Fitted(NamedTuple):
    """An autoencoder whose generator draws from normal noise."""

    generator: dict[str, Tensor]
    encoder: dict[str, Tensor]

    mean: Tensor
    """Of the codes, [D]."""

    factor: Tensor
    """Lower triangular, [D, D]: code = mean + factor @ noise."""


def main() -> None:
    """Fits, unless it is done, then trains."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("world", help="one whose factors are even and independent")
    parser.add_argument("out", type=Path, help="the run's folder")
    parser.add_argument("--fit-minutes", type=float, default=25.0, help="processor time of the autoencoder")
    parser.add_argument("--kimg", type=float, default=200.0, help="length of the training against a discriminator")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    preset = IMAGE[f"{arguments.world}-world"]
    config = dataclasses.replace(
        preset, out=arguments.out, kimg=arguments.kimg, mirror=False, deviation_features=16, learning_rate=GENERATOR_RATE
    )
    path = arguments.out / "autoencoder.pt"
    if not path.exists():
        arguments.out.mkdir(parents=True, exist_ok=True)
        world = open_world(arguments.world, resolution=config.resolution)
        torch.save(fit(config, world, arguments.fit_minutes)._asdict(), path)
    fitted = Fitted(**torch.load(path, weights_only=True))
    accelerator = start_accelerator(config)
    open_folder(config, accelerator)
    family = DecoderTraining(config, build(config, accelerator).sampler, accelerator)
    family.take(fitted, anew=not saved_states(config.out / "state"))
    with training(f"training in {config.out}", config) as on_step:
        train(family, on_step=on_step)


class DecoderTraining(ImageTraining):
    """The training of an image generator that still draws encoded pictures again."""

    def take(self, fitted: Fitted, *, anew: bool) -> None:
        """The frozen encoder and, for a new run, the generator."""
        self.fitted, self.encoder = fitted, Encoder(network_config(self.config))
        self.encoder.load_state_dict(fitted.encoder)
        self.encoder.requires_grad_(False)
        if anew:
            for module in (self.generator, self.average):
                module.load_state_dict(fitted.generator)

    def generator_objective(self, batch: Batch) -> Outcome:
        """Non-saturating logistic loss, and how far half of the real pictures are from what is drawn of their codes."""
        w, real = self.latents(batch, "generator"), batch.real[: len(batch) // 2]
        codes = self.generator.map(self._noise_of(batch, real))[:, None].expand(-1, w.shape[1], -1)
        images, again = self.generator.synthesize(torch.cat([w, codes])).split([len(w), len(codes)])
        self._fakes = images.detach()
        distance = multi_scale_distance(again, real, finest=AGAIN_ROWS).mean()
        return Outcome(losses={"adversarial": logistic_generator(self.discriminator(images)), "again": AGAIN * distance})

    def discriminator_objective(self, batch: Batch) -> Outcome:
        """While the generator waits, its pictures are drawn here."""
        if self._fakes is None:
            with torch.no_grad():
                self._fakes = self.generator.synthesize(self.latents(batch, "generator"))
        return super().discriminator_objective(batch)

    @torch.no_grad()
    def _noise_of(self, batch: Batch, real: Tensor) -> Tensor:
        """The noise, about normal, that stands for a draw from each picture's code, [N, D]."""
        mean, log_variance = self.encoder(real)
        codes = mean + (0.5 * log_variance).exp() * batch.normal("codes", mean.shape[1], size=len(real))
        noise: Tensor = torch.linalg.solve_triangular(self.fitted.factor, (codes - self.fitted.mean).T, upper=False)
        return noise.T

    def _phases(self) -> list[Phase]:
        generator, *judges = super()._phases()
        for group in judges[0].optimizer.param_groups:
            group["lr"] *= DISCRIMINATOR_RATE / self.config.learning_rate
        return [dataclasses.replace(generator, first=HEAD_START), *judges]


def fit(config: ImageTrainingConfig, world: World, minutes: float) -> Fitted:
    """The autoencoder, its learning rate along a half cosine down to nothing; then its codes as normal noise."""
    torch.manual_seed(config.seed)
    generator, encoder = StyleGAN2Generator(network_config(config)), Encoder(network_config(config))
    rates = {generator.mapping: MAPPING, generator.blocks: 1.0, encoder: 1.0}
    groups = [{"params": module.parameters(), "times": times} for module, times in rates.items()]
    optimizer = torch.optim.Adam(groups, lr=FIT_LEARNING_RATE, betas=(0.9, 0.99), fused=True)
    random = np.random.default_rng(config.seed)
    pool = drawn(world, POOL, random)
    columns = [TextColumn("autoencoder"), BarColumn(), TimeRemainingColumn(), TextColumn("{task.fields[note]}")]
    with Progress(*columns, refresh_per_second=1) as bar:
        task = bar.add_task("autoencoder", total=60 * minutes, note="")
        begin, step, done = time.process_time(), 0, 0.0
        while done < 1:
            falling = min(1.0, 1 + math.cos(math.pi * done)) * min(1.0, (step + 1) / WARM_UP_STEPS)
            for group in optimizer.param_groups:
                group["lr"] = FIT_LEARNING_RATE * group["times"] * falling
            if step % STEPS_PER_DRAW == 0:
                pool[random.integers(POOL, size=DRAWN)] = drawn(world, DRAWN, random)
            pictures = pool[random.integers(POOL, size=config.batch_size)]
            mean, log_variance = encoder(pictures)
            code = mean + (0.5 * log_variance).exp() * torch.randn_like(mean)
            distance = multi_scale_distance(generator.synthesize(generator.map(code)), pictures).mean()
            nats = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1).mean()
            optimizer.zero_grad(set_to_none=True)
            (distance + CODE_WEIGHT * nats).backward()
            optimizer.step()
            step += 1
            done = (time.process_time() - begin) / (60 * minutes)
            if step % 20 == 0:
                note = f"{step * config.batch_size} pictures, distance {distance.item():.3f}, {nats.item():.0f} nats"
                bar.update(task, completed=60 * minutes * done, note=note)
    return whitened(generator, encoder, drawn(world, CODES_MEASURED, random))


@torch.no_grad()
def whitened(generator: StyleGAN2Generator, encoder: Encoder, pictures: Tensor) -> Fitted:
    """The same networks, but the generator draws from normal noise e what it drew from the code m + L e.

    The mapping network divides its input by its length, which is nearly the same for all codes: its mean is put in its place.
    """
    means, log_variances = (torch.cat(part).double() for part in zip(*map(encoder, pictures.split(128)), strict=True))
    mean = means.mean(dim=0)
    factor = torch.linalg.cholesky(means.T.cov() + log_variances.exp().median(dim=0).values.diag())
    noise = torch.randn(CODES_MEASURED, len(mean), dtype=torch.float64)
    scale = (mean + noise @ factor.T).square().mean(dim=1).rsqrt().mean()
    first = generator.mapping.layers[0]
    assert isinstance(first, EqualizedLinear)
    weight = first.weight.double()
    assert first.bias is not None
    first.bias.add_((weight @ mean) * scale * (first.weight_gain / first.bias_gain))
    first.weight.copy_(weight @ factor * scale)
    return Fitted(generator.state_dict(), encoder.state_dict(), mean.float(), factor.float())


def drawn(world: World, count: int, random: np.random.Generator) -> Tensor:
    """Pictures of random factors [N, 3, H, W], all even over their range."""
    parts = (world.IDENTITY_FACTORS, world.MOTION_FACTORS)
    identity, motion = (np.stack([even_factors(part, random, rare=world.RARE) for _ in range(count)]) for part in parts)
    return to_float(torch.from_numpy(world.render(identity, motion)), device=torch.device("cpu"))


if __name__ == "__main__":
    main()
