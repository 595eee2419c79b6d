"""What a feature network sees in chosen clips: gathered over processes, and kept for real clips, which are looked at often."""

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list, gather_object
from torch import Tensor

from latentreel.checkpoints.bundle import read_tensors, write_tensors
from latentreel.core.errors import InputError
from latentreel.core.files import atomic_path, require_writable
from latentreel.data.frame_store import default_cache
from latentreel.metrics.clip_choice import ClipRef
from latentreel.metrics.extractors.extractor import Extractor, Seen
from latentreel.metrics.protocols import Protocol
from latentreel.pipelines.clip_collections import ClipCollection

Item = TypeVar("Item")
_log = logging.getLogger(__name__)
VERSION = 1  # raised when a network sees the same pixels otherwise than before


class Sight(NamedTuple):
    """What a network saw of chosen clips."""

    seen: Seen
    refs: list[ClipRef]
    digests: list[str]
    """SHA-256 of the pixels of each clip."""
    shape: tuple[int, ...]
    """Of one clip: T, H, W, 3."""

    @property
    def digest(self) -> str:
        """SHA-256 of the pixels of all clips, in their order."""
        return hashlib.sha256("".join(self.digests).encode()).hexdigest()

    @property
    def rows(self) -> int:
        """Features of each clip: one, or as many as it has frames."""
        return len(self.seen.features) // len(self.refs)

    def of(self, clips: npt.NDArray[np.intp]) -> "Sight":
        """What was seen of some of the clips, by their numbers; one may come more than once."""
        places = (clips[:, None] * self.rows + np.arange(self.rows)).ravel()
        seen = Seen(*(None if part is None else part[places] for part in self.seen))  # type: ignore[arg-type]
        return Sight(seen, [self.refs[clip] for clip in clips], [self.digests[clip] for clip in clips], self.shape)


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
        InputError: A feature is not finite, or the cache cannot be written to.
    """
    own = list(range(accelerator.process_index, len(refs), accelerator.num_processes))
    shape = gather_object([tuple(collection.clip(refs[index], protocol).shape) for index in own[:1]])[0]
    kept = None
    if not collection.generated:
        digests = _in_order([(index, _digest(collection.clip(refs[index], protocol))) for index in own], len(refs))
        kept = _place(digests, shape, extractor, cache)
        seen = _read(kept) if accelerator.is_main_process else None
        (seen,) = broadcast_object_list([seen])  # all go on, or none: what only some find would leave the others waiting
        if seen is not None:
            progress(len(own), len(own))
            return Sight(seen, refs, digests, shape)
    rows: list[tuple[int, tuple[str, Tensor, Tensor | None]]] = []
    for begin in range(0, len(own), batch_size):
        some = own[begin : begin + batch_size]
        clips = [collection.clip(refs[index], protocol) for index in some]
        features, logits = extractor(torch.from_numpy(np.stack(clips)))
        parts = features.float().cpu().chunk(len(some))
        classes = [None] * len(some) if logits is None else logits.float().cpu().chunk(len(some))
        rows += zip(some, zip(map(_digest, clips), parts, classes, strict=True), strict=True)
        progress(min(begin + batch_size, len(own)), len(own))
    everyone = _in_order(rows, len(refs))
    logits = None if everyone[0][2] is None else torch.cat([part for _, _, part in everyone if part is not None])
    seen = Seen(torch.cat([part for _, part, _ in everyone]), logits)
    if not torch.isfinite(seen.features).all():
        raise InputError(
            "the network sees numbers that are not finite", given=collection.name, fix="--precision fp32, or another network"
        )
    if kept is not None and accelerator.is_main_process:
        tensors = {"features": seen.features} | ({} if seen.logits is None else {"logits": seen.logits})
        with atomic_path(kept) as temporary:
            write_tensors(tensors, temporary)
    return Sight(seen, refs, [digest for digest, _, _ in everyone], shape)


def _place(digests: list[str], shape: tuple[int, ...], extractor: Extractor, cache: Path | None) -> Path:
    """Where it is kept what a network saw of clips, by their pixels and by the network."""
    network = (extractor.name, extractor.digest, extractor.looks_at, getattr(extractor, "size", None))
    key = f"{VERSION}/{''.join(digests)}/{shape}/{network}/{extractor.dtype}"
    folder = require_writable((cache or default_cache()) / "features")
    return folder / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.safetensors"


def _read(path: Path) -> Seen | None:
    """What is kept there; nothing if there is none, or it is damaged."""
    if not path.exists():
        return None
    try:
        tensors = read_tensors(path)
        return Seen(tensors["features"], tensors.get("logits"))
    except (InputError, KeyError) as error:
        _log.warning("%s; it is looked at anew", error)
        return None


def _in_order(own: list[tuple[int, Item]], count: int) -> list[Item]:
    """Everybody's items, by their numbers."""
    found = dict(gather_object(own))
    return [found[index] for index in range(count)]


def _digest(clip: npt.NDArray[np.uint8]) -> str:
    return hashlib.sha256(clip.tobytes()).hexdigest()
