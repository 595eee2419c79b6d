"""Time as waves: the acyclic encoding of the generator, and the discriminator's view of time differences.

StyleGAN-V (Skorokhodov et al. 2022), Sec. 3.1 and 3.3. Angles grow with time and rounding grows with them, so waves are computed
in float64: a frame an hour from the start is as exact as the first.
"""

import math

import torch
from torch import Tensor, nn

from latentreel.nn.equalized_layers import EqualizedLinear
from latentreel.stylegan_v.config import StyleGANVConfig


def frequencies(config: StyleGANVConfig) -> Tensor:
    """Radians per frame, evenly spaced on a log scale from the longest period to the shortest, float32 [F]."""
    steps = torch.linspace(0, 1, config.num_frequencies, dtype=torch.float64)
    return (2 * math.pi / config.max_period * (config.max_period / config.min_period) ** steps).float()


def difference_frequencies(max_frames: int) -> Tensor:
    """Radians per frame of difference: pi 2^i / R for i below log2 R, R being `max_frames` rounded up to a power of two."""
    octaves = (max_frames - 1).bit_length()
    return math.pi * torch.exp2(torch.arange(octaves, dtype=torch.float64) - octaves)


class AcyclicEncoding(nn.Module):
    """v(t): waves whose periods and phases come from the motion, tied to the anchors on both sides of t.

    raw(t) = frequency * period * t + phase * phase_scale; pe(t) = [sin raw, cos raw];
    v(t) = pe(t) - ((1 - a) pe(t_left) + a pe(t_right)) + ((1 - a) A_left + a A_right).

    At an anchor v is that anchor's aligner A, from either side: v is continuous, and never comes back to where it was.
    """

    frequency: Tensor
    phase_scale: Tensor

    def __init__(self, config: StyleGANVConfig) -> None:
        super().__init__()
        waves = config.num_frequencies
        self.anchor_distance = config.anchor_distance
        self.periods = EqualizedLinear(config.code_dim, waves, bias=False)
        self.phases = EqualizedLinear(config.code_dim, waves, bias=False)
        self.aligners = EqualizedLinear(config.code_dim, 2 * waves, bias=False)
        self.register_buffer("frequency", frequencies(config))
        self.register_buffer("phase_scale", (self.frequency.double() / self.frequency[0].double()).float())

    def forward(self, left: Tensor, right: Tensor, t: Tensor) -> Tensor:
        """Motion between two anchors to the codes of times between them.

        Args:
            left: What the motion mapping gives at the last anchor no later than t, [N, k, U].
            right: The same one anchor later.
            t: Times [N, k].

        Returns:
            float32 [N, k, 2F].
        """
        left, right, t = left.double(), right.double(), t.double()[..., None]
        anchor = torch.floor(t / self.anchor_distance)
        fraction = t / self.anchor_distance - anchor  # a
        speed = self.frequency.double() * (torch.tanh(self.periods(left)) + 1)
        shift = self.phases(left) * self.phase_scale.double()

        def waves(time: Tensor) -> Tensor:
            raw = speed * time + shift
            return torch.cat([raw.sin(), raw.cos()], dim=-1)

        start, end = anchor * self.anchor_distance, (anchor + 1) * self.anchor_distance
        line = torch.lerp(waves(start), waves(end), fraction)
        aligned = torch.lerp(self.aligners(left), self.aligners(right), fraction)
        return (waves(t) - line + aligned).float()


class DifferenceEmbedding(nn.Module):
    """Time differences as the discriminator takes them: a learned row per whole difference, and waves of the exact one.

    For a difference d, the row at round(d), then sin and cos of d times each of `difference_frequencies`.
    """

    def __init__(self, *, max_frames: int, width: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(max_frames, width))
        self.width = width + 2 * (max_frames - 1).bit_length()
        """Of the embedding of one difference."""

    def forward(self, differences: Tensor) -> Tensor:
        """[N, k - 1] in frames, each in [0, max_frames - 1], to float32 [N, (k - 1) * width]."""
        rows = self.table[differences.round().long()]
        raw = differences.double()[..., None] * difference_frequencies(len(self.table)).to(differences.device)
        return torch.cat([rows, raw.sin().float(), raw.cos().float()], dim=-1).flatten(1)
