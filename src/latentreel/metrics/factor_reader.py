"""A small network that reads identity and motion off a picture of a world, and the trained ones that ship.

Worlds know the factors behind their own pictures. A reader finds them in generated ones.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

import safetensors
import safetensors.torch
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from latentreel.core.errors import InputError
from latentreel.core.files import atomic_path
from latentreel.core.shapes import check_shape
from latentreel.metrics.factor_code import FactorCode, as_read
from latentreel.worlds.registry import WORLDS
from latentreel.worlds.world import Factor

SHIPPED = Path(__file__).parents[1] / "weights" / "factor_readers"

SIZE = 64
"""Height and width that pictures are brought to, in pixels."""

STEM, MIDDLE, DEEP, SQUEEZED, HIDDEN = 32, 64, 96, 20, 96
"""Channels at 32, 16 and 8 pixels, then those that the first linear layer sees and gives: about 370 thousand weights."""


class Reading(NamedTuple):
    """What a reader sees in N pictures."""

    identity: Tensor
    """A point for each picture, float32 [N, E]: two people are about 1 apart in each factor (`FactorCode.scales`)."""

    motion: Tensor
    """The motion factors in their own units, float32 [N, M]; where no single picture tells, the change since the frame before."""


class FactorReader(nn.Module):
    """Convolutions down to 8 x 8 pixels, then two linear layers that know where in the picture they look."""

    def __init__(self, *, identity: tuple[Factor, ...], motion: tuple[Factor, ...]) -> None:
        super().__init__()
        self.identity_code = FactorCode(identity)
        self.motion_code = FactorCode(tuple(as_read(factor) for factor in motion))
        self.changes = [place for place, factor in enumerate(motion) if factor.change]
        """Places of the motion factors of which it reads the change since the frame before."""
        self.sees_change = bool(self.changes)
        """Whether it looks at the frame before as well."""
        self.convolutions = nn.Sequential(
            nn.PixelUnshuffle(2),
            *_layer(4 * 3 * (2 if self.sees_change else 1), STEM),
            *_layer(STEM, MIDDLE, stride=2),
            *_layer(MIDDLE, DEEP, stride=2),
            ResidualBlock(DEEP),
            *_layer(DEEP, SQUEEZED, kernel=1),
        )
        self.linears = nn.Sequential(
            nn.Flatten(),
            nn.Linear(SQUEEZED * (SIZE // 8) ** 2, HIDDEN, bias=False),
            nn.BatchNorm1d(HIDDEN),
            nn.ReLU(inplace=True),
            nn.Linear(HIDDEN, self.identity_code.size + self.motion_code.size),
        )
        self.register_buffer("scales", self.identity_code.scales(), persistent=False)
        self.scales: Tensor

    def forward(self, images: Tensor, before: Tensor | None = None) -> Reading:
        """Reads pictures.

        Args:
            images: [N, 3, H, W] in [-1, 1]; other sizes than 64 x 64 are brought there by averaging areas.
            before: The frames before them in their clips, of the same shape; needed where `sees_change`.

        Raises:
            InputError: The shape is another, or the frames before are missing.
        """
        check_shape(images, "N 3 H W", name="images")
        if before is not None:
            n, _, height, width = images.shape
            check_shape(before, "N 3 H W", name="the frames before", N=n, H=height, W=width)
        elif self.sees_change:
            raise InputError("this reader needs the frames before, too", fix="give them as `before`")
        identity, motion = self.outputs(images, before).split([self.identity_code.size, self.motion_code.size], dim=1)
        identity = self.identity_code.of_outputs(identity) * self.scales
        return Reading(identity, self.motion_code.values(self.motion_code.of_outputs(motion)))

    def outputs(self, images: Tensor, before: Tensor | None = None) -> Tensor:
        """The network's own numbers, which training compares with codes: images to float32 [N, K], identity first."""
        outputs: Tensor = self.linears(self._convolved(images, before))
        return outputs.float()

    def features(self, images: Tensor) -> Tensor:
        """What the last layer sees in single pictures: [N, 3, H, W] in [-1, 1] to float32 [N, 96]."""
        features: Tensor = self.linears[:-1](self._convolved(images, images))
        return features.float()

    def _convolved(self, images: Tensor, before: Tensor | None) -> Tensor:
        if self.sees_change:
            assert before is not None
            images = torch.cat([images, images - before], dim=1)
        if images.shape[-2:] != (SIZE, SIZE):
            images = F.interpolate(images.float(), size=(SIZE, SIZE), mode="area")
        convolved: Tensor = self.convolutions(images.contiguous(memory_format=torch.channels_last))
        return convolved


class ResidualBlock(nn.Module):
    """Adds what two convolutions find to what they were given: [N, C, H, W] to the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*_layer(channels, channels), *_layer(channels, channels)[:-1])

    def forward(self, x: Tensor) -> Tensor:
        """Adds, then cuts off below zero."""
        return F.relu(x + self.layers(x))


def _layer(in_channels: int, out_channels: int, *, kernel: int = 3, stride: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2, bias=False)
    return [convolution, nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True)]


def build_factor_reader(world_name: str) -> FactorReader:
    """An untrained reader for a world.

    Raises:
        InputError: There is no world of that name.
    """
    if world_name not in WORLDS:
        raise InputError("there is no such world", given=world_name, allowed=", ".join(WORLDS))
    world = WORLDS[world_name]
    reader = FactorReader(identity=world.IDENTITY_FACTORS, motion=world.MOTION_FACTORS)
    return reader.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def shipped_readers(folder: Path = SHIPPED) -> list[str]:
    """Names of the worlds whose reader comes with the package."""
    return sorted(path.stem for path in folder.glob("*.json"))


def load_factor_reader(world_name: str, *, folder: Path = SHIPPED) -> FactorReader:
    """The trained reader of a world, in eval mode, frozen.

    Args:
        world_name: A world's name; `shipped_readers` lists those with a reader.
        folder: Where the readers lie.

    Raises:
        InputError: The world has no reader, or its files are missing, damaged, or do not fit the world as it is now.
    """
    card = read_reader_card(world_name, folder=folder)
    reader = build_factor_reader(world_name)
    factors = factor_names(reader)
    if card["factors"] != factors:
        raise InputError(
            f"{folder / world_name}.json is of other factors than the world {world_name} has", fix="train it again"
        )
    state = _read_weights(folder / f"{world_name}.safetensors", digest=card["digest"])
    own = reader.state_dict()
    wrong = sorted(own.keys() ^ state.keys()) or [key for key in own if own[key].shape != state[key].shape]
    if wrong:
        raise InputError(f"{folder / world_name}.safetensors does not fit the network", given=wrong[0])
    reader.load_state_dict(state)
    return reader.eval().requires_grad_(False)


def save_factor_reader(reader: FactorReader, world_name: str, *, facts: dict[str, Any], folder: Path = SHIPPED) -> None:
    """Writes `<world>.safetensors`, its matrices in float16, and its card `<world>.json`.

    Args:
        reader: What is saved.
        world_name: Whose factors it reads.
        facts: More for the card: origin, licence, how well it reads.
        folder: Where; older files there are replaced.
    """
    state = {key: value.detach().cpu().contiguous() for key, value in reader.state_dict().items()}
    content = safetensors.torch.save({key: value.half() if value.ndim > 1 else value for key, value in state.items()})
    digest = hashlib.sha256(content).hexdigest()
    card = {"world": world_name, "factors": factor_names(reader), "digest": digest, **facts}
    for name, text in (
        (f"{world_name}.safetensors", content),
        (f"{world_name}.json", f"{json.dumps(card, indent=2)}\n".encode()),
    ):
        with atomic_path(folder / name) as temporary:
            temporary.write_bytes(text)


def read_reader_card(world_name: str, *, folder: Path = SHIPPED) -> dict[str, Any]:
    """What a trained reader's card says: world, factors, held-out accuracy, licence, origin, digest.

    Raises:
        InputError: There is none, or it is damaged.
    """
    if world_name not in shipped_readers(folder):
        raise InputError("no factor reader for such a world", given=world_name, allowed=", ".join(shipped_readers(folder)))
    path = folder / f"{world_name}.json"
    try:
        card = json.loads(path.read_text())
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is damaged: {error}") from error
    needed = {"world": str, "factors": dict, "digest": str}
    if not isinstance(card, dict) or not all(isinstance(card.get(name), kind) for name, kind in needed.items()):
        raise InputError(f"{path} lacks parts of a card", allowed=", ".join(needed))
    return card


def legible_motion(world_name: str, *, at_least: float = 0.5, folder: Path = SHIPPED) -> list[int]:
    """Which motion factors the trained reader of a world sees well enough to be measured.

    Args:
        world_name: A world that has a reader.
        at_least: The held-out accuracy that is asked of a factor: R^2, or the share of levels that are read rightly.
        folder: Where the readers lie.

    Returns:
        Their places among the world's motion factors.

    Raises:
        InputError: There is no such reader, or its card is damaged.
    """
    card = read_reader_card(world_name, folder=folder)
    try:
        accuracy = [float(card["held_out_accuracy"]["motion"][name]) for name in card["factors"]["motion"]]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{folder / world_name}.json does not say how well the motion factors are read") from error
    return [place for place, value in enumerate(accuracy) if value >= at_least]


def factor_names(reader: FactorReader) -> dict[str, list[str]]:
    """What a reader reads, by name and in order."""
    codes = {"identity": reader.identity_code, "motion": reader.motion_code}
    return {part: [factor.name for factor in code.factors] for part, code in codes.items()}


def _read_weights(path: Path, *, digest: str) -> dict[str, Tensor]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise InputError(f"{path} is not the file that its card describes", fix="install the package again")
    try:
        state = safetensors.torch.load(content)
    except safetensors.SafetensorError as error:
        raise InputError(f"{path} is damaged: {error}") from error
    return {key: value.float() if value.is_floating_point() else value for key, value in state.items()}
