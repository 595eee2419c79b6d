"""Endless clips of textures that drift: clouds of noise in layers before a still ground, as unlike the worlds as may be.

A network that has seen worlds alone knows smooth shapes in few colours; with these it meets any grain, contrast and speed.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

SIZE, MARGIN = 64, 32
SLOWEST, FASTEST = 0.03, 2.0
"""Pixels a frame."""


def drifting_textures(count: int, num_frames: int) -> Tensor:
    """Clips [N, T, 3, 64, 64] in [-1, 1], drawn from PyTorch's own generator."""
    return torch.stack([_clip(num_frames) for _ in range(count)])


def _clip(num_frames: int) -> Tensor:
    frames = _drifted(_coloured(_noise(3)), num_frames)
    for _ in range(int(torch.randint(0, 3, []))):
        layer = _drifted(torch.cat([_coloured(_noise(3)), 2 * _noise(1) - torch.rand([])]), num_frames)
        frames = torch.lerp(frames, layer[:, :3], (layer[:, 3:] * 2).sigmoid())
    if torch.rand([]) < 0.6:  # a still ground before it
        ground, height = _coloured(_noise(3)), torch.linspace(-2, 2, SIZE)[:, None] - 2 * torch.rand([]) + 0.5
        edge = (height + 0.5 * _noise(1)[:, :SIZE, :SIZE]).mul(20).sigmoid()
        frames = torch.lerp(frames, ground[:, :SIZE, :SIZE], edge)
    light = 1 + torch.linspace(0, 1, num_frames)[:, None, None, None] * 0.2 * torch.randn([])
    return (frames * light).clamp(-1, 1)


def _noise(channels: int) -> Tensor:
    """Noise whose strength falls with frequency, as in pictures of nature, [C, 128, 128], of deviation 1."""
    side = SIZE + 2 * MARGIN
    frequency = (torch.fft.fftfreq(side)[:, None].square() + torch.fft.rfftfreq(side).square()).sqrt().clamp_min(1 / side)
    falling = frequency ** -(1.0 + 1.2 * torch.rand([]))
    waves = torch.fft.irfft2(torch.fft.rfft2(torch.randn(channels, side, side)) * falling, s=(side, side))
    return waves / waves.std()


def _coloured(noise: Tensor) -> Tensor:
    """Mostly one colour's shades, [3, H, W]."""
    shade = noise[:1] * torch.randn(3, 1, 1).abs() + 0.3 * torch.rand([]) * noise
    return torch.tanh(0.6 * torch.rand([]) * shade + 0.5 * torch.randn(3, 1, 1))


def _drifted(picture: Tensor, num_frames: int) -> Tensor:
    """The picture [C, 128, 128] seen through a window that moves, grows and turns evenly, [T, C, 64, 64]."""
    time = torch.linspace(-1, 1, num_frames)
    speed = SLOWEST * (FASTEST / SLOWEST) ** torch.rand([])
    way = speed * num_frames / 2 * 2 / picture.shape[-1]  # from the middle, in units of half the picture
    direction = 2 * math.pi * torch.rand([])
    bend = 0.3 * torch.randn([]) * time.square()
    zoom = 0.5 * torch.exp(0.1 * torch.randn([]) * time * speed.clamp_max(1.0))
    turn = 0.05 * torch.randn([]) * time * speed.clamp_max(1.0)
    along = way * time
    x, y = along * torch.cos(direction + bend), along * torch.sin(direction + bend)
    rows = torch.stack([zoom * turn.cos(), -zoom * turn.sin(), x, zoom * turn.sin(), zoom * turn.cos(), y], dim=1)
    grid = F.affine_grid(rows.view(num_frames, 2, 3), [num_frames, len(picture), SIZE, SIZE], align_corners=False)
    seen = picture.expand(num_frames, *picture.shape)
    return F.grid_sample(seen, grid, padding_mode="reflection", align_corners=False)
