"""What an evaluation warns of: too few clips, intervals that are left out, sides that move at other speeds."""

import dataclasses

from latentreel.metrics.protocols import Protocol
from latentreel.pipelines.clip_collections import ClipCollection


def evaluation_warnings(protocol: Protocol, num_clips: int, width: int, *, resampled: int | None) -> list[str]:
    """What makes a score less than it looks.

    Args:
        protocol: The one that was asked for.
        num_clips: Clips that there were on either side.
        width: Features of the network.
        resampled: Numbers of a side that are in memory for intervals at most, where there were more; None: there were not.
    """
    found = []
    if resampled is not None:
        found.append(f"no intervals: more than {resampled} numbers on a side would have to be in memory for them")
    if num_clips < protocol.num_clips:
        found.append(
            f"{num_clips} clips on either side instead of the protocol's {protocol.num_clips}: "
            "not to be compared with published numbers"
        )
    if num_clips <= width:
        found.append(
            f"{num_clips} clips are not more than the network's width of {width}: "
            "covariances lack rank, and the Fréchet distance is too large"
        )
    return found


def other_speed(real: ClipCollection, fake: ClipCollection, protocol: Protocol) -> list[str]:
    """A note if the clips of the two sides show another number of moments a second."""
    if real.fps is None or fake.fps is None or protocol.num_frames == 1:
        return []
    steps = [some.told(protocol).frame_step for some in (real, fake)]
    rates = [some.fps / step for some, step in zip((real, fake), steps, strict=True) if some.fps]
    if 0.9 < rates[0] / rates[1] < 1.1:
        return []
    note = f"real clips show {rates[0]:g} frames a second, fake ones {rates[1]:g}: other speeds are part of the distance"
    fitting = max(1, round(real.fps / rates[1]))
    stays = fake.told(dataclasses.replace(protocol, frame_step=fitting)).frame_step == steps[1]
    fits = fake.generated and stays and fitting != steps[0]
    return [f"{note}; --frame-step {fitting} brings them together" if fits else note]
