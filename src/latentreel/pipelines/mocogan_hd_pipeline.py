"""`MoCoGANHDPipeline`: a MoCoGAN-HD in use, an image generator that a motion generator moves."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar, Literal, Self, Unpack

import torch
from torch import Tensor

from latentreel.checkpoints.bundle import load_image_generator_bundle, load_motion_bundle, save_mocogan_hd
from latentreel.core.errors import InputError
from latentreel.core.image_generator import UNSTATED
from latentreel.core.pixels import to_uint8
from latentreel.core.video import Video
from latentreel.image_generators.build import Network
from latentreel.mocogan_hd.latent_basis import LatentBasis
from latentreel.mocogan_hd.motion_generator import MotionGenerator, directions_of
from latentreel.mocogan_hd.video_generator import render
from latentreel.pipelines.clip_settings import Settings, refuse_meaningless, refuse_unknown
from latentreel.pipelines.content import Content, content_of
from latentreel.pipelines.video_pipeline import CHUNK, VideoPipeline
from latentreel.sampling.anchor_noise import AnchorNoise
from latentreel.sampling.courses import closed, interpolated
from latentreel.sampling.motion import Motion
from latentreel.sampling.rollout import HOLD, in_chunks, rollout

STRONGEST = 20  # times a direction, one deviation long: farther out no latents are known


class MoCoGANHDPipeline(VideoPipeline):
    """A frozen image generator, its latent basis, and a motion generator."""

    kind: ClassVar[str] = "a MoCoGAN-HD"
    any_time: ClassVar[bool] = False
    meaningless: ClassVar[Mapping[str, str]] = {
        "speed": "leave it out: it goes from frame to frame; fps shows them slower or faster, interpolate adds some between",
        "start_seconds": "leave it out: every clip begins with its content",
    }

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
    def from_bundle(cls, folder: Path) -> Self:
        """Opens a bundle of kind "mocogan_hd".

        Raises:
            InputError: It is another kind, or damaged.
        """
        basis, motion, fps = load_motion_bundle(folder)
        return cls(image_generator=load_image_generator_bundle(folder), basis=basis, motion_generator=motion, fps=fps)

    @property
    def resolution(self) -> int:
        """Rows and columns of a frame."""
        return self.image_generator.resolution

    @property
    def explained_variance_ratio(self) -> Tensor:
        """Share of the latents' variance along each component of the latent basis [K]."""
        return self.basis.explained_variance_ratio

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

    def motion(self, *, num_frames: int = 16, **settings: Unpack[Settings]) -> Motion:
        """How the clip of these arguments moves, apart from what it shows; `generate(motion=...)` moves another content so."""
        refuse_unknown(settings)
        refuse_meaningless(settings, self.meaningless, kind=self.kind)
        content = self._content(settings)
        return Motion.of(torch.cat(list(self._course(content, num_frames, settings))), self.basis, fps=self.fps)

    def content(self, **settings: Unpack[Settings]) -> Content:
        """What the clip of these arguments shows, before it moves.

        Raises:
            InputError: A number is out of range, or a direction or a latent belongs to another model.
        """
        refuse_unknown(settings)
        refuse_meaningless(settings, self.meaningless, kind=self.kind)
        return self._content(settings)

    def draw(self, content: Content, latents: Tensor, *, noise: Literal["none", "fixed"] = "none") -> Tensor:
        """Pictures [t, 3, H, W] in [-1, 1] of latents [t, D] that a content moved to."""
        moved = content.in_layers(latents, content.w.expand(len(latents), -1))
        return render(self.image_generator, moved[None], content.noise_maps or noise, labels=content.labels)[0]

    def clip_length(self, num_frames: int, settings: Settings) -> int:
        """Frames of the clip that these settings give; a motion brings its own number."""
        motion = _offsets(settings)
        walked = num_frames if motion is None else len(motion.offsets) - settings.get("loop", False)
        return super().clip_length(walked, settings)

    def _pieces(self, num_frames: int, settings: Settings) -> Iterator[Video]:
        content = self._content(settings)
        pieces = self._course(content, num_frames, settings)
        factor = settings.get("interpolate", 1)
        if factor != 1:
            method, loop = settings.get("interpolation", "spline"), settings.get("loop", False)
            pieces = interpolated(pieces, factor, method, chunk=CHUNK, loop=loop)
        length = self.clip_length(num_frames, settings)
        return self._draw(pieces, content, settings.get("noise", "none"), length, self.clip_fps(settings))

    def _content(self, settings: Settings) -> Content:
        """What a clip shows, changed along the directions."""
        content = content_of(self.image_generator, settings, device=self.motion_generator.directions.device)
        for direction, strength in settings.get("directions", ()):
            if not abs(strength) <= STRONGEST:
                allowed = f"-{STRONGEST} to {STRONGEST}"
                raise InputError("a direction's strength is out of range", given=strength, allowed=allowed)
            content = content.shifted(strength * direction.along(self.basis).to(content.w.device))
        return content

    def _course(self, content: Content, num_frames: int, settings: Settings) -> Iterator[Tensor]:
        """The latents of a clip's frames, [t, D] at a time."""
        motion, strength = _offsets(settings), settings.get("strength", 1.0)
        if not -10 <= strength <= 10:
            raise InputError("strength is out of range", given=strength, allowed="-10 to 10; 1 is the motion as it is")
        loop = settings.get("loop", False)
        if motion is not None:
            if loop and len(motion.offsets) < 2:
                raise InputError("a loop needs a motion of two frames or more", given=f"{len(motion.offsets)} frame")
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
    def _draw(
        self, pieces: Iterator[Tensor], content: Content, noise: Literal["none", "fixed"], length: int, fps: float
    ) -> Iterator[Video]:
        done = 0
        for latents in pieces:
            own = content.course(range(done, done + len(latents)), length)
            moved = content.in_layers(latents + (own - content.w), own)
            frames = render(self.image_generator, moved[None], content.noise_maps or noise, labels=content.labels)[0]
            yield Video(to_uint8(frames), fps=fps)
            done += len(latents)


def _offsets(settings: Settings) -> Motion | None:
    """The motion to follow; noise at anchors is none to a MoCoGAN-HD."""
    motion = settings.get("motion")
    if isinstance(motion, AnchorNoise):
        raise InputError(
            "this motion belongs to a StyleGAN-V", allowed="motions of `latentreel transfer record`, drive or mimic"
        )
    return motion
