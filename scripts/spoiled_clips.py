"""Ways to spoil a clip, in time, in its pictures, in its identity: what the clip network that ships learns to see."""

import torch
import torch.nn.functional as F
from torch import Tensor

SPOILED = (
    "as it is",
    "frozen",
    "frozen for a while",
    "held frames",
    "out of order",
    "flickering",
    "noisy",
    "blurred",
    "blocks",
    "shaking",
    "wobbling",
    "another from a frame on",
    "turning into another",
    "every frame from another",
)
OF_TWO = ("another from a frame on", "turning into another", "every frame from another")
"""Those that show more than one identity."""

AS_IT_IS = 0.25  # of the clips


def spoil(clips: Tensor) -> tuple[Tensor, Tensor]:
    """Spoils most clips [N, T, 3, H, W], each in a way that chance chooses; others are taken from the same batch.

    Returns:
        The clips, and how each was spoiled, [N].
    """
    how = torch.randint(1, len(SPOILED), [len(clips)])
    how[torch.rand(len(clips)) < AS_IT_IS] = 0
    return torch.stack([_spoiled(clips, place, SPOILED[way]) for place, way in enumerate(how.tolist())]), how


def _spoiled(clips: Tensor, place: int, way: str) -> Tensor:
    clip, num_frames = clips[place], clips.shape[1]
    match way:
        case "as it is":
            return clip
        case "frozen" | "frozen for a while" | "held frames" | "out of order":
            return clip[_times(way, num_frames)]
        case "flickering":
            tints = torch.randn(num_frames, 1 if torch.rand([]) < 0.7 else 3, 1, 1) * _between(0.02, 0.3)
            return (clip + 1) * tints.exp() - 1 if torch.rand([]) < 0.5 else clip + tints
        case "noisy":
            return clip + torch.randn_like(clip) * _between(0.03, 0.5)
        case "blurred":
            kernel = int(torch.randint(1, 4, [])) * 2 + 1
            once = F.avg_pool2d(clip, kernel, 1, kernel // 2, count_include_pad=False)
            return F.avg_pool2d(once, kernel, 1, kernel // 2, count_include_pad=False)
        case "blocks":
            side = int(2 ** torch.randint(1, 4, []))
            return F.interpolate(F.avg_pool2d(clip, side), scale_factor=side)
        case "shaking":
            return moved(clip, torch.randn(num_frames, 2, 1, 1) * _between(0.3, 3.0))
        case "wobbling":
            cells = int(torch.randint(3, 8, []))
            shifts = torch.randn(num_frames, 2, cells, cells) * _between(0.3, 2.5)
            return moved(clip, F.interpolate(shifts, size=clip.shape[-2:], mode="bicubic"))
        case _:
            return _of_two(clips, place, way)


def _times(way: str, num_frames: int) -> Tensor:
    """Which frame is shown when."""
    times = torch.arange(num_frames)
    match way:
        case "frozen":
            return torch.randint(num_frames, [1]).expand(num_frames)
        case "frozen for a while":
            begin, length = int(torch.randint(num_frames - 4, [])), int(torch.randint(4, num_frames - 2, []))
            return times.where((times < begin) | (times >= begin + length), torch.tensor(begin))
        case "held frames":
            held = int(torch.randint(2, 5, []))
            return times // held * held
        case _:
            span = int(torch.tensor([4, 8, num_frames, num_frames])[torch.randint(4, [])])
            return torch.cat([some[torch.randperm(len(some))] for some in times.split(span)])


def _of_two(clips: Tensor, place: int, way: str) -> Tensor:
    clip, num_frames = clips[place], clips.shape[1]
    other = clips[(place + 1) % len(clips)]
    times = torch.arange(num_frames)
    if way == "every frame from another":
        return clips[torch.randint(len(clips), [num_frames]), times]
    if way == "another from a frame on":
        share = (times >= torch.randint(2, num_frames - 1, [])).float()
    else:
        share = (times / (num_frames - 1) * _between(0.4, 1.0)).clamp(0, 1)
    return torch.lerp(clip, other, share[:, None, None, None])


def moved(frames: Tensor, shifts: Tensor) -> Tensor:
    """Frames [T, C, H, W] moved by shifts [T, 2 (right, down), H or 1, W or 1] in pixels; what comes in is mirrored."""
    height, width = frames.shape[-2:]
    grid = F.affine_grid(torch.eye(2, 3).expand(len(frames), 2, 3), list(frames.shape), align_corners=False)
    steps = shifts.movedim(1, -1) * torch.tensor([2 / width, 2 / height])
    return F.grid_sample(frames, grid + steps, padding_mode="reflection", align_corners=False)


def _between(low: float, high: float) -> float:
    """Any strength in between, weak ones as often as strong ones."""
    return float(low * (high / low) ** torch.rand([]))
