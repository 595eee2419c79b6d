"""What a feature network sees in chosen clips: gathered over processes, round by round, into a file of each; kept for real clips,
which are looked at often.
"""

import hashlib
import logging
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list, gather_object
from torch import Tensor

from latentreel.core.errors import InputError
from latentreel.core.files import require_writable
from latentreel.data.frame_store import default_cache
from latentreel.metrics.clip_choice import ClipRef
from latentreel.metrics.extractors.extractor import Extractor
from latentreel.metrics.protocols import Protocol
from latentreel.pipelines.clip_collections import ClipCollection
from latentreel.pipelines.feature_file import FEATURES, LOGITS, FeatureFile, Rows

Item = TypeVar("Item")
_log = logging.getLogger(__name__)
VERSION = 2  # raised when a network sees the same pixels otherwise than before


ROUND = 64  # clips of each process that are in memory at once, or one batch if that is larger
CHUNK_BYTES = 2**24  # of a file that one process hands to the others


class Sight(NamedTuple):
    """What a network saw of chosen clips."""

    file: FeatureFile
    places: npt.NDArray[np.intp]
    """The numbers of the clips in the file, [N]."""

    rows: int
    """Features of each clip: one, or as many as it has frames."""

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
    def features(self) -> Rows:
        """[N * rows, F], those of one clip next to each other."""
        return Rows(self.file, FEATURES, self._numbers)

    @property
    def logits(self) -> Rows | None:
        """[N * rows, C], where the network classifies."""
        return Rows(self.file, LOGITS, self._numbers) if LOGITS in self.file.shapes else None

    @property
    def _numbers(self) -> npt.NDArray[np.intp]:
        return (self.places[:, None] * self.rows + np.arange(self.rows)).ravel()

    def of(self, clips: npt.NDArray[np.intp]) -> "Sight":
        """What was seen of some of the clips, by their numbers; one may come more than once."""
        refs, digests = [self.refs[clip] for clip in clips], [self.digests[clip] for clip in clips]
        return self._replace(places=self.places[clips], refs=refs, digests=digests)


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
        InputError: A feature is not finite, or the cache's folder cannot be written to.
    """
    own = list(range(accelerator.process_index, len(refs), accelerator.num_processes))
    shape = gather_object([tuple(collection.clip(refs[index], protocol).shape) for index in own[:1]])[0]
    folder = require_writable((cache or default_cache()) / "features")
    kept = None
    if not collection.generated:
        digests = _in_order([(index, _digest(collection.clip(refs[index], protocol))) for index in own], range(len(refs)))
        kept = folder / _name(digests, shape, extractor)
        file = _shared(_read(kept, len(refs)) if accelerator.is_main_process else None, accelerator, folder)
        if file is not None:
            progress(len(own), len(own))
            return _sight(file, refs, digests, shape)
    digests, file, size = [], None, max(1, ROUND // batch_size) * batch_size
    for begin in range(0, -(-len(refs) // accelerator.num_processes), size):
        rows: list[tuple[int, tuple[str, Tensor, Tensor | None]]] = []
        for some in (own[first : first + batch_size] for first in range(begin, min(begin + size, len(own)), batch_size)):
            rows += zip(some, _looked_at([collection.clip(refs[index], protocol) for index in some], extractor), strict=True)
            progress(some[-1] // accelerator.num_processes + 1, len(own))
        first = begin * accelerator.num_processes
        together = _in_order(rows, range(first, min(first + size * accelerator.num_processes, len(refs))))
        file = _written(file, together, first=first, count=len(refs), folder=folder, name=collection.name)
        digests += [digest for digest, _, _ in together]
    assert file is not None
    if kept is not None and accelerator.is_main_process:
        file.keep(kept)
    return _sight(file, refs, digests, shape)


def _looked_at(clips: list[npt.NDArray[np.uint8]], extractor: Extractor) -> list[tuple[str, Tensor, Tensor | None]]:
    """The digest of each clip, its features and its logits."""
    features, logits = extractor(torch.from_numpy(np.stack(clips)))
    parts = features.float().cpu().chunk(len(clips))
    classes = [None] * len(clips) if logits is None else logits.float().cpu().chunk(len(clips))
    return list(zip(map(_digest, clips), parts, classes, strict=True))


def _written(
    file: FeatureFile | None,
    clips: list[tuple[str, Tensor, Tensor | None]],
    *,
    first: int,
    count: int,
    folder: Path,
    name: str,
) -> FeatureFile:
    """The file with the features of neighbouring clips in it, from the number of the first one on.

    Raises:
        InputError: A feature is not finite; in all processes alike.
    """
    features = torch.cat([part for _, part, _ in clips])
    logits = None if clips[0][2] is None else torch.cat([part for _, _, part in clips if part is not None])
    if not torch.isfinite(features).all():
        raise InputError("the network sees numbers that are not finite", given=name, fix="--precision fp32, or another network")
    rows = len(features) // len(clips)
    if file is None:
        classes = None if logits is None else logits.shape[1]
        file = FeatureFile.empty(folder, count * rows, width=features.shape[1], classes=classes)
    file.write(first * rows, features, logits)
    return file


def _sight(file: FeatureFile, refs: list[ClipRef], digests: list[str], shape: tuple[int, ...]) -> Sight:
    return Sight(file, np.arange(len(refs)), file.shapes[FEATURES][0] // len(refs), refs, digests, shape)


def _name(digests: list[str], shape: tuple[int, ...], extractor: Extractor) -> str:
    """The file in which it is kept what a network saw of clips, by their pixels and by the network."""
    network = (extractor.name, extractor.digest, extractor.looks_at, getattr(extractor, "size", None))
    key = f"{VERSION}/{''.join(digests)}/{shape}/{network}/{extractor.dtype}"
    return f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.safetensors"


def _read(path: Path, num_clips: int) -> FeatureFile | None:
    """What is kept there; nothing if there is none, or it is damaged."""
    if not path.exists():
        return None
    try:
        file = FeatureFile(path.open("rb"), where=str(path))
        if file.shapes[FEATURES][0] % num_clips:
            raise InputError(f"{path} is damaged", given="features of other clips")
    except (InputError, OSError) as error:
        _log.warning("%s; it is looked at anew", error)
        return None
    return file


def _shared(file: FeatureFile | None, accelerator: Accelerator, folder: Path) -> FeatureFile | None:
    """The first process's file for all; none for all where it has none: what only some find would leave the others waiting."""
    if accelerator.num_processes == 1:
        return file
    copy = None
    if file is not None:
        file.file.seek(0)
    elif not accelerator.is_main_process:
        copy = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # open for as long as somebody reads it
    while chunk := broadcast_object_list([file.file.read(CHUNK_BYTES) if file is not None else b""])[0]:
        if copy is not None:
            copy.write(chunk)
    if copy is None or not copy.tell():
        return file
    copy.seek(0)
    return FeatureFile(copy, where="what another process has seen")


def _in_order(own: list[tuple[int, Item]], numbers: range) -> list[Item]:
    """Everybody's items, by their numbers."""
    found = dict(gather_object(own))
    return [found[index] for index in numbers]


def _digest(clip: npt.NDArray[np.uint8]) -> str:
    return hashlib.sha256(clip.tobytes()).hexdigest()
