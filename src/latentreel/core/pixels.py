"""Between the two forms of a pixel: uint8 at the edges, float in [-1, 1] inside."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


def to_float(frames: npt.NDArray[np.uint8] | Tensor, *, device: torch.device | str = "cpu") -> Tensor:
    """Frames as networks take them.

    Args:
        frames: uint8 [..., H, W, 3].
        device: Where the result lives.

    Returns:
        float32 [..., 3, H, W] in [-1, 1].
    """
    pixels = torch.as_tensor(frames).to(device)
    return pixels.movedim(-1, -3).to(torch.float32).div_(127.5).sub_(1)


def to_uint8(images: Tensor) -> npt.NDArray[np.uint8]:
    """What networks give, as frames; values outside [-1, 1] are clipped.

    Args:
        images: [..., 3, H, W] in [-1, 1], any floating type.

    Returns:
        uint8 [..., H, W, 3].
    """
    pixels = images.detach().to(torch.float32).add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
    return pixels.movedim(-3, -1).cpu().contiguous().numpy()
