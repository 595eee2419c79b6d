"""What a feature network sees in chosen clips: gathered over processes, and kept for real clips, which are looked at often."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from torch import Tensor

from latentreel.checkpoints.bundle import read_tensors, write_tensors
from latentreel.core.errors import InputError
from latentreel.core.files import atomic_path
from latentreel.core.precision import compute_dtype
from latentreel.data.frame_store import default_cache
from latentreel.metrics.clip_choice import ClipRef
from latentreel.metrics.extractors.extractor import Extractor, Seen
from latentreel.metrics.protocols import Protocol
from latentreel.pipelines.clip_collections import ClipCollection

Item = TypeVar("Item")
VERSION = 1  # raised when a network sees the same pixels otherwise than before


class Sight(NamedTuple):
    """What a network saw of chosen clips."""

    seen: Seen
    refs: list[ClipRef]
    digest: str
    """SHA-256 of the pixels of all clips, in their order."""
    shape: tuple[int, ...]
    """Of one clip: T, H, W, 3."""


def look(
    collection: ClipCollection,
    refs: list[ClipRef],
    protocol: Protocol,
    extractor: Extractor,
    *,
    accelerator: Accelerator,
    batch_size: int = 1,
    cache: Path | None = None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Sight:
    """Shows clips to a network; every process looks at its share.

    Args:
        collection: Where the clips are.
        refs: Which ones.
        protocol: Says how long they are.
        extractor: The network.
        accelerator: Knows the processes.
        batch_size: Clips seen at once.
        cache: Folder in which it is kept what was seen of clips that no model made.
        progress: Told of every clip of the first process.

    Raises:
        InputError: Clips have different sizes, or a feature is not finite.
    """
    rank, world = accelerator.process_index, accelerator.num_processes
    own = list(range(rank, len(refs), world))
    kept = None if collection.generated else _Kept(collection, refs, protocol, extractor, accelerator, own, cache=cache)
    if kept is not None and kept.path.exists():
        progress(len(own), len(own))
        return Sight(kept.read(), refs, kept.digest, kept.shape)
    parts: list[Seen] = []
    digests, shapes = [], set()
    for begin in range(0, len(own), batch_size):
        clips = [collection.clip(refs[index], protocol) for index in own[begin : begin + batch_size]]
        digests += [_digest(clip) for clip in clips]
        shapes |= {clip.shape for clip in clips}
        parts.append(extractor(torch.from_numpy(np.stack(clips))))
        progress(min(begin + batch_size, len(own)), len(own))
    seen = _gathered(parts, own, len(refs))
    if not torch.isfinite(seen.features).all():
        raise InputError(
            "the network sees numbers that are not finite", given=collection.name, fix="--precision fp32, or another network"
        )
    if kept is not None:
        if accelerator.is_main_process:
            kept.write(seen)
        return Sight(seen, refs, kept.digest, kept.shape)
    everyone = _in_order(list(zip(own, digests, strict=True)), len(refs))
    return Sight(seen, refs, _digest_of(everyone), shapes.pop())


class _Kept:
    """Where it is kept what a network saw of clips, found by their pixels and the network's weights."""

    def __init__(
        self,
        collection: ClipCollection,
        refs: list[ClipRef],
        protocol: Protocol,
        extractor: Extractor,
        accelerator: Accelerator,
        own: list[int],
        *,
        cache: Path | None,
    ) -> None:
        digests, shapes = [], set()
        for index in own:
            clip = collection.clip(refs[index], protocol)
            digests.append((index, _digest(clip)))
            shapes.add(clip.shape)
        self.digest = _digest_of(_in_order(digests, len(refs)))
        self.shape: tuple[int, ...] = shapes.pop()
        precision = compute_dtype(accelerator.device)
        key = f"{VERSION}/{self.digest}/{self.shape}/{extractor.name}/{extractor.digest}/{precision}"
        self.path = (cache or default_cache()) / "features" / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.safetensors"

    def read(self) -> Seen:
        tensors = read_tensors(self.path)
        return Seen(tensors["features"], tensors.get("logits"))

    def write(self, seen: Seen) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        tensors = {"features": seen.features} | ({} if seen.logits is None else {"logits": seen.logits})
        with atomic_path(self.path) as temporary:
            write_tensors(tensors, temporary)


def _gathered(parts: list[Seen], own: list[int], count: int) -> Seen:
    """What all processes saw, in the order of the clips."""
    features = _joined([part.features for part in parts], own, count)
    if parts and parts[0].logits is None:
        return Seen(features, None)
    return Seen(features, _joined([part.logits for part in parts if part.logits is not None], own, count))


def _joined(parts: list[Tensor], own: list[int], count: int) -> Tensor:
    """Rows of all clips; each has one row, or as many as it has frames."""
    rows = torch.cat(parts).float().cpu()
    by_clip = rows.reshape(len(own), -1, rows.shape[1]).numpy()
    return torch.from_numpy(np.concatenate(_in_order(list(zip(own, by_clip, strict=True)), count)))


def _in_order(own: list[tuple[int, Item]], count: int) -> list[Item]:
    """Everybody's items, by their numbers."""
    found = dict(gather_object(own))
    return [found[index] for index in range(count)]


def _digest(clip: npt.NDArray[np.uint8]) -> str:
    return hashlib.sha256(clip.tobytes()).hexdigest()


def _digest_of(digests: list[str]) -> str:
    return hashlib.sha256("".join(digests).encode()).hexdigest()
