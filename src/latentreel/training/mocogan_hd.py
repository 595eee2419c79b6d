"""Training a MoCoGAN-HD motion generator: its phases, and what surrounds them.

Phases and their turns: motion generator, every step; video discriminator and image discriminator, every `discriminator_every`
steps (Tian et al. 2021, Sec. 3.3, Eq. 7). All phases of a step share its generated clips: they are rendered once, before the motion
generator moves, and the discriminators see them without a graph.
"""

from functools import partial
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from latentreel.checkpoints.bundle import save_mocogan_hd
from latentreel.core.digests import weights_digest
from latentreel.core.labels import random_labels
from latentreel.core.pixels import to_float, to_uint8
from latentreel.core.randomness import torch_generator
from latentreel.core.video import Video
from latentreel.data.clip_sampling import ClipSampler
from latentreel.data.streamed_clips import StreamedClips
from latentreel.image_generators.build import Network
from latentreel.losses.adversarial import logistic_discriminator, logistic_generator, relativistic_least_squares
from latentreel.losses.penalties import mixture_gradient_penalty
from latentreel.media.contact_sheet import contact_sheet, save_image, video_grid
from latentreel.media.encode import save_video
from latentreel.mocogan_hd.image_discriminator import largest_input
from latentreel.mocogan_hd.latent_basis import LatentBasis
from latentreel.mocogan_hd.motion_generator import MotionGenerator, Trajectory
from latentreel.mocogan_hd.objectives import mutual_information
from latentreel.mocogan_hd.video_discriminator import LARGEST_INPUT, VideoDiscriminator, reverse_some
from latentreel.mocogan_hd.video_generator import VideoGenerator, graph_bytes
from latentreel.nn.patch_network import shrink_to
from latentreel.training.content_matching import ContentMatching, ContrastiveMatching, PairMatching
from latentreel.training.distribution import judge_together
from latentreel.training.motion_config import MotionTrainingConfig
from latentreel.training.phase import Batch, Outcome, Phase
from latentreel.training.starting_weights import (
    starting_image_discriminator,
    starting_motion,
    starting_video_discriminator,
)
from latentreel.training.state import TrainState

SAMPLES = 8  # clips in a sample video
BETAS = (0.5, 0.999)  # App. B


class MotionTraining:
    """A motion generator on a frozen image generator, two discriminators, and their phases. A `Family` of the training loop."""

    def __init__(
        self,
        config: MotionTrainingConfig,
        sampler: ClipSampler | StreamedClips,
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
        self.motion_generator = MotionGenerator(
            basis=basis,
            latent_dim=image_generator.w_dim,
            hidden_dim=config.hidden_dim,
            step_size=config.step_size,
            residual=config.residual,
            noise_from=config.noise_from,
        )
        self.video_generator = VideoGenerator(image_generator, self.motion_generator).to(accelerator.device)
        self.video_discriminator = VideoDiscriminator(
            domain=config.domain, base_width=config.video_discriminator_width, sees=config.video_sees
        )
        self.content = self._content_matching(image_generator.resolution)
        self._take_starting_weights()
        self.video_discriminator.to(accelerator.device)
        self.seen_size = max(LARGEST_INPUT, self.content.input_size if self.content else 0)
        """The largest height and width that a discriminator looks at; clips are pooled down to it at once."""
        self.frames_at_once = self._frames_at_once()
        self.phases = self._phases()
        modules: dict[str, nn.Module] = {
            "motion_generator": self.motion_generator,
            "video_discriminator": self.video_discriminator,
            **(self.content.modules if self.content else {}),
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
        real = torch.stack([shrink_to(to_float(clip, device=self.accelerator.device), self.seen_size) for clip in clips])
        return Batch(real=real, step=step, seed=self.config.seed, rank=rank, num_processes=world)

    # --- objectives -------------------------------------------------------------------------------------------------

    def motion_objective(self, batch: Batch) -> Outcome:
        """Eq. 7, the motion generator's side: both discriminators' losses, feature matching, and mutual information."""
        clips, trajectory = self.generate(batch)
        self._fakes = clips.detach()
        losses = {"video": self._raise(self._for_video(batch, clips, "fake"), self._for_video(batch, batch.real, "real"))}
        if self.content:
            losses |= self.content.motion_losses(batch, clips)
        information = mutual_information(trajectory.noise, trajectory.reconstructed_noise)
        losses["mutual_information"] = -information * self.config.mutual_information_weight
        return Outcome(losses=losses, figures={"frame_change": (clips[:, 1:] - clips[:, :-1]).abs().mean()})

    def video_discriminator_objective(self, batch: Batch) -> Outcome:
        """D_V: its adversarial loss, and the gradient penalty on mixtures of real and generated clips."""
        real, fake = self._for_video(batch, batch.real, "real"), self._for_video(batch, self._taken_fakes(), "fake")
        losses = {"adversarial": self._tell_apart(real, fake)}
        if self.config.gradient_penalty:
            penalty = mixture_gradient_penalty(self.video_discriminator, real, fake, batch.uniform("mixture"))
            losses["gradient_penalty"] = penalty * self.config.gradient_penalty
        return Outcome(losses=losses, figures={"frame_change": (batch.real[:, 1:] - batch.real[:, :-1]).abs().mean()})

    def image_discriminator_objective(self, batch: Batch) -> Outcome:
        """D_I: as its form has it."""
        assert self.content
        return self.content.objective(batch, self._taken_fakes())

    def generate(self, batch: Batch) -> tuple[Tensor, Trajectory]:
        """Clips [N, T, 3, H, W] from the step's latents (of random classes, if there are any) and motion noise."""
        generator = self.video_generator.image_generator
        labels = (batch.uniform("class") * generator.num_classes).long() if generator.num_classes else None
        with torch.no_grad():
            w = generator.map(batch.normal("content", generator.z_dim), labels)
        noise = batch.normal("motion", self.config.num_frames - 1, generator.w_dim)
        clips: tuple[Tensor, Trajectory] = self.video_generator(
            w, noise, self.config.image_noise, labels, frames_at_once=self.frames_at_once, largest=self.seen_size
        )
        return clips

    def _raise(self, fake: Tensor, real: Tensor) -> Tensor:
        """The motion generator's loss against D_V."""
        ours, theirs = judge_together(self.accelerator, self.video_discriminator, fake, real)
        if self.config.video_loss == "relativistic":
            return relativistic_least_squares(ours, theirs)
        return torch.stack([logistic_generator(scale) for scale in ours]).sum()

    def _tell_apart(self, real: Tensor, fake: Tensor) -> Tensor:
        """D_V's own loss."""
        theirs, ours = judge_together(self.accelerator, self.video_discriminator, real, fake)
        if self.config.video_loss == "relativistic":
            return relativistic_least_squares(theirs, ours)
        return torch.stack([logistic_discriminator(up, down) for up, down in zip(theirs, ours, strict=True)]).sum()

    def _taken_fakes(self) -> Tensor:
        assert self._fakes is not None, "the motion generator's phase comes first"
        return self._fakes

    def _for_video(self, batch: Batch, clips: Tensor, side: str) -> Tensor:
        if self.config.reverse_clips:
            clips = reverse_some(clips, batch.uniform(f"reverse/{side}"))
        return self.video_discriminator.present(clips)

    def _content_matching(self, resolution: int) -> ContentMatching | None:
        if not self.config.image_discriminator_weight:
            return None
        if self.config.contrastive:
            return ContrastiveMatching(self.config, self.accelerator, resolution=largest_input(resolution))
        return PairMatching(self.config, self.accelerator)

    def _frames_at_once(self) -> int:
        """How many frames the memory for drawing holds with a graph; 0 if it holds all of a step's.

        Where it does not hold one, the image generator keeps less of each.
        """
        frames = self.config.num_frames * self.config.batch_size // self.accelerator.num_processes
        generator = self.video_generator.image_generator
        assert isinstance(generator, Network)
        generator.recompute = False  # while a whole frame is weighed
        fitting = int(self.config.drawing_gb * 1e9 / graph_bytes(generator, self.config.image_noise))
        generator.recompute = fitting == 0
        return 0 if fitting >= frames else max(fitting, 1)

    def _take_starting_weights(self) -> None:
        """Gives the networks of a new run the weights that the config names; `resolve` has made their sizes agree."""
        config = self.config
        if config.start_from:
            _, motion = starting_motion(config.start_from)
            self.motion_generator.provenance = motion.provenance
            self.motion_generator.load_state_dict(motion.state_dict())
        if config.video_discriminator:
            self.video_discriminator.load_state_dict(starting_video_discriminator(config).state_dict())
        if config.image_discriminator and self.content:
            self.content.start_from(starting_image_discriminator(config))

    # --- what the loop asks for -------------------------------------------------------------------------------------

    def after_step(self) -> None:
        """Lets go of the step's clips; moves what follows D_I."""
        self._fakes = None
        if self.content:
            self.content.after_turn()

    @property
    def fps(self) -> float:
        """Frames per second of a clip: that of the videos, frame step counted."""
        if self.config.clip_seconds is not None:
            return self.config.num_frames / self.config.clip_seconds
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
        adam = partial(torch.optim.Adam, betas=BETAS, fused=True)  # many times faster than the default on a CPU
        motion, video = self.motion_generator, self.video_discriminator
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
                optimizer=adam(video.parameters(), lr=config.discriminator_learning_rate),
                objective=self.video_discriminator_objective,
                interval=config.discriminator_every,
            ),
        ]
        if self.content:
            phase = Phase(
                name="D_I",
                module=self.content.network,
                optimizer=self.content.optimizer(),
                objective=self.image_discriminator_objective,
                interval=config.discriminator_every,
            )
            phases.append(phase)
        return phases
