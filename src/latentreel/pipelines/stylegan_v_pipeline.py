"""`StyleGANVPipeline`: a StyleGAN-V in use, which draws any frame of an endless video at any time.

StyleGAN-V (Skorokhodov et al. 2022), Sec. 3: noise z gives the content, noise at anchors in time the motion.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar, Self

import torch
from torch import Tensor

from latentreel.checkpoints.bundle import save_stylegan_v
from latentreel.core.errors import InputError
from latentreel.core.image_generator import UNSTATED
from latentreel.core.pixels import to_uint8
from latentreel.core.video import Video
from latentreel.pipelines.clip_settings import Settings
from latentreel.pipelines.content import Content, content_of
from latentreel.pipelines.video_pipeline import CHUNK, VideoPipeline
from latentreel.sampling.anchor_noise import AnchorNoise
from latentreel.sampling.clip_times import ClipTimes
from latentreel.sampling.motion import Motion
from latentreel.stylegan_v.generator import StyleGANVGenerator
from latentreel.stylegan_v.motion_codes import motion_noise


class StyleGANVPipeline(VideoPipeline):
    """A frozen StyleGAN-V. A frame is a function of content, motion seed and time; all else changes rounding alone."""

    kind: ClassVar[str] = "a StyleGAN-V"
    any_time: ClassVar[bool] = True
    meaningless: ClassVar[Mapping[str, str]] = {
        "hold": "leave it out: no frame depends on the one before it, so nothing drifts",
        "strength": "leave it out: its motion has no strength; speed makes it slower or faster",
        "interpolation": "leave the method out: frames between are drawn, not interpolated",
        "noise": "leave it out: its layers take no noise",
        "directions": "leave them out: it has no latent basis",
    }

    def __init__(self, generator: StyleGANVGenerator) -> None:
        """Takes a generator; it becomes frozen."""
        self.generator = generator.eval().requires_grad_(False)
        self.fps = generator.config.fps

    @property
    def resolution(self) -> int:
        """Rows and columns of a frame."""
        return self.generator.resolution

    def save(self, folder: Path | str, *, origin: str = UNSTATED, licence: str = UNSTATED) -> None:
        """Writes a bundle; arguments are those of `VideoPipeline.save`."""
        save_stylegan_v(self.generator, Path(folder), origin=origin, licence=licence)

    def to(self, device: torch.device | str) -> Self:
        """Moves the network; returns the pipeline itself."""
        self.generator.to(device)
        return self

    def times(self, num_frames: int, settings: Settings) -> ClipTimes:
        """When the frames of a clip are, in frames of the training videos.

        Raises:
            InputError: A number is out of range, or a loop would not close.
        """
        factor, start = settings.get("interpolate", 1), settings.get("start_seconds")
        if factor < 1:
            raise InputError("the interpolation factor is out of range", given=factor, allowed="1 (none) or more")
        if factor > 1 and settings.get("fps") is not None:
            given = f"interpolate {factor}, fps {settings['fps']}"
            raise InputError("either of them says how many frames a second are drawn", given=given, fix="leave one out")
        config, count = self.generator.config, self.clip_length(num_frames, settings)
        step = settings.get("speed", 1.0) * config.fps / self.clip_fps(settings)
        first = None if start is None else start * config.fps
        if settings.get("loop", False):
            return ClipTimes.once_around(count=count, step=step, start=first, unit=config.anchor_distance)
        return ClipTimes.going(count=count, step=step, start=first)

    def _pieces(self, num_frames: int, settings: Settings) -> Iterator[Video]:
        content = content_of(self.generator, settings, device=self.generator.mean_latent.device)
        motion = settings.get("motion")
        if isinstance(motion, Motion):
            fix = "give other contents the same motion seed, or a motion that `latentreel project` found"
            raise InputError("this motion belongs to a MoCoGAN-HD", fix=fix)
        if motion is not None:
            motion.require(self.generator)
        times, seed = self.times(num_frames, settings), settings.get("motion_seed", 0)
        if motion is not None and times.round:
            raise InputError("a given motion does not come back to where it began", fix="leave --loop out")
        return self._draw(content, times, seed, motion, self.clip_fps(settings))

    @torch.no_grad()
    def _draw(
        self, content: Content, times: ClipTimes, motion_seed: int, motion: AnchorNoise | None, fps: float
    ) -> Iterator[Video]:
        done = 0
        for t in times.pieces(CHUNK):
            own = content.course(range(done, done + len(t)), times.count)
            codes = self._motion_codes(t, content.labels, motion_seed, motion, around=times.round)
            yield Video(to_uint8(self.generator.pictures(content.in_layers(own, own), codes)), fps=fps)
            done += len(t)

    def _motion_codes(
        self, t: Tensor, labels: Tensor | None, motion_seed: int, motion: AnchorNoise | None, *, around: float
    ) -> Tensor:
        """v(t) at times [t], [t, 2F]; in a loop the anchors repeat, and its end is the anchor that it begins at."""
        config, device = self.generator.config, self.generator.mean_latent.device
        window = self.generator.motion.window(t)
        every = round(around / config.anchor_distance)
        noise = motion_noise([motion_seed], window, config.motion_dim, repeat_after=every)
        if motion is not None:
            noise = motion.put_into(noise, window)
        return self.generator.motion_codes(noise.to(device), t[None].to(device), labels, first_anchor=window.first)[0]
