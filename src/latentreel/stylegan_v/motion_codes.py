"""`MotionCodes`: from noise at anchors in time to a motion code v(t) for any real t >= 0.

StyleGAN-V (Skorokhodov et al. 2022), Sec. 3.1. Noise stands at anchors a fixed number of frames apart. Two convolutions along the
anchors turn it into what the waves of `time_encoding` are made of.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from latentreel.core.errors import InputError
from latentreel.core.labels import one_hot
from latentreel.core.randomness import torch_generator
from latentreel.core.shapes import check_shape
from latentreel.nn.equalized_layers import EqualizedConv1d
from latentreel.nn.mapping_network import LR_MULTIPLIER
from latentreel.stylegan_v.config import StyleGANVConfig
from latentreel.stylegan_v.time_encoding import AcyclicEncoding

MAX_TIME = 1e9  # frames: a year of video


@dataclass(frozen=True)
class NoiseWindow:
    """The part of a clip's endless row of motion noise that some times need."""

    first: int
    """Place of its first vector, which is also the number of the first anchor."""

    length: int
    """How many vectors."""


class MotionCodes(nn.Module):
    """The motion mapping network and the acyclic encoding. In float64 inside: see `time_encoding`."""

    def __init__(self, config: StyleGANVConfig) -> None:
        super().__init__()
        self.config = config
        entering = config.motion_dim + (config.num_classes if config.motion_sees_class else 0)
        self.layers = nn.ModuleList(
            EqualizedConv1d(width, config.code_dim, config.motion_kernel, lr_multiplier=LR_MULTIPLIER)
            for width in (entering, config.code_dim)
        )
        self.encoding = AcyclicEncoding(config)

    def window(self, t: Tensor) -> NoiseWindow:
        """What `forward` needs of the noise for times of any shape.

        Raises:
            InputError: A time is out of range, or there is none.
        """
        check_times(t)
        if not t.numel():
            raise InputError("there are no times to draw", given=list(t.shape), allowed="at least one")
        first, last = (int(torch.floor(end.double() / self.config.anchor_distance)) for end in (t.min(), t.max()))
        return NoiseWindow(first, last - first + 2 + self.config.motion_context)

    def forward(self, noise: Tensor, t: Tensor, labels: Tensor | None = None, *, first: int | Tensor = 0) -> Tensor:
        """Motion codes.

        Args:
            noise: Normal, [N, M, Z]: the anchors, and `config.motion_context` vectors more.
            t: Times in frames [N, k], at least 0, in any order.
            labels: Class numbers [N], if `config.motion_sees_class`.
            first: The number of the first anchor, where the noise is a part of a longer row; one for all clips or one each [N].

        Returns:
            float32 [N, k, 2F].

        Raises:
            InputError: A shape does not fit, a time is out of range, or the noise does not reach it.
        """
        check_shape(noise, "N M Z", name="motion noise", Z=self.config.motion_dim)
        check_shape(t, "N k", name="t", N=len(noise))
        check_times(t)
        start = torch.as_tensor(first, device=t.device).reshape(-1, 1)
        left = torch.floor(t.double() / self.config.anchor_distance).long() - start  # [N, k]
        anchors = noise.shape[1] - self.config.motion_context
        if t.numel() and not (int(left.min()) >= 0 and int(left.max()) + 1 < anchors):
            given = f"{noise.shape[1]} vectors from {first if isinstance(first, int) else 'several places'} on"
            needed = "2 anchors around every time, and motion_context more"
            raise InputError("the motion noise does not reach all times", given=given, allowed=needed)
        codes = self.anchors(noise, labels)
        before, after = (torch.gather(codes, 1, place[..., None].expand(-1, -1, codes.shape[2])) for place in (left, left + 1))
        encoded: Tensor = self.encoding(before, after, t)
        return encoded

    def anchors(self, noise: Tensor, labels: Tensor | None = None) -> Tensor:
        """The motion mapping alone: noise [N, M, Z] and class numbers [N] to float64 [N, M - motion_context, U]."""
        rows = noise.double()
        if self.config.motion_sees_class:
            condition = one_hot(labels, self.config.num_classes)
            assert condition is not None
            rows = torch.cat([rows, condition.double()[:, None].expand(-1, rows.shape[1], -1)], dim=2)
        x = rows.transpose(1, 2)
        for layer in self.layers:
            x = layer(x)
        return x.transpose(1, 2)


def check_times(t: Tensor) -> None:
    """Raises an `InputError` unless all times, in frames, are numbers from 0 on."""
    wrong = t[~((t >= 0) & (t < MAX_TIME))]
    if wrong.numel():
        raise InputError(
            "time is out of range", given=float(wrong[0]), allowed=f"numbers of frames from 0 on, below {MAX_TIME:g}"
        )


def motion_noise(seeds: list[int], window: NoiseWindow, width: int, *, repeat_after: int = 0) -> Tensor:
    """A part of the motion noise that seeds stand for.

    Every vector is a function of its seed and its place alone: a longer video begins like a shorter one, and a video can begin
    anywhere.

    Args:
        seeds: One per clip.
        window: The part.
        width: Z.
        repeat_after: How many vectors there are before the first comes again, for loops; 0 is no end of them.

    Returns:
        float32 [N, M, Z], on the CPU.
    """
    row = range(window.first, window.first + window.length)
    places = [place % repeat_after if repeat_after else place for place in row]
    rows = [torch.randn(width, generator=torch_generator(seed, "motion", place)) for seed in seeds for place in places]
    return torch.stack(rows).reshape(len(seeds), window.length, width)
