"""`VideoPipeline`: a trained model in use. Seeds in, videos out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Self, Unpack

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
from latentreel.pipelines.clip_settings import Content, Settings, check_style_mix, given_latent, refuse_unknown
from latentreel.sampling.courses import closed, interpolated
from latentreel.sampling.latents import content_labels, content_latents
from latentreel.sampling.motion import Motion
from latentreel.sampling.rollout import HOLD, in_chunks, rollout

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

    def generate(self, *, num_frames: int = 16, **settings: Unpack[Settings]) -> Video:
        """One clip, whole in memory; the same arguments give the same clip.

        Args:
            num_frames: Length; may exceed the length of the training clips.
            settings: Those of `Settings`.

        Raises:
            InputError: A number is out of range, or a motion or a direction belongs to another model.
        """
        chunks = list(self.stream(num_frames=num_frames, **settings))
        return Video(np.concatenate([chunk.frames for chunk in chunks]), fps=chunks[0].fps)

    def stream(self, *, num_frames: int, **settings: Unpack[Settings]) -> Iterator[Video]:
        """The clip that `generate` would give, a few frames at a time, in constant memory.

        Args and Raises are those of `generate`.

        Yields:
            Consecutive pieces of the clip.
        """
        refuse_unknown(settings)
        content = self._content(settings)
        pieces = self._course(content, num_frames, settings)
        factor = settings.get("interpolate", 1)
        if factor != 1:
            pieces = interpolated(pieces, factor, settings.get("interpolation", "spline"), chunk=CHUNK)
        fps = settings.get("fps")
        fps = self.fps * factor if fps is None else fps
        return self._draw(pieces, content, settings.get("noise", "none"), fps)

    def motion(self, *, num_frames: int = 16, **settings: Unpack[Settings]) -> Motion:
        """How the clip of these arguments moves, apart from what it shows; `generate(motion=...)` moves another content so."""
        refuse_unknown(settings)
        content = self._content(settings)
        return Motion.of(torch.cat(list(self._course(content, num_frames, settings))), self.basis, fps=self.fps)

    def content(self, **settings: Unpack[Settings]) -> Content:
        """What the clip of these arguments shows, before it moves.

        Raises:
            InputError: A number is out of range, or a direction or a latent belongs to another model.
        """
        refuse_unknown(settings)
        return self._content(settings)

    def _content(self, settings: Settings) -> Content:
        """What a clip shows."""
        device, generator = self.motion_generator.directions.device, self.image_generator
        mix, seeds = settings.get("style_mix"), [settings.get("seed", 0)]
        if mix is not None:
            check_style_mix(mix, generator)
            seeds.append(mix.seed)
        labels = content_labels(generator, seeds, label=settings.get("label"), device=device)
        truncation = settings.get("truncation", 1.0)
        w = content_latents(generator, seeds, labels=labels, truncation=truncation, device=device)
        layers, given = None, given_latent(settings, generator)
        maps: tuple[Tensor, ...] = ()
        if given is not None:
            w = torch.cat([generator.truncate(given.centre.to(device), truncation), w[1:]])
            layers = None if given.layers is None else truncation * given.layers.to(device)
            labels = None if given.label is None else torch.tensor([given.label], device=device)
            maps = tuple(one.to(device) for one in given.noise_maps)
        for direction, strength in settings.get("directions", ()):
            w = w + strength * direction.along(self.basis).to(device)
        return Content(w[:1], None if labels is None else labels[:1], generator, mix, w[1:], layers, maps)

    def _course(self, content: Content, num_frames: int, settings: Settings) -> Iterator[Tensor]:
        """The latents of a clip's frames, [t, D] at a time."""
        motion, strength = settings.get("motion"), settings.get("strength", 1.0)
        if not -10 <= strength <= 10:
            raise InputError("strength is out of range", given=strength, allowed="-10 to 10; 1 is the motion as it is")
        loop = settings.get("loop", False)
        if motion is not None:
            latents = motion.moved(content.w, self.basis, strength=strength)
            return in_chunks(iter((closed(latents) if loop else latents).split(1)), CHUNK)
        walked = rollout(
            self.motion_generator,
            content.w,
            num_frames=num_frames + loop,
            motion_seed=settings.get("motion_seed", 0),
            chunk=CHUNK,
            hold=settings.get("hold", HOLD),
        )
        if loop:
            walked = in_chunks(iter(closed(torch.cat(list(walked))).split(1)), CHUNK)
        if strength != 1.0:
            return (content.w + strength * (piece - content.w) for piece in walked)
        return walked

    @torch.no_grad()
    def _draw(self, pieces: Iterator[Tensor], content: Content, noise: Literal["none", "fixed"], fps: float) -> Iterator[Video]:
        for latents in pieces:
            yield Video(to_uint8(content.draw(latents, noise)), fps=fps)
