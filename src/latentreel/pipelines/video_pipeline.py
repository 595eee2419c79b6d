"""`VideoPipeline`: a trained model in use. Seeds in, videos out, whatever kind of model makes them."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar, Self, Unpack

import numpy as np
import torch
from torch import Tensor

from latentreel.checkpoints.bundle import read_card
from latentreel.checkpoints.load import find_bundle, load_video_generator, shipped_names
from latentreel.core.errors import InputError
from latentreel.core.image_generator import UNSTATED
from latentreel.core.video import Video
from latentreel.pipelines.clip_settings import Settings, refuse_meaningless, refuse_unknown
from latentreel.sampling.motion import Motion

CHUNK = 8  # frames drawn at once; part of what makes a clip reproducible to the bit


class VideoPipeline(ABC):
    """What every kind of model can do. `MoCoGANHDPipeline` and `StyleGANVPipeline` are the two kinds."""

    kind: ClassVar[str]
    """What such a model is, in words."""

    meaningless: ClassVar[Mapping[str, str]]
    """Names of settings that such a model cannot follow, and why."""

    any_time: ClassVar[bool]
    """Whether frames can be drawn at any time, rather than one after the other, as far apart as those that it learned from."""

    fps: float
    """Frames per second of a clip that is told no other rate."""

    @classmethod
    def load(cls, source: Path | str) -> Self:
        """Opens a model: of any kind by `VideoPipeline.load`, of that kind alone by a subclass's.

        Args:
            source: A bundle's folder, the folder of the run that made it, the name of one that ships ("faces"), or a network pickle
                of StyleGAN-V.

        Raises:
            InputError: There is no such model, it makes no videos, it is of another kind, or it is damaged.
        """
        pipe = _open(source)
        if not isinstance(pipe, cls):
            raise InputError(f"{source} is {pipe.kind}, which cannot do this", allowed=cls.kind)
        return pipe

    @property
    @abstractmethod
    def resolution(self) -> int:
        """Rows and columns of a frame."""

    @property
    def explained_variance_ratio(self) -> Tensor | None:
        """Share of the latents' variance along each component of the latent basis [K]; None without such a basis."""
        return None

    @abstractmethod
    def save(self, folder: Path | str, *, origin: str = UNSTATED, licence: str = UNSTATED) -> None:
        """Writes a bundle; an older one there is replaced.

        Args:
            folder: Where.
            origin: Where the weights come from, in words.
            licence: Under which terms they stand.
        """

    @abstractmethod
    def to(self, device: torch.device | str) -> Self:
        """Moves the networks; returns the pipeline itself."""

    def generate(self, *, num_frames: int = 16, **settings: Unpack[Settings]) -> Video:
        """One clip, whole in memory; the same arguments give the same clip.

        Args:
            num_frames: Length; may exceed the length of the training clips. A longer clip begins like a shorter one, unless it
                is a loop or on its way to `to_seed`: to the bit up to a multiple of 8 frames, and in a last piece of fewer but for
                rounding, a level or two of 255.
            settings: Those of `Settings`.

        Raises:
            InputError: A number is out of range, a setting means nothing to this kind of model, or a motion or a direction belongs
                to another model.
        """
        chunks = list(self.stream(num_frames=num_frames, **settings))
        return Video(np.concatenate([chunk.frames for chunk in chunks]), fps=chunks[0].fps)

    def stream(self, *, num_frames: int, **settings: Unpack[Settings]) -> Iterator[Video]:
        """The clip that `generate` would give, a few frames at a time, in constant memory.

        Of a MoCoGAN-HD's loop, and of a recorded motion, a latent for each frame is held.

        Args and Raises are those of `generate`.

        Yields:
            Consecutive pieces of the clip.
        """
        refuse_unknown(settings)
        refuse_meaningless(settings, self.meaningless, kind=self.kind)
        return self._pieces(num_frames, settings)

    def drawn_at(self, fps: float) -> float | None:
        """The setting `fps` that shows so many moments of a second; None for a model that goes by steps as it has learned them."""
        return fps if self.any_time else None

    def clip_fps(self, settings: Settings) -> float:
        """Frames per second of the clip that these settings give."""
        factor, told = settings.get("interpolate", 1), settings.get("fps")
        if factor < 1:
            raise InputError("the interpolation factor is out of range", given=factor, allowed="1 (none) or more")
        motion = settings.get("motion")
        usual = motion.fps if isinstance(motion, Motion) else self.fps
        fps = usual * factor if told is None else told
        if not 0 < fps < 1000:
            raise InputError("the frame rate is out of range", given=fps, allowed="above 0 and below 1000 frames per second")
        return fps

    def clip_length(self, num_frames: int, settings: Settings) -> int:
        """Frames of the clip that these settings give; a loop's last frame has as many between it and the first as the others."""
        factor = settings.get("interpolate", 1)
        return num_frames * factor if settings.get("loop", False) else (num_frames - 1) * factor + 1

    @abstractmethod
    def _pieces(self, num_frames: int, settings: Settings) -> Iterator[Video]:
        """The pieces of a clip; the settings are known and have a meaning."""


def _open(source: Path | str) -> VideoPipeline:
    """A model of the kind that its bundle or its file says."""
    from latentreel.pipelines.mocogan_hd_pipeline import MoCoGANHDPipeline  # the kinds stand on this module
    from latentreel.pipelines.stylegan_v_pipeline import StyleGANVPipeline

    folder = find_bundle(source)
    if folder is not None and read_card(folder)["kind"] != "stylegan_v":
        return MoCoGANHDPipeline.from_bundle(folder)
    if folder is None and not Path(source).is_file():
        names = ", ".join(shipped_names())
        raise InputError(
            "there is no such bundle", given=source, allowed=f"a bundle, a run's folder, or a name that ships: {names}"
        )
    return StyleGANVPipeline(load_video_generator(source))
