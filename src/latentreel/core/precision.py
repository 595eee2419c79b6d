"""The number format of the heavy operators; everything delicate stays in float32.

Networks ask `compute_dtype(device)` on entry, carry their activations in it and return float32. Weights are always float32.
"""

from typing import Literal, get_args

import torch

from latentreel.core.errors import InputError

Precision = Literal["auto", "fp32", "bf16", "fp16"]

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_chosen: Precision = "auto"


def set_precision(precision: Precision) -> None:
    """Chooses the number format of activations for this process.

    Args:
        precision: "auto" is bf16 where the processor has it natively and fp32 elsewhere. "fp32" is fp32 on GPUs, too, not TF32.

    Raises:
        InputError: The name is not one of the four.
    """
    global _chosen
    if precision not in get_args(Precision):
        raise InputError("unknown precision", given=precision, allowed=", ".join(get_args(Precision)))
    _chosen = precision
    torch.backends.cudnn.allow_tf32 = (
        precision != "fp32"
    )  # by default convolutions on a GPU drop 13 bits of what they are given


def get_precision() -> Precision:
    """The format chosen last."""
    return _chosen


def compute_dtype(device: torch.device) -> torch.dtype:
    """The format that activations take on a device."""
    if _chosen != "auto":
        return _DTYPES[_chosen]
    return torch.bfloat16 if _has_native_bf16(device) else torch.float32


def _has_native_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        supported = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
        return bool(supported and supported())
    return False
