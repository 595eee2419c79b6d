"""Training a MoCoGAN-HD motion generator in-domain, as released: its phases, and what surrounds them.

Phases and their turns: motion generator, every step; video discriminator and image discriminator, every `discriminator_every`
steps (Tian et al. 2021, Sec. 3.3, Eq. 7). All phases of a step share its generated clips: they are rendered once, before the motion
generator moves, and the discriminators see them without a graph.
"""

import dataclasses
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from latentreel.checkpoints.bundle import load_motion_bundle, read_tensors, save_mocogan_hd, weights_digest, write_tensors
from latentreel.checkpoints.load import find_bundle, load_discriminator
from latentreel.core.errors import InputError
from latentreel.core.files import atomic_path
from latentreel.core.labels import random_labels
from latentreel.core.pixels import to_float, to_uint8
from latentreel.core.randomness import torch_generator
from latentreel.core.video import Video
from latentreel.data.clip_sampling import ClipSampler
from latentreel.image_generators.build import Network
from latentreel.losses.adversarial import relativistic_least_squares
from latentreel.losses.penalties import mixture_gradient_penalty
from latentreel.media.contact_sheet import contact_sheet, save_image, video_grid
from latentreel.media.encode import save_video
from latentreel.mocogan_hd.image_discriminator import PairDiscriminator
from latentreel.mocogan_hd.latent_basis import LatentBasis
from latentreel.mocogan_hd.motion_generator import MotionGenerator, Trajectory
from latentreel.mocogan_hd.objectives import mutual_information
from latentreel.mocogan_hd.video_discriminator import VideoDiscriminator, reverse_some
from latentreel.mocogan_hd.video_generator import VideoGenerator
from latentreel.nn.patch_network import MultiScalePatchDiscriminator
from latentreel.training.config import MotionTrainingConfig
from latentreel.training.phase import Batch, Outcome, Phase
from latentreel.training.state import TrainState, read_state, saved_states

_log = logging.getLogger(__name__)

SAMPLES = 8  # clips in a sample video
BETAS = (0.5, 0.999)  # App. B


class MotionTraining:
    """A motion generator on a frozen image generator, two discriminators, and their phases. A `Family` of the training loop."""

    def __init__(
        self,
        config: MotionTrainingConfig,
        sampler: ClipSampler,
        accelerator: Accelerator,
        *,
        image_generator: Network,
        basis: LatentBasis,
    ) -> None:
        self.config = config
        self.sampler = sampler
        self.accelerator = accelerator
        self.basis = basis
        torch.manual_seed(config.seed)
        motion = MotionGenerator(
            basis=basis, latent_dim=image_generator.w_dim, hidden_dim=config.hidden_dim, step_size=config.step_size
        )
        self.motion_generator = motion
        self.video_generator = VideoGenerator(image_generator, motion).to(accelerator.device)
        self.video_discriminator = VideoDiscriminator(base_width=config.video_discriminator_width)
        self.image_discriminator = PairDiscriminator(base_width=config.image_discriminator_width)
        self._take_starting_weights()
        for discriminator in (self.video_discriminator, self.image_discriminator):
            discriminator.to(accelerator.device)
        self.phases = self._phases()
        modules: dict[str, nn.Module] = {
            "motion_generator": motion,
            "video_discriminator": self.video_discriminator,
            "image_discriminator": self.image_discriminator,
        }
        self.state = TrainState(modules=modules, optimizers={phase.name: phase.optimizer for phase in self.phases})
        self.state.inputs = {
            "data": sampler.store.digest,
            "image generator": weights_digest(image_generator.state_dict()),
            "latent basis": weights_digest(basis.tensors()),
        }
        self._fakes: Tensor | None = None

    def batch(self, step: int) -> Batch:
        """Real clips [N, T, 3, H, W] and the randomness of a step."""
        rank, world = self.accelerator.process_index, self.accelerator.num_processes
        clips = self.sampler.batch(step, self.config.batch_size // world, rank=rank, world_size=world)
        real = to_float(clips, device=self.accelerator.device)
        return Batch(real=real, step=step, seed=self.config.seed, rank=rank, num_processes=world)

    # --- objectives -------------------------------------------------------------------------------------------------

    def motion_objective(self, batch: Batch) -> Outcome:
        """Eq. 7, the motion generator's side: both discriminators' losses, and the mutual information term."""
        clips, trajectory = self.generate(batch)
        self._fakes = clips.detach()
        losses = {"video": self._compare(self.video_discriminator, self._for_video(batch, clips), self._real_for_video(batch))}
        if self.config.image_discriminator_weight:
            pairs = self._pairs(batch)
            fake = self.image_discriminator.present(clips, batch.uniform("pairs/fake"))
            losses["image"] = self._compare(self.image_discriminator, fake, pairs) * self.config.image_discriminator_weight
        information = mutual_information(trajectory.noise, trajectory.reconstructed_noise)
        losses["mutual_information"] = -information * self.config.mutual_information_weight
        return Outcome(losses=losses, figures={"frame_change": (clips[:, 1:] - clips[:, :-1]).abs().mean()})

    def video_discriminator_objective(self, batch: Batch) -> Outcome:
        """D_V: relativistic least squares, and the gradient penalty on mixtures of real and generated clips."""
        real, fake = self._real_for_video(batch), self._for_video(batch, self._taken_fakes())
        losses = {"adversarial": self._compare(self.video_discriminator, real, fake)}
        if self.config.gradient_penalty:
            penalty = mixture_gradient_penalty(self.video_discriminator, real, fake, batch.uniform("mixture"))
            losses["gradient_penalty"] = penalty * self.config.gradient_penalty
        return Outcome(losses=losses, figures={"frame_change": (batch.real[:, 1:] - batch.real[:, :-1]).abs().mean()})

    def image_discriminator_objective(self, batch: Batch) -> Outcome:
        """D_I: relativistic least squares on pairs of a first and a later frame."""
        fake = self.image_discriminator.present(self._taken_fakes(), batch.uniform("pairs/fake"))
        return Outcome(losses={"adversarial": self._compare(self.image_discriminator, self._pairs(batch), fake)})

    def generate(self, batch: Batch) -> tuple[Tensor, Trajectory]:
        """Clips [N, T, 3, H, W] from the step's latents (of random classes, if there are any) and motion noise."""
        generator = self.video_generator.image_generator
        labels = (batch.uniform("class") * generator.num_classes).long() if generator.num_classes else None
        with torch.no_grad():
            w = generator.map(batch.normal("content", generator.z_dim), labels)
        noise = batch.normal("motion", self.config.num_frames - 1, generator.w_dim)
        clips: tuple[Tensor, Trajectory] = self.video_generator(w, noise, self.config.image_noise, labels)
        return clips

    @staticmethod
    def _compare(discriminator: nn.Module, raised: Tensor, lowered: Tensor) -> Tensor:
        """Relativistic least squares of two batches, judged together."""
        logits = [scale.chunk(2) for scale in discriminator(torch.cat([raised, lowered]))]
        return relativistic_least_squares([up for up, _ in logits], [down for _, down in logits])

    def _taken_fakes(self) -> Tensor:
        assert self._fakes is not None, "the motion generator's phase comes first"
        return self._fakes

    def _real_for_video(self, batch: Batch) -> Tensor:
        return self._for_video(batch, batch.real, side="real")

    def _for_video(self, batch: Batch, clips: Tensor, side: str = "fake") -> Tensor:
        if self.config.reverse_clips:
            clips = reverse_some(clips, batch.uniform(f"reverse/{side}"))
        return self.video_discriminator.present(clips)

    def _pairs(self, batch: Batch) -> Tensor:
        return self.image_discriminator.present(batch.real, batch.uniform("pairs/real"))

    def _take_starting_weights(self) -> None:
        """Gives the networks of a new run the weights that the config names; `resolve` has made their sizes agree."""
        config = self.config
        if config.start_from:
            _, motion = _starting_motion(config.start_from)
            self.motion_generator.provenance = motion.provenance
            self.motion_generator.load_state_dict(motion.state_dict())
        for name, module in (
            ("video_discriminator", self.video_discriminator),
            ("image_discriminator", self.image_discriminator),
        ):
            source = getattr(config, name)
            if source:
                module.load_state_dict(_starting_discriminator(source, type(module)).state_dict())

    # --- what the loop asks for -------------------------------------------------------------------------------------

    def after_step(self) -> None:
        """Lets go of the step's clips."""
        self._fakes = None

    @property
    def fps(self) -> float:
        """Frames per second of a clip: that of the videos, frame step counted."""
        rates = sorted(self.sampler.store.fps)
        return rates[len(rates) // 2] / self.config.frame_step

    @torch.no_grad()
    def save_samples(self, folder: Path) -> None:
        """A video and a sheet of clips whose contents and motions stay the same all through the run."""
        generator, frames = self.video_generator.image_generator, self.config.num_frames
        draws = torch_generator(self.config.seed, "samples")
        z = torch.randn(SAMPLES, generator.z_dim, generator=draws).to(self.accelerator.device)
        noise = torch.randn(SAMPLES, frames - 1, generator.w_dim, generator=draws).to(self.accelerator.device)
        labels = random_labels(generator, SAMPLES, draws)
        every = [None] * SAMPLES if labels is None else labels.to(z.device).split(1)
        clips = []
        for z_n, eps, label in zip(z.split(1), noise.split(1), every, strict=True):
            clip, _ = self.video_generator(generator.map(z_n, label), eps, self.config.image_noise, label)
            clips.append(to_uint8(clip[0]))
        name = f"{self.state.step:07d}_steps"
        save_image(folder / f"{name}.png", contact_sheet(clips, columns=8))
        save_video(Video(video_grid(clips, columns=4), fps=self.fps), folder / f"{name}.mp4")

    def save_bundle(self, folder: Path) -> None:
        """Image generator, basis and motion generator, ready for use."""
        origin = f"motion trained by latentreel for {self.state.items / 1000:.1f} thousand clips of {self.config.data_name}"
        generator = self.video_generator.image_generator
        assert isinstance(generator, Network)
        licence = self.motion_generator.provenance["licence"]
        if self.config.start_from:
            origin += f", from {self.motion_generator.provenance['origin']}"
        save_mocogan_hd(generator, self.basis, self.motion_generator, folder, origin=origin, licence=licence, fps=self.fps)

    def _phases(self) -> list[Phase]:
        config = self.config
        adam = partial(torch.optim.Adam, betas=BETAS)
        every, rate = config.discriminator_every, config.discriminator_learning_rate
        motion, video, image = self.motion_generator, self.video_discriminator, self.image_discriminator
        phases = [
            Phase(
                name="G",
                module=motion,
                optimizer=adam(motion.parameters(), lr=config.learning_rate),
                objective=self.motion_objective,
            ),
            Phase(
                name="D_V",
                module=video,
                optimizer=adam(video.parameters(), lr=rate),
                objective=self.video_discriminator_objective,
                interval=every,
            ),
        ]
        if config.image_discriminator_weight:
            objective = self.image_discriminator_objective
            optimizer = adam(image.parameters(), lr=rate)
            phases += [Phase(name="D_I", module=image, optimizer=optimizer, objective=objective, interval=every)]
        return phases


def resolve(config: MotionTrainingConfig) -> MotionTrainingConfig:
    """The config with the image generator and the sizes of the weights that training starts from; warns of what they replace.

    Raises:
        InputError: Weights to start from are missing, damaged, or of another kind.
    """
    brought: dict[str, Any] = {}
    if config.start_from:
        _, motion = _starting_motion(config.start_from)
        names = ("hidden_dim", "num_components", "step_size")
        brought = {name: getattr(motion.config, name) for name in names} | {"image_generator": config.start_from}
    for name, kind in (("video_discriminator", VideoDiscriminator), ("image_discriminator", PairDiscriminator)):
        source = getattr(config, name)
        if source:
            brought[f"{name}_width"] = _starting_discriminator(source, kind).base_width
    for name, value in brought.items():
        if getattr(config, name) not in (value, ""):
            _log.warning("the weights to start from bring %s %s; %s is not used", name, value, getattr(config, name))
    return dataclasses.replace(config, **brought)


def _starting_motion(source: str) -> tuple[LatentBasis, MotionGenerator]:
    folder = find_bundle(source)
    if folder is None:
        raise InputError("there is nothing to start from", given=source, allowed="a bundle or a run's folder")
    basis, motion, _ = load_motion_bundle(folder)
    return basis, motion


def _starting_discriminator(source: str, kind: type[MultiScalePatchDiscriminator]) -> MultiScalePatchDiscriminator:
    discriminator = load_discriminator(source)
    if not isinstance(discriminator, kind) or getattr(discriminator, "domain", "in") != "in":
        raise InputError(
            f"{source} is no in-domain discriminator of the right kind",
            given=f"{type(discriminator).__name__}, {getattr(discriminator, 'domain', 'any')} domain",
            allowed=f"{kind.__name__}, in domain",
        )
    return discriminator


def trained_discriminators(run: Path) -> dict[str, MultiScalePatchDiscriminator]:
    """The discriminators in a run's newest state, by the names that the MoCoGAN-HD release gives their files; none without a state.

    Raises:
        InputError: The state is damaged.
    """
    states = saved_states(run / "state")
    modules = read_state(states[0])["modules"] if states else {}
    kinds = {
        "modelD_3d_epoch_0.pth": ("video_discriminator", VideoDiscriminator),
        "modelD_img_epoch_0.pth": ("image_discriminator", PairDiscriminator),
    }
    found: dict[str, MultiScalePatchDiscriminator] = {}
    for file, (name, kind) in kinds.items():
        if name in modules:
            found[file] = kind(base_width=len(modules[name]["scales.0.layers.0.bias"]))
            found[file].load_state_dict(modules[name])
    return found


def open_basis(
    config: MotionTrainingConfig,
    generator: Network,
    *,
    anew: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> LatentBasis:
    """The basis that a run keeps in its folder; at first it is computed, at most as wide as the latents, or taken from the start.

    Args:
        config: The run's.
        generator: The frozen image generator.
        anew: Compute it even if there is one: in a folder without a state, it may be another run's.
        progress: Called with samples done and samples in all.

    Raises:
        InputError: The folder cannot be written to, or the file there is damaged.
    """
    path = config.out / "basis.safetensors"
    if path.exists() and not anew:
        return LatentBasis.from_tensors(read_tensors(path), where=str(path))
    if config.start_from:
        basis = _starting_motion(config.start_from)[0].truncated(config.num_components)
        return _keep_basis(basis, path)
    components, samples = min(config.num_components, generator.w_dim), max(config.basis_samples, generator.w_dim + 1)
    if (components, samples) != (config.num_components, config.basis_samples):
        _log.warning(
            "the latents are %d wide: the basis has %d components, from %d samples", generator.w_dim, components, samples
        )
    basis = LatentBasis.fit(generator, num_samples=samples, num_components=components, seed=config.seed, progress=progress)
    return _keep_basis(basis, path)


def _keep_basis(basis: LatentBasis, path: Path) -> LatentBasis:
    with atomic_path(path) as temporary:
        write_tensors(basis.tensors(), temporary)
    return basis
