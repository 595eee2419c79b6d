"""`VideoPipeline`: a trained model in use. Seeds in, videos out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Self

import numpy as np
import torch
from torch import Tensor

from latentreel.checkpoints.bundle import load_image_generator_bundle, load_motion_bundle, save_mocogan_hd
from latentreel.checkpoints.load import find_bundle, shipped_names
from latentreel.core.errors import InputError
from latentreel.core.image_generator import UNSTATED
from latentreel.core.pixels import to_uint8
from latentreel.core.video import Video
from latentreel.image_generators.build import Network
from latentreel.mocogan_hd.latent_basis import LatentBasis
from latentreel.mocogan_hd.motion_generator import MotionGenerator, directions_of
from latentreel.mocogan_hd.video_generator import render
from latentreel.sampling.latents import content_labels, content_latents
from latentreel.sampling.rollout import rollout

CHUNK = 8  # frames drawn at once; part of what makes a clip reproducible to the bit


class VideoPipeline:
    """A frozen image generator, its latent basis, and a motion generator."""

    def __init__(
        self, *, image_generator: Network, basis: LatentBasis, motion_generator: MotionGenerator, fps: float = 25.0
    ) -> None:
        """Puts the parts together; they become frozen.

        Raises:
            InputError: They were not made for each other.
        """
        if image_generator.w_dim != motion_generator.config.latent_dim:
            raise InputError(
                "the motion generator is for another image generator",
                given=f"latents of width {motion_generator.config.latent_dim}",
                allowed=image_generator.w_dim,
            )
        sizes = motion_generator.config
        expected = directions_of(basis.truncated(sizes.num_components), sizes.residual)
        same = torch.equal(motion_generator.directions.cpu(), expected.cpu())
        if sizes.residual == "none":
            same = same and torch.equal(motion_generator.mean.cpu(), basis.mean.cpu())
        if not same:
            raise InputError("the motion generator was made for another basis", fix="give the basis that it was built with")
        self.image_generator = image_generator.eval().requires_grad_(False)
        self.basis = basis
        self.motion_generator = motion_generator.eval().requires_grad_(False)
        self.fps = fps

    @classmethod
    def load(cls, source: Path | str) -> Self:
        """Opens a bundle.

        Args:
            source: The bundle's folder, the folder of the run that made it, or the name of one that ships ("faces").

        Raises:
            InputError: There is no such bundle, it holds no motion, or it is damaged.
        """
        folder = find_bundle(source)
        if folder is None:
            names = ", ".join(shipped_names())
            raise InputError(
                "there is no such bundle", given=source, allowed=f"a bundle, a run's folder, or a name that ships: {names}"
            )
        basis, motion, fps = load_motion_bundle(folder)
        return cls(image_generator=load_image_generator_bundle(folder), basis=basis, motion_generator=motion, fps=fps)

    def save(self, folder: Path | str, *, origin: str = UNSTATED, licence: str = UNSTATED) -> None:
        """Writes a bundle; an older one there is replaced.

        Args:
            folder: Where.
            origin: Where the weights come from, in words.
            licence: Under which terms they stand.
        """
        parts = (self.image_generator, self.basis, self.motion_generator)
        save_mocogan_hd(*parts, Path(folder), origin=origin, licence=licence, fps=self.fps)

    def to(self, device: torch.device | str) -> Self:
        """Moves the networks; returns the pipeline itself."""
        self.image_generator.to(device)
        self.motion_generator.to(device)
        return self

    def generate(
        self,
        *,
        seed: int = 0,
        motion_seed: int = 0,
        num_frames: int = 16,
        truncation: float = 1.0,
        noise: Literal["none", "fixed"] = "none",
        label: int | None = None,
        fps: float | None = None,
    ) -> Video:
        """One clip, whole in memory; the same arguments give the same clip.

        Args:
            seed: Chooses the content, what the first frame shows.
            motion_seed: Chooses the motion.
            num_frames: Length; may exceed the length of the training clips.
            truncation: 1 leaves the content as drawn, smaller values move it toward the mean.
            noise: Per-layer noise of a StyleGAN2: absent, or its stored maps, the same for every frame.
            label: Class of the content, for image generators that have classes; by default the seed chooses one.
            fps: Frames per second of the result; by default those of the videos the motion was learned from.

        Raises:
            InputError: A number is out of range.
        """
        settings = {"num_frames": num_frames, "truncation": truncation, "noise": noise, "label": label, "fps": fps}
        chunks = list(self.stream(seed=seed, motion_seed=motion_seed, **settings))  # type: ignore[arg-type]
        return Video(np.concatenate([chunk.frames for chunk in chunks]), fps=chunks[0].fps)

    def stream(
        self,
        *,
        seed: int = 0,
        motion_seed: int = 0,
        num_frames: int,
        truncation: float = 1.0,
        noise: Literal["none", "fixed"] = "none",
        label: int | None = None,
        fps: float | None = None,
    ) -> Iterator[Video]:
        """The clip that `generate` would give, a few frames at a time, in constant memory.

        Args and Raises are those of `generate`.

        Yields:
            Consecutive pieces of the clip.
        """
        device = self.motion_generator.directions.device
        labels = content_labels(self.image_generator, [seed], label=label, device=device)
        w = content_latents(self.image_generator, [seed], labels=labels, truncation=truncation, device=device)
        pieces = rollout(self.motion_generator, w, num_frames=num_frames, motion_seed=motion_seed, chunk=CHUNK)
        return self._draw(pieces, labels, noise, self.fps if fps is None else fps)

    @torch.no_grad()
    def _draw(
        self, pieces: Iterator[Tensor], labels: Tensor | None, noise: Literal["none", "fixed"], fps: float
    ) -> Iterator[Video]:
        for latents in pieces:
            frames = render(self.image_generator, latents[None], noise, labels=labels)[0]
            yield Video(to_uint8(frames), fps=fps)
