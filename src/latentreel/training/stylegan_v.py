"""Training a StyleGAN-V on sparse frames of videos (Skorokhodov et al. 2022, Sec. 3.3): its phases, and what surrounds them.

Phases and their turns: generator; discriminator; R1, every 16 steps. No path length term and no style mixing. The discriminator
judges the frames that the generator drew in the same step: they are drawn once.
"""

import logging
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor

from latentreel.augment.adaptive import AdaptiveAugment
from latentreel.checkpoints.bundle import save_stylegan_v
from latentreel.core.image_generator import UNSTATED
from latentreel.core.pixels import to_float, to_uint8
from latentreel.core.randomness import torch_generator
from latentreel.core.video import Video
from latentreel.data.clip_sampling import ClipSampler
from latentreel.losses.adversarial import logistic_discriminator, logistic_generator
from latentreel.losses.penalties import r1_penalty
from latentreel.media.contact_sheet import contact_sheet, save_image, video_grid
from latentreel.media.encode import save_video
from latentreel.stylegan_v.config import StyleGANVConfig, StyleGANVDiscriminatorConfig
from latentreel.stylegan_v.discriminator import StyleGANVDiscriminator
from latentreel.stylegan_v.frame_sampling import FrameSampling, generated_times
from latentreel.stylegan_v.generator import StyleGANVGenerator
from latentreel.stylegan_v.motion_codes import motion_noise
from latentreel.training.averages import averaged_copy, update_average
from latentreel.training.classes import class_numbers
from latentreel.training.image_start import start_from_images
from latentreel.training.lazy_regularization import discriminator_phases, lazy_adam
from latentreel.training.phase import Batch, Outcome, Phase
from latentreel.training.state import TrainState, saved_states
from latentreel.training.stylegan_v_config import StyleGANVTrainingConfig

_log = logging.getLogger(__name__)

SAMPLES, SAMPLE_FRAMES, SHOWN_FRAMES = 8, 64, 8  # clips in a sample video, frames of each, how many are on the sheet


class StyleGANVTraining:
    """A generator, its average, a discriminator, and their phases. A `Family` of the training loop."""

    def __init__(self, config: StyleGANVTrainingConfig, sampler: ClipSampler, accelerator: Accelerator) -> None:
        self.config = config
        self.sampler = sampler
        self.accelerator = accelerator
        torch.manual_seed(config.seed)
        self.labels: Tensor | None = None
        self.classes: tuple[str, ...] = ()
        if config.conditional:
            self.labels, self.classes = class_numbers(sampler)
        rates = sorted(sampler.store.fps)
        fps = rates[len(rates) // 2]
        if rates[-1] > 1.01 * rates[0]:
            told = (rates[0], rates[-1], fps)
            _log.warning(
                "videos run at %.4g to %.4g frames per second: a frame counts as one of time in all, %.4g a second", *told
            )
        self.generator = StyleGANVGenerator(generator_config(config, num_classes=len(self.classes), fps=fps))
        self.discriminator = StyleGANVDiscriminator(discriminator_config(config, num_classes=len(self.classes)))
        inputs = {"data": sampler.store.digest}
        if config.image_generator is not None and not saved_states(config.out / "state"):
            inputs |= start_from_images(self.generator, self.discriminator, config.image_generator)
        self.average = averaged_copy(self.generator)
        self.augment = AdaptiveAugment(target=config.ada_target, kimg=config.ada_kclips)
        modules = {"generator": self.generator, "discriminator": self.discriminator, "average": self.average}
        modules |= {"augment": self.augment}
        for module in modules.values():
            module.to(accelerator.device)
        self.phases = self._phases()
        optimizers = {"generator": self.phases[0].optimizer, "discriminator": self.phases[-1].optimizer}
        inputs |= {"classes": " ".join(self.classes)} if self.classes else {}
        self.state = TrainState(modules=modules, optimizers=optimizers, inputs=inputs)
        self._fakes: Tensor | None = None

    def batch(self, step: int) -> Batch:
        """Sparse frames of real clips [N, k, 3, H, W], their times, and the randomness of a step."""
        rank, world, device = self.accelerator.process_index, self.accelerator.num_processes, self.accelerator.device
        size, labels = self.config.batch_size // world, None
        clips, places = self.sampler.timed_batch(step, size, rank, world)
        if self.labels is not None:
            labels = self.labels[torch.from_numpy(self.sampler.videos_of(step, size, rank, world))].to(device)
        return Batch(
            real=to_float(clips, device=device),
            times=torch.from_numpy(places).to(device),
            step=step,
            seed=self.config.seed,
            rank=rank,
            num_processes=world,
            labels=labels,
        )

    # --- objectives -------------------------------------------------------------------------------------------------

    def generate(self, batch: Batch) -> Tensor:
        """Frames [N, k, 3, H, W] of clips that begin anywhere, at the distances (and of the classes) of the batch's real ones."""
        assert batch.times is not None
        times = generated_times(batch.times, batch.uniform("begin"), max_frames=self.config.max_frames)
        first = (times[:, 0] / self.config.anchor_distance).floor().long()
        # Only the noise around a clip is drawn: anchors to reach the farthest frame from anywhere between two of them.
        anchors = (self.config.max_distance - 1) // self.config.anchor_distance + 3
        noise = batch.normal("motion", anchors + self.generator.config.motion_context, self.config.motion_dim)
        w = self.generator.map(batch.normal("content", self.generator.z_dim), batch.labels)
        return self.generator.synthesize(w, motion_z=noise, t=times, labels=batch.labels, first_anchor=first)

    def generator_objective(self, batch: Batch) -> Outcome:
        """Non-saturating logistic loss."""
        clips = self.generate(batch)
        self._fakes = clips.detach()
        logits = self._judge(self._augmented(clips, batch, "generator"), batch)
        return Outcome(losses={"adversarial": logistic_generator(logits)}, figures={"frame_change": _frame_change(clips)})

    def discriminator_objective(self, batch: Batch) -> Outcome:
        """Logistic loss on the step's real and generated clips; the sign of D(real) steers the augmentation."""
        if self._fakes is None:  # the generator waits
            with torch.no_grad():
                self._fakes = self.generate(batch)
        fake_logits = self._judge(self._augmented(self._fakes, batch, "fake"), batch)
        real_logits = self._judge(self._augmented(batch.real, batch, "real"), batch)
        sign = real_logits.detach().sign().mean()
        self.augment.observe(self.accelerator.reduce(sign.clone(), reduction="mean"), num_images=self.config.batch_size)
        figures = {"real_sign": sign, "augment": self.augment.strength, "frame_change": _frame_change(batch.real)}
        return Outcome(losses={"adversarial": logistic_discriminator(real_logits, fake_logits)}, figures=figures)

    def r1_objective(self, batch: Batch) -> Outcome:
        """R1 at the real frames as the discriminator sees them, augmented: the mean over the frames of a clip."""
        real = self._augmented(batch.real, batch, "real").detach().requires_grad_()
        penalty = r1_penalty(self._judge(real, batch), real) / self.config.num_frames
        return Outcome(losses={"r1": penalty * (self.config.gamma / 2 * self.config.r1_every)})

    def _judge(self, clips: Tensor, batch: Batch) -> Tensor:
        assert batch.times is not None
        logits: Tensor = self.discriminator(clips, batch.times, batch.labels)
        return logits

    def _augmented(self, clips: Tensor, batch: Batch, purpose: str) -> Tensor:
        draws = batch.generator(f"augment/{purpose}")
        augmented: Tensor = self.augment(clips, draws, rank=batch.rank, num_processes=batch.num_processes)
        return augmented

    # --- what the loop asks for -------------------------------------------------------------------------------------

    def after_step(self) -> None:
        """Moves the average; lets go of the step's clips."""
        self._fakes = None
        size, half_life = self.config.batch_size, self.config.ema_kclips * 1000
        update_average(self.average, self.generator, batch_size=size, half_life=half_life, items_seen=self.state.items)

    @torch.no_grad()
    def save_samples(self, folder: Path) -> None:
        """A video and a sheet of the averaged generator's clips whose contents and motions stay the same all through the run."""
        generator, device = self.average, self.accelerator.device
        z = torch.randn(SAMPLES, generator.z_dim, generator=torch_generator(self.config.seed, "samples")).to(device)
        labels = torch.arange(SAMPLES, device=device) % generator.num_classes if self.classes else None
        t = torch.arange(SAMPLE_FRAMES, dtype=torch.float64, device=device)[None]
        window = generator.motion.window(t)
        every = [None] * SAMPLES if labels is None else labels.split(1)
        clips = []
        for seed, (z_n, label) in enumerate(zip(z.split(1), every, strict=True)):
            noise = motion_noise([seed], window, self.config.motion_dim).to(device)
            w = generator.map(z_n, label)
            clips.append(to_uint8(generator.synthesize(w, motion_z=noise, t=t, labels=label, frames_at_once=16)[0]))
        name = f"{self.state.step:07d}_steps"
        save_image(folder / f"{name}.png", contact_sheet(clips, columns=SHOWN_FRAMES))
        save_video(Video(video_grid(clips, columns=4), fps=generator.config.fps), folder / f"{name}.mp4")

    def save_bundle(self, folder: Path) -> None:
        """The averaged generator."""
        self.average.estimate_mean_latent(num_samples=10_000)
        origin = f"trained by latentreel for {self.state.items / 1000:.1f} thousand clips of {self.config.data_name}"
        if self.classes:
            origin += "; classes: " + ", ".join(f"{number} {name}" for number, name in enumerate(self.classes))
        if "origin" in self.state.inputs:
            origin += f", from {self.state.inputs['origin']}"
        save_stylegan_v(self.average, folder, origin=origin, licence=self.state.inputs.get("licence", UNSTATED))

    def _phases(self) -> list[Phase]:
        config = self.config
        optimizer = lazy_adam(self.generator, config.learning_rate, None)
        waits = config.generator_waits
        phases = [Phase(name="G", module=self.generator, optimizer=optimizer, objective=self.generator_objective, first=waits)]
        return phases + discriminator_phases(
            self.discriminator,
            self.discriminator_objective,
            self.r1_objective,
            learning_rate=config.discriminator_learning_rate or config.learning_rate,
            r1_every=config.r1_every,
        )


def frame_sampling(config: StyleGANVTrainingConfig) -> FrameSampling:
    """Which frames of the videos a training looks at."""
    return FrameSampling(num_frames=config.num_frames, max_distance=config.max_distance, pattern=config.pattern)


def generator_config(config: StyleGANVTrainingConfig, *, num_classes: int = 0, fps: float = 25.0) -> StyleGANVConfig:
    """The sizes of the generator that a training config asks for."""
    return StyleGANVConfig(
        num_classes=num_classes,
        resolution=config.resolution,
        channels=config.channels,
        z_dim=config.latent_dim,
        w_dim=config.latent_dim,
        mapping_layers=config.mapping_layers,
        motion_dim=config.motion_dim,
        code_dim=config.code_dim,
        motion_kernel=config.motion_kernel,
        motion_sees_class=config.motion_sees_class and num_classes > 0,
        anchor_distance=config.anchor_distance,
        num_frequencies=config.num_frequencies,
        min_period=config.min_period,
        max_period=config.max_period,
        fps=fps,
    )


def discriminator_config(config: StyleGANVTrainingConfig, *, num_classes: int = 0) -> StyleGANVDiscriminatorConfig:
    """The sizes of the discriminator that a training config asks for."""
    return StyleGANVDiscriminatorConfig(
        num_classes=num_classes,
        resolution=config.resolution,
        channels=config.channels,
        mapping_layers=config.mapping_layers,
        deviation_features=config.deviation_features,
        clip_frames=config.num_frames,
        max_frames=config.max_frames,
        difference_dim=config.difference_dim,
    )


def _frame_change(clips: Tensor) -> Tensor:
    """How much a frame differs from the one looked at before it; a generator that freezes shows here."""
    return (clips.detach()[:, 1:] - clips.detach()[:, :-1]).abs().mean()
