"""Clips that models make, for evaluation: `ModelClips`, and pictures of image generators as clips of one frame."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from latentreel.checkpoints.load import load_generator
from latentreel.core.errors import InputError
from latentreel.core.pixels import to_uint8
from latentreel.data.clip_decoding import centre_square
from latentreel.image_generators.build import Network
from latentreel.metrics.clip_choice import ClipRef
from latentreel.metrics.protocols import Protocol as EvaluationProtocol
from latentreel.pipelines.stylegan_v_pipeline import StyleGANVPipeline
from latentreel.pipelines.video_pipeline import VideoPipeline
from latentreel.sampling.latents import content_labels, content_latents
from latentreel.stylegan_v.generator import StyleGANVGenerator

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class ModelClips:
    """Videos that a model makes: content and motion of video i come from seed i."""

    name: str
    pipe: VideoPipeline
    count: int
    """How many videos there are, V."""

    span: int
    """Frames of each."""

    generated: bool = True
    problems: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """[V]"""
        return tuple(f"seed {index}" for index in range(self.count))

    @property
    def lengths(self) -> tuple[int, ...]:
        """[V]"""
        return (self.span,) * self.count

    @property
    def fps(self) -> float:
        """Frames per second of the model's videos."""
        return self.pipe.fps

    def told(self, protocol: EvaluationProtocol) -> EvaluationProtocol:
        """A protocol in the model's frames: those of its training videos, where it can draw any of them."""
        return protocol if self.pipe.any_time else protocol.for_model()

    def clip(self, ref: ClipRef, protocol: EvaluationProtocol) -> Pixels:
        """The frames of one clip, uint8 [T, H, W, 3]."""
        told, seed, start = self.told(protocol), ref.video, ref.start
        if self.pipe.any_time:
            rate, begins = self.fps / told.frame_step, start / self.fps
            clip = self.pipe.generate(seed=seed, motion_seed=seed, num_frames=told.num_frames, fps=rate, start_seconds=begins)
            return _at_size(clip.frames, protocol.size)
        clip = self.pipe.generate(seed=seed, motion_seed=seed, num_frames=start + told.span)
        return _at_size(clip.frames[start :: told.frame_step], protocol.size)


@dataclass(frozen=True)
class ImageModelClips:
    """Pictures that an image generator makes, as videos of one frame: picture i comes from seed i."""

    name: str
    generator: Network
    count: int
    """How many there are, V."""

    device: torch.device
    generated: bool = True
    problems: tuple[tuple[str, str], ...] = ()
    fps: float | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """[V]"""
        return tuple(f"seed {index}" for index in range(self.count))

    @property
    def lengths(self) -> tuple[int, ...]:
        """[V], all 1."""
        return (1,) * self.count

    def told(self, protocol: EvaluationProtocol) -> EvaluationProtocol:
        """A protocol in the frames of these videos."""
        return protocol.for_model()

    @torch.no_grad()
    def clip(self, ref: ClipRef, protocol: EvaluationProtocol) -> Pixels:
        """One picture, uint8 [1, H, W, 3]."""
        labels = content_labels(self.generator, [ref.video], device=self.device)
        w = content_latents(self.generator, [ref.video], labels=labels, device=self.device)
        return _at_size(to_uint8(self.generator.synthesize(w, labels)), protocol.size)


def _at_size(frames: Pixels, size: int | None) -> Pixels:
    """Frames brought to the size of a protocol; None leaves them."""
    if size is None or frames.shape[1:3] == (size, size):
        return frames
    return np.stack([centre_square(frame, size) for frame in frames])


def model_clips(name: str, pipe: VideoPipeline, protocol: EvaluationProtocol) -> ModelClips:
    """As many videos of a model as a protocol wants."""
    clips = ModelClips(name, pipe, protocol.num_clips * protocol.repeats, span=0)
    return dataclasses.replace(clips, span=clips.told(protocol).span)


def checkpoint_clips(path: Path, protocol: EvaluationProtocol, device: torch.device | str) -> ImageModelClips | ModelClips:
    """A foreign file: of an image generator, or of a StyleGAN-V."""
    generator = load_generator(path, what="model")
    if isinstance(generator, StyleGANVGenerator):
        return model_clips(path.name, StyleGANVPipeline(generator).to(device), protocol)
    return image_model_clips(path.name, generator, protocol, device)


def image_model_clips(
    name: str, generator: Network, protocol: EvaluationProtocol, device: torch.device | str
) -> ImageModelClips:
    """As many pictures as a protocol wants.

    Raises:
        InputError: It wants clips.
    """
    if protocol.num_frames > 1:
        fix = "take --protocol fid50k, or a model that moves"
        raise InputError(f"{name} makes pictures, not clips", given=f"a protocol of {protocol.num_frames} frames", fix=fix)
    return ImageModelClips(name, generator.to(device), protocol.num_clips, torch.device(device))
