"""Evaluation protocols: everything that must be the same for two scores to be compared. Frozen; a change is a new name.

Those of Tian et al. 2021 (MoCoGAN-HD), Skorokhodov et al. 2022 (StyleGAN-V) and Yu et al. 2022 (DIGAN), that of image generators
(Karras et al. 2020), and one of our own.
"""

import dataclasses
from dataclasses import dataclass
from typing import Literal

from latentreel.core.errors import InputError

Choice = Literal["balanced", "first_videos", "random_videos", "random_clips"]


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """Which clips are looked at, at which size, and how often."""

    name: str
    """What results are filed under."""

    num_clips: int
    """How many real clips, and how many generated ones."""

    num_frames: int
    """Frames of a clip, T."""

    frame_step: int = 1
    """Distance of neighbours in a clip, in frames of the video."""

    generated_step: int = 1
    """The same in the frames of a model: 1 where models are trained on clips of the protocol's step, and give frames at it."""

    size: int | None = None
    """Rows and columns: the centre square, resized; None takes the centre square as it is."""

    choice: Choice = "balanced"
    """balanced: classes, and videos within a class, take turns. first_videos: one clip from each of the first ones, at a random
    place; of generated videos from their beginning. random_videos: any video, then any place in it. random_clips: any clip that
    fits anywhere, so that long videos come more often."""

    repeats: int = 1
    """How often clips are drawn anew; the score is mean and deviation over them. With 1, a bootstrap interval stands beside it."""

    interval: bool = True
    """Whether it does; with very many clips it would take longer than all the rest, and tell little."""

    def __post_init__(self) -> None:
        for name in ("num_clips", "num_frames", "frame_step", "generated_step", "size", "repeats"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"{name} is out of range", given=value, allowed="at least 1")

    def for_model(self) -> "Protocol":
        """The same protocol in the frames of a model."""
        return dataclasses.replace(self, frame_step=self.generated_step)

    @property
    def span(self) -> int:
        """Frames of a video that a clip reaches over."""
        return (self.num_frames - 1) * self.frame_step + 1


LATENTREEL = Protocol(name="latentreel", num_clips=2048, num_frames=16)

PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        LATENTREEL,
        Protocol(
            name="mocogan_hd_fvd", num_clips=2048, num_frames=16, frame_step=2, size=128, choice="random_clips", repeats=10
        ),
        Protocol(name="stylegan_v_fvd2048_16f", num_clips=2048, num_frames=16, choice="first_videos"),
        Protocol(name="stylegan_v_fvd2048_128f", num_clips=2048, num_frames=128, choice="first_videos"),
        Protocol(
            name="stylegan_v_fvd2048_128f_subsample8f",
            num_clips=2048,
            num_frames=16,
            frame_step=8,
            generated_step=8,
            choice="first_videos",
        ),
        Protocol(name="digan_fvd", num_clips=2048, num_frames=16, size=128, choice="random_videos", repeats=10),
        Protocol(name="fid50k", num_clips=50_000, num_frames=1, choice="random_clips", interval=False),
    )
}


def protocol_named(name: str) -> Protocol:
    """The protocol of a name.

    Raises:
        InputError: There is none.
    """
    if name not in PROTOCOLS:
        raise InputError("there is no such protocol", given=name, allowed=", ".join(PROTOCOLS))
    return PROTOCOLS[name]


def altered(protocol: Protocol, **changes: int | None) -> Protocol:
    """A protocol with other numbers, which goes by another name: nobody shall take its scores for the frozen one's.

    Args:
        protocol: The one to start from.
        changes: Fields and their values; None leaves a field.
    """
    real = {key: value for key, value in changes.items() if value is not None and value != getattr(protocol, key)}
    if not real:
        return protocol
    suffix = ",".join(f"{key}={value}" for key, value in sorted(real.items()))
    return dataclasses.replace(protocol, name=f"{protocol.name}[{suffix}]", **real)  # type: ignore[arg-type]
