"""Training a StyleGAN2 on frames: the phases of StyleGAN2 and StyleGAN2-ADA (Karras et al. 2020a, 2020b).

Phases and their turns: generator; path length regularisation, every 4 steps, if asked for; discriminator; R1, every 16 steps.
The discriminator judges the images that the generator drew in the same step: they are drawn once.
"""

from functools import partial
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from latentreel.augment.adaptive import AdaptiveAugment
from latentreel.checkpoints.bundle import save_image_generator
from latentreel.core.errors import InputError
from latentreel.core.pixels import to_float, to_uint8
from latentreel.core.randomness import torch_generator
from latentreel.data.clip_sampling import ClipSampler
from latentreel.data.streamed_clips import StreamedClips
from latentreel.image_generators.stylegan2.config import StyleGAN2Config
from latentreel.image_generators.stylegan2.discriminator import StyleGAN2Discriminator
from latentreel.image_generators.stylegan2.generator import Noise, StyleGAN2Generator, SynthesisBlock
from latentreel.losses.adversarial import logistic_discriminator, logistic_generator
from latentreel.losses.penalties import path_length_penalty, r1_penalty
from latentreel.media.contact_sheet import contact_sheet, save_image
from latentreel.training.averages import averaged_copy, update_average
from latentreel.training.classes import class_numbers
from latentreel.training.image_config import ImageTrainingConfig
from latentreel.training.lazy_regularization import discriminator_phases, lazy_adam
from latentreel.training.phase import Batch, Outcome, Phase
from latentreel.training.state import TrainState, read_state, saved_states

SAMPLES = (6, 8)  # rows and columns of the sample sheet


class RunningMeans(nn.Module):
    """Means that belong to a run's state but to no network."""

    path_length: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("path_length", torch.zeros([]))


class ImageTraining:
    """A generator, its average, a discriminator, and their phases. A `Family` of the training loop."""

    def __init__(self, config: ImageTrainingConfig, sampler: ClipSampler | StreamedClips, accelerator: Accelerator) -> None:
        self.config = config
        self.sampler = sampler
        self.accelerator = accelerator
        torch.manual_seed(config.seed)
        self.labels: Tensor | None = None
        self.classes: tuple[str, ...] = ()
        if config.conditional:
            self.labels, self.classes = class_numbers(sampler)
        sizes = network_config(config, num_classes=len(self.classes))
        self.generator = StyleGAN2Generator(sizes)
        self.discriminator = StyleGAN2Discriminator(sizes)
        if config.grow_from is not None and not saved_states(config.out / "state"):
            grow(self.generator, self.discriminator, config.grow_from)
        self.average = averaged_copy(self.generator)
        self.augment = AdaptiveAugment(target=config.ada_target, kimg=config.ada_kimg)
        self.means = RunningMeans()
        modules = {"generator": self.generator, "discriminator": self.discriminator, "average": self.average}
        modules |= {"augment": self.augment, "means": self.means}
        for module in modules.values():
            module.to(accelerator.device)
        self.phases = self._phases()
        optimizers = {"generator": self.phases[0].optimizer, "discriminator": self.phases[-1].optimizer}
        inputs = {"data": sampler.store.digest} | ({"classes": " ".join(self.classes)} if self.classes else {})
        self.state = TrainState(modules=modules, optimizers=optimizers, inputs=inputs)
        self._fakes: Tensor | None = None
        self._draw = torch.compile(self.generator.synthesize) if config.compile else self.generator.synthesize
        self._judge = torch.compile(self.discriminator) if config.compile else self.discriminator

    def batch(self, step: int) -> Batch:
        """Real frames [N, 3, H, W] and the randomness of a step."""
        rank, world = self.accelerator.process_index, self.accelerator.num_processes
        frames = self.sampler.batch(step, self.config.batch_size // world, rank=rank, world_size=world)
        real, labels = to_float(frames[:, 0], device=self.accelerator.device), None
        if self.labels is not None:
            assert isinstance(self.sampler, ClipSampler)
            videos = self.sampler.videos_of(step, len(real), rank=rank, world_size=world)
            labels = self.labels[torch.from_numpy(videos)].to(real.device)
        return Batch(real=real, step=step, seed=self.config.seed, rank=rank, num_processes=world, labels=labels)

    # --- objectives -------------------------------------------------------------------------------------------------

    def latents(self, batch: Batch, purpose: str, *, size: int | None = None) -> Tensor:
        """Latents per layer [N, L, D]; a share of them is mixed from two sources (StyleGAN, Sec. 3.1)."""
        size, layers = size or len(batch), self.generator.num_layers
        z = torch.stack([batch.normal(f"{purpose}/z{i}", self.generator.z_dim, size=size) for i in (0, 1)])
        labels = None if batch.labels is None else batch.labels[:size].repeat(2)
        w, other = self.generator.map(z.flatten(0, 1), labels).unflatten(0, (2, size))
        draws = batch.uniform(f"{purpose}/mixing", 2, size=size)
        crossover = torch.where(draws[:, 0] < self.config.style_mixing, 1 + (draws[:, 1] * (layers - 1)).floor(), layers)
        from_other = torch.arange(layers, device=w.device) >= crossover[:, None]  # [N, L]
        return torch.where(from_other[:, :, None], other[:, None], w[:, None])

    def generator_objective(self, batch: Batch) -> Outcome:
        """Non-saturating logistic loss."""
        images = self._draw(self.latents(batch, "generator"), noise=self._noise(batch, "generator"))
        self._fakes = images.detach()
        logits = self._judge(self._augmented(images, batch, "generator"), batch.labels)
        return Outcome(losses={"adversarial": logistic_generator(logits)})

    def path_length_objective(self, batch: Batch) -> Outcome:
        """Path length regularisation on half the batch (StyleGAN2, App. B)."""
        w = self.latents(batch, "path_length", size=max(len(batch) // 2, 1))
        images = self.generator.synthesize(w, noise=self._noise(batch, "path_length", size=len(w)))
        noise = batch.normal("path_length/pixels", *images.shape[1:], size=len(w))
        average = partial(self.accelerator.reduce, reduction="mean")
        penalty = path_length_penalty(images, w, noise, self.means.path_length, average=average)
        weight = self.config.path_length_weight * self.config.path_length_every
        return Outcome(losses={"path_length": penalty * weight}, figures={"mean": self.means.path_length})

    def discriminator_objective(self, batch: Batch) -> Outcome:
        """Logistic loss on the step's real and generated images; the sign of D(real) steers the augmentation."""
        assert self._fakes is not None, "the generator's phase comes first"
        fake_logits = self._judge(self._augmented(self._fakes, batch, "fake"), batch.labels)
        real_logits = self._judge(self._augmented(batch.real, batch, "real"), batch.labels)
        sign = real_logits.detach().sign().mean()
        self.augment.observe(self.accelerator.reduce(sign.clone(), reduction="mean"), num_images=self.config.batch_size)
        figures = {"real_sign": sign, "augment": self.augment.strength}
        return Outcome(losses={"adversarial": logistic_discriminator(real_logits, fake_logits)}, figures=figures)

    def r1_objective(self, batch: Batch) -> Outcome:
        """R1 at the real images as the discriminator sees them, augmented."""
        real = self._augmented(batch.real, batch, "real").detach().requires_grad_()
        penalty = r1_penalty(self.discriminator(real, batch.labels), real)
        return Outcome(losses={"r1": penalty * (self.config.gamma / 2 * self.config.r1_every)})

    # --- what the loop asks for -------------------------------------------------------------------------------------

    def after_step(self) -> None:
        """Moves the average; lets go of the step's images."""
        self._fakes = None
        size, items = self.config.batch_size, self.state.items
        update_average(self.average, self.generator, batch_size=size, half_life=self.config.ema_kimg * 1000, items_seen=items)

    def save_samples(self, folder: Path) -> None:
        """A sheet of the averaged generator's images for latents that stay the same all through the run; classes take turns."""
        rows, columns = SAMPLES
        z = torch.randn(rows * columns, self.generator.z_dim, generator=torch_generator(self.config.seed, "samples"))
        labels = torch.arange(len(z)) % max(1, self.generator.num_classes)
        pairs = zip(z.to(self.accelerator.device).split(16), labels.to(self.accelerator.device).split(16), strict=True)
        with torch.no_grad():
            parts = [self.average(part, numbers if self.config.conditional else None) for part, numbers in pairs]
        images = to_uint8(torch.cat(parts))
        sheet = contact_sheet(list(images.reshape(rows, columns, *images.shape[1:])), columns=columns)
        save_image(folder / f"{self.state.items // 1000:06d}_kimg.png", sheet)

    def save_bundle(self, folder: Path) -> None:
        """The averaged generator."""
        self.average.estimate_mean_latent(num_samples=10_000)
        origin = f"trained by latentreel for {self.state.items / 1000:.0f} kimg on {self.config.data_name}"
        if self.classes:
            origin += "; classes: " + ", ".join(f"{number} {name}" for number, name in enumerate(self.classes))
        save_image_generator(self.average, folder, origin=origin)

    def _phases(self) -> list[Phase]:
        config, phases = self.config, []
        with_path = config.path_length_weight > 0
        optimizer = lazy_adam(self.generator, config.learning_rate, config.path_length_every if with_path else None)
        phases += [Phase(name="G", module=self.generator, optimizer=optimizer, objective=self.generator_objective)]
        if with_path:
            phases += [
                Phase(
                    name="G_path",
                    module=self.generator,
                    optimizer=optimizer,
                    objective=self.path_length_objective,
                    interval=config.path_length_every,
                )
            ]
        return phases + discriminator_phases(
            self.discriminator,
            self.discriminator_objective,
            self.r1_objective,
            learning_rate=config.discriminator_learning_rate or config.learning_rate,
            r1_every=config.r1_every,
        )

    def _noise(self, batch: Batch, purpose: str, *, size: int | None = None) -> Noise:
        if not self.config.noise:
            return "none"
        shapes = [layer.noise_map.shape for layer in self.generator.styled_layers()]
        return [batch.normal(f"{purpose}/noise{i}", 1, *shape, size=size) for i, shape in enumerate(shapes)]

    def _augmented(self, images: Tensor, batch: Batch, purpose: str) -> Tensor:
        draws = batch.generator(f"augment/{purpose}")
        augmented: Tensor = self.augment(images, draws, rank=batch.rank, num_processes=batch.num_processes)
        return augmented


def network_config(config: ImageTrainingConfig, *, num_classes: int = 0) -> StyleGAN2Config:
    """The sizes of the networks that a training config asks for."""
    return StyleGAN2Config(
        num_classes=num_classes,
        resolution=config.resolution,
        channels=config.channels,
        z_dim=config.latent_dim,
        w_dim=config.latent_dim,
        mapping_layers=config.mapping_layers,
        architecture=config.architecture,
        discriminator_architecture=config.discriminator_architecture,
        deviation_features=config.deviation_features,
    )


def grow(generator: StyleGAN2Generator, discriminator: StyleGAN2Discriminator, run: Path) -> None:
    """Starts two networks from a run at a lower resolution (Karras et al. 2018: growing, here in one step), or at the same.

    Equal blocks are copied. With the skip architecture the generator's new to-RGB layers start at zero, so that it first draws the
    old pictures, enlarged. The discriminator's new blocks start at random: they learn within some thousand images.

    Raises:
        InputError: The folder holds no such run, or widths disagree.
    """
    states = saved_states(run / "state")
    if not states:
        raise InputError("there is no trained state to grow from", given=run, allowed="the folder of a `train image` run")
    modules = read_state(states[0])["modules"]
    if "generator" not in modules:
        raise InputError("this run did not train an image generator", given=run, allowed="the folder of a `train image` run")
    old_generator = modules["average"]
    blocks = 1 + max(int(key.split(".")[1]) for key in old_generator if key.startswith("blocks."))
    if blocks > len(generator.blocks):
        raise InputError(
            "the run to grow from is larger", given=f"{2 ** (blocks + 1)} px", allowed=f"up to {generator.resolution} px"
        )
    _copy(generator, old_generator, where=run)
    for block in list(generator.blocks)[blocks:]:
        assert isinstance(block, SynthesisBlock)
        if generator.config.architecture == "skip" and block.to_rgb is not None:
            nn.init.zeros_(block.to_rgb.weight)
    # Both discriminators end alike: their blocks are counted from the top, so the old ones move up by the difference.
    shift = len(generator.blocks) - blocks
    _copy(discriminator, {_shifted(key, shift): value for key, value in modules["discriminator"].items()}, where=run)


def _copy(module: nn.Module, old: dict[str, Tensor], *, where: Path) -> None:
    own = module.state_dict()
    for key, value in old.items():
        if key not in own:
            continue  # the old first discriminator block's from-RGB has no place in a deeper network
        if own[key].shape != value.shape:
            raise InputError(f"{where}: {key} has another width", given=list(value.shape), allowed=list(own[key].shape))
        own[key].copy_(value)


def _shifted(key: str, shift: int) -> str:
    parts = key.split(".")
    if parts[0] == "blocks":
        parts[1] = str(int(parts[1]) + shift)
    return ".".join(parts)
