"""The two networks that ship, trained on the procedural worlds: every score without a file from elsewhere.

Their names say what they are: a distance by `worlds-clips` is not an FVD, and not to be compared with one.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from torch import Tensor, nn

from latentreel.core.digests import weights_digest
from latentreel.core.errors import InputError
from latentreel.core.files import atomic_path
from latentreel.metrics.extractors.extractor import LooksAt, Seen, check_clips
from latentreel.metrics.factor_reader import FactorReader, load_factor_reader, shipped_readers

SHIPPED = Path(__file__).parents[2] / "weights" / "clip_network"
WEIGHTS, CARD = "clip_network.safetensors", "clip_network.json"

SIZE = 64
"""Height and width that frames are brought to, in pixels."""

STEM, FRAME, NEAR, FAR, POOLED = 16, 32, 48, 96, 128
"""Channels at 32 and 16 pixels, frame by frame; then at 8 and 4, over time."""

WIDTH = 64
"""Features of a clip: few, for a distance needs more clips than features."""

HALF_CHANGE = 0.06
"""The change that is shown as half of the largest: a slow clip moves by a grey level or two, a hundredth, and shall be seen."""


class ClipNetwork(nn.Module):
    """Two convolutions on every frame and its changes, three over time, mean and maximum; linear outputs for training alone."""

    def __init__(self, outputs: int) -> None:
        """Builds the network.

        Args:
            outputs: How many numbers training compares.
        """
        super().__init__()
        self.frames = nn.Sequential(*_layer(nn.Conv2d, 9, STEM, 3, 2), *_layer(nn.Conv2d, STEM, FRAME, 3, 2))
        self.clips = nn.Sequential(
            *_layer(nn.Conv3d, FRAME, NEAR, 3, (1, 2, 2)),
            *_layer(nn.Conv3d, NEAR, FAR, 3, 2),
            *_layer(nn.Conv3d, FAR, POOLED, 3, 1),
        )
        self.embedding = nn.Linear(2 * POOLED, WIDTH)
        self.outputs = nn.Linear(WIDTH, outputs)

    def features(self, clips: Tensor) -> Tensor:
        """Clips [N, T, 3, 64, 64] in [-1, 1] to float32 [N, 64]."""
        frames = self.frames(_with_changes(clips).flatten(0, 1).contiguous(memory_format=torch.channels_last))
        volume = frames.unflatten(0, clips.shape[:2]).transpose(1, 2)  # [N, C, T, 16, 16]
        moments = self.clips(volume.contiguous(memory_format=torch.channels_last_3d)).float().mean(dim=(3, 4))  # [N, C, T/2]
        features: Tensor = self.embedding(torch.cat([moments.mean(dim=2), moments.amax(dim=2)], dim=1).float())
        return features

    def forward(self, clips: Tensor) -> Tensor:
        """What training compares, [N, outputs]."""
        found: Tensor = self.outputs(self.features(clips))
        return found

    @torch.no_grad()
    def standardize(self, mean: Tensor, covariance: Tensor) -> None:
        """Moves and turns the features so that those of usual clips have mean 0 and no direction outweighs another.

        What hardly varies among good clips counts most then, where a clip differs in it; outputs stay as they are.

        Args:
            mean: Of features of usual clips, [64].
            covariance: Of the same, [64, 64].
        """
        variances, directions = torch.linalg.eigh(covariance)
        scales = (variances + VARIANCE_FLOOR * variances.mean()).sqrt()
        turn, back = directions.T / scales[:, None], directions * scales
        self.outputs.bias.add_(self.outputs.weight @ mean)
        self.outputs.weight.copy_(self.outputs.weight @ back)
        self.embedding.bias.copy_(turn @ (self.embedding.bias - mean))
        self.embedding.weight.copy_(turn @ self.embedding.weight)


VARIANCE_FLOOR = 0.02
"""Part of the mean variance that is added to each: directions in which usual clips do not vary at all are not blown up."""


def _with_changes(clips: Tensor) -> Tensor:
    """Frames, how they change since the one before, and how that changes, [N, T, 9, H, W]; the first have none."""
    seen = torch.cat([clips, clips.new_zeros(clips.shape[0], clips.shape[1], 6, *clips.shape[3:])], dim=2)
    changes, turns = seen[:, 1:, 3:6], seen[:, 2:, 6:]
    torch.sub(clips[:, 1:], clips[:, :-1], out=changes)
    torch.sub(changes[:, 1:], changes[:, :-1], out=turns)
    moving = seen[:, :, 3:]
    moving.div_(moving.abs().add_(HALF_CHANGE)).mul_(2)
    return seen


def _layer(
    kind: type[nn.Conv2d] | type[nn.Conv3d], in_channels: int, out_channels: int, kernel: int, stride: Any
) -> list[nn.Module]:
    norm = nn.BatchNorm2d if kind is nn.Conv2d else nn.BatchNorm3d
    convolution = kind(in_channels, out_channels, kernel, stride, padding=kernel // 2, bias=False)
    return [convolution, norm(out_channels), nn.ReLU(inplace=True)]


class WorldsClips:
    """`worlds-clips`: features of whole clips, from a network that learned what moves, how fast, and what spoils a clip.

    Far from what usual clips show they grow by their logarithm (asinh), lest a few odd clips decide a distance.
    """

    name = "worlds-clips"
    looks_at: LooksAt = "clips"
    width = WIDTH
    dtype = torch.float32

    def __init__(self, network: ClipNetwork) -> None:
        self.network = network
        self.digest = weights_digest(network.state_dict())

    @torch.no_grad()
    def __call__(self, clips: Tensor) -> Seen:
        """Looks at clips, which are brought to 64 x 64 pixels by averaging areas.

        Args:
            clips: uint8 [N, T, H, W, 3].

        Returns:
            Features [N, 64], no logits.

        Raises:
            InputError: The clips have another shape or number format.
        """
        check_clips(clips)
        frames = _small(clips.to(self.network.outputs.weight.device))
        return Seen(self.network.features(frames.unflatten(0, clips.shape[:2])).asinh(), None)


class WorldsFrames:
    """`worlds-frames`: features of single frames, those by which the factor readers of all worlds tell what they see."""

    name = "worlds-frames"
    looks_at: LooksAt = "frames"
    width: int | None = None
    dtype = torch.float32

    def __init__(self, readers: dict[str, FactorReader]) -> None:
        self.readers = nn.ModuleDict(readers)
        self.digest = weights_digest(self.readers.state_dict())

    @torch.no_grad()
    def __call__(self, clips: Tensor) -> Seen:
        """Looks at every frame, brought to 64 x 64 pixels by averaging areas.

        Args:
            clips: uint8 [N, T, H, W, 3].

        Returns:
            Features [N * T, F], no logits.

        Raises:
            InputError: The clips have another shape or number format.
        """
        check_clips(clips)
        frames = _small(clips.to(next(self.readers.parameters()).device))
        return Seen(torch.cat([reader.features(frames) for reader in self._readers()], dim=1), None)

    def _readers(self) -> list[FactorReader]:
        return [reader for reader in self.readers.values() if isinstance(reader, FactorReader)]


def _small(clips: Tensor) -> Tensor:
    """uint8 [N, T, H, W, 3] to float32 [N * T, 3, 64, 64] in [-1, 1]."""
    pixels = clips.flatten(0, 1).movedim(-1, 1).float().div_(127.5).sub_(1)
    return pixels if pixels.shape[-2:] == (SIZE, SIZE) else F.interpolate(pixels, size=(SIZE, SIZE), mode="area")


def open_worlds_frames() -> WorldsFrames:
    """The extractor of frames that ships."""
    return WorldsFrames({name: load_factor_reader(name) for name in shipped_readers()})


def open_worlds_clips(folder: Path = SHIPPED) -> WorldsClips:
    """The extractor of clips that ships.

    Raises:
        InputError: Its files are missing or damaged.
    """
    try:
        card = json.loads((folder / CARD).read_text())
        content = (folder / WEIGHTS).read_bytes()
        if hashlib.sha256(content).hexdigest() != card["sha256"]:
            raise InputError(f"{folder / WEIGHTS} is damaged", fix="install latentreel anew")
        network = ClipNetwork(card["outputs"])
        network.load_state_dict(
            {
                key: value.float() if value.is_floating_point() else value
                for key, value in safetensors.torch.load(content).items()
            }
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"the network in {folder} cannot be read", given=str(error), fix="install latentreel anew") from error
    return WorldsClips(network.eval().requires_grad_(False))


def save_worlds_clips(network: ClipNetwork, *, facts: dict[str, Any], folder: Path = SHIPPED) -> None:
    """Writes the network in half precision, with a card.

    Args:
        network: Trained.
        facts: What else the card says: licence, origin, accuracy.
        folder: Where to.
    """
    tensors = {key: value.half() if value.is_floating_point() else value for key, value in network.state_dict().items()}
    content = safetensors.torch.save({key: value.contiguous() for key, value in tensors.items()})
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_path(folder / WEIGHTS) as temporary:
        temporary.write_bytes(content)
    card = {"outputs": network.outputs.out_features, "sha256": hashlib.sha256(content).hexdigest()} | facts
    with atomic_path(folder / CARD) as temporary:
        temporary.write_text(json.dumps(card, indent=1) + "\n")
