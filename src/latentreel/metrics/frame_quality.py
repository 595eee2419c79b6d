"""How close frames are to the true ones, pixel by pixel and in structure, as for video prediction (Tian et al. 2021, Tab. 3).

PSNR and SSIM (Wang et al. 2004, Sec. III-B) are torchmetrics'.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from latentreel.core.errors import InputError

HIGHEST_PSNR = 100.0  # a single value off by one in a picture of 4 megapixels is about 119
WINDOW = 11  # Wang et al. 2004, Sec. III-B: a Gaussian of deviation 1.5 on 11 x 11 pixels


class FrameQuality(NamedTuple):
    """PSNR and SSIM of each frame of a clip, or of many."""

    psnr: npt.NDArray[np.float64]
    """Peak signal-to-noise ratio in decibels, [T]; at most 100, which equal frames get."""

    ssim: npt.NDArray[np.float64]
    """Structural similarity, [T]; 1 for equal frames."""


def frame_quality(real: npt.NDArray[np.uint8], fake: npt.NDArray[np.uint8]) -> FrameQuality:
    """Compares a clip with the true one, frame by frame.

    Args:
        real: uint8 [T, H, W, 3].
        fake: The same shape.

    Raises:
        InputError: The shapes differ, a frame is smaller than SSIM's window, or torchmetrics is not installed.
    """
    if real.shape != fake.shape:
        raise InputError("clips to compare must have one shape", given=list(fake.shape), allowed=list(real.shape))
    if min(real.shape[1:3]) < WINDOW:
        raise InputError("frames are too small for SSIM", given=list(real.shape[1:3]), allowed=f"{WINDOW} px or more")
    try:
        from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure
    except ImportError as error:
        raise InputError("PSNR and SSIM need torchmetrics", fix="pip install 'latentreel[metrics]'") from error
    a, b = _frames(real), _frames(fake)
    psnr = peak_signal_noise_ratio(b, a, data_range=1.0, reduction="none", dim=(1, 2, 3))
    ssim = structural_similarity_index_measure(b, a, data_range=1.0, reduction="none")
    assert isinstance(ssim, Tensor)
    return FrameQuality(psnr.clamp_max(HIGHEST_PSNR).double().numpy(), ssim.double().numpy())


def _frames(clip: npt.NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(clip.astype(np.float32) / 255.0).permute(0, 3, 1, 2)
