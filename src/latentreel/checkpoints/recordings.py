"""Motions, directions and latents of pictures as files: safetensors whose header says what they are. Never a pickle."""

import json
import re
from pathlib import Path

import safetensors
import safetensors.torch
from torch import Tensor

from latentreel.core.errors import InputError
from latentreel.core.files import atomic_path
from latentreel.sampling.anchor_noise import AnchorNoise
from latentreel.sampling.directions import Direction
from latentreel.sampling.given_latent import GivenLatent
from latentreel.sampling.motion import Motion

FORMAT = 1
ANCHOR_NOISE = "motion of a StyleGAN-V"
LONGEST_NUMBER = 10  # digits


def save_motion(motion: Motion | AnchorNoise, path: Path) -> None:
    """Writes a motion; whole or not at all.

    Raises:
        InputError: It cannot be written.
    """
    if isinstance(motion, AnchorNoise):
        says = {"generator": motion.generator, "first": str(motion.first), "num_frames": str(motion.num_frames)}
        _write(path, ANCHOR_NOISE, {"vectors": motion.vectors}, says)
        return
    _write(path, "motion", {"offsets": motion.offsets}, {"basis": motion.basis, "fps": str(motion.fps)})


def load_motion(path: Path) -> Motion | AnchorNoise:
    """Reads a motion, of either kind of model.

    Raises:
        InputError: The file is missing, damaged, or holds something else.
    """
    if _kind(path) == ANCHOR_NOISE:
        return _load_anchor_noise(path)
    tensors, says = _read(path, "motion", "offsets", {"basis", "fps"})
    try:
        fps = float(says["fps"])
    except ValueError as error:
        raise InputError(f"{path}: the frame rate is no number", given=says["fps"]) from error
    return Motion(tensors["offsets"].float(), says["basis"], fps)


def _load_anchor_noise(path: Path) -> AnchorNoise:
    tensors, says = _read(path, ANCHOR_NOISE, "vectors", {"generator", "first", "num_frames"})
    first, num_frames = says["first"], says["num_frames"]
    if not all(number.isdecimal() and len(number) <= LONGEST_NUMBER for number in (first, num_frames)):
        raise InputError(f"{path}: places are no numbers", given=f"first {first}, num_frames {num_frames}")
    return AnchorNoise(tensors["vectors"].float(), int(first), says["generator"], int(num_frames))


def save_direction(direction: Direction, path: Path) -> None:
    """Writes a direction; whole or not at all.

    Raises:
        InputError: It cannot be written.
    """
    _write(path, "direction", {"coefficients": direction.coefficients}, {"basis": direction.basis})


def load_direction(path: Path) -> Direction:
    """Reads a direction.

    Raises:
        InputError: The file is missing, damaged, or holds something else.
    """
    tensors, says = _read(path, "direction", "coefficients", {"basis"})
    return Direction(tensors["coefficients"].float(), says["basis"])


def save_latent(latent: GivenLatent, path: Path) -> None:
    """Writes a content; whole or not at all.

    Raises:
        InputError: It cannot be written.
    """
    maps = {f"noise.{place}": noise for place, noise in enumerate(latent.noise_maps)}
    label = "" if latent.label is None else str(latent.label)
    _write(path, "latent", {"w": latent.w, **maps}, {"generator": latent.generator, "label": label})


def load_latent(path: Path) -> GivenLatent:
    """Reads a content.

    Raises:
        InputError: The file is missing, damaged, or holds something else.
    """
    tensors, says = _read(path, "latent", "w", {"generator", "label"})
    if not re.fullmatch("[0-9]{0,18}", says["label"]):
        raise InputError(f"{path}: the class is no number", given=says["label"][:40], allowed="up to 18 digits")
    maps = [tensors[name].float() for name in (f"noise.{place}" for place in range(len(tensors) - 1)) if name in tensors]
    label = int(says["label"]) if says["label"] else None
    return GivenLatent(tensors["w"].float(), says["generator"], label, tuple(maps))


def _write(path: Path, kind: str, tensors: dict[str, Tensor], says: dict[str, str]) -> None:
    header = {"latentreel": json.dumps({"kind": kind, "format": FORMAT}), **says}
    content = safetensors.torch.save({name: value.contiguous() for name, value in tensors.items()}, metadata=header)
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def _kind(path: Path) -> str | None:
    """What a file says it holds; None if it says nothing that can be read."""
    try:
        with safetensors.safe_open(path, "pt") as file:
            told = json.loads((file.metadata() or {}).get("latentreel", "{}"))
    except (OSError, safetensors.SafetensorError, ValueError, RecursionError):
        return None
    return str(told.get("kind")) if isinstance(told, dict) else None


def _read(path: Path, kind: str, name: str, keys: set[str]) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safetensors.safe_open(path, "pt") as file:
            header = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118, the file is no dictionary
        told = json.loads(header.get("latentreel", "{}"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except (safetensors.SafetensorError, ValueError, RecursionError) as error:
        raise InputError(f"{path} is damaged or no {kind}: {error}") from error
    given = str(told.get("kind", "other tensors")) if isinstance(told, dict) else "other tensors"
    floats = all(tensor.is_floating_point() for tensor in tensors.values())
    if name not in tensors or given != kind or not keys <= header.keys() or not floats:
        raise InputError(f"{path} holds no {kind}", given=given, allowed=f"a file that latentreel wrote a {kind} to")
    if told.get("format") != FORMAT:
        raise InputError(f"{path} was written by a later latentreel", given=told.get("format"), allowed=FORMAT)
    return tensors, header
