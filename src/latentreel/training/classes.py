"""The classes of what is trained on: the first folders of its files."""

import torch
from torch import Tensor

from latentreel.core.errors import InputError
from latentreel.data.clip_sampling import ClipSampler
from latentreel.data.streamed_clips import StreamedClips


def class_numbers(sampler: ClipSampler | StreamedClips) -> tuple[Tensor, tuple[str, ...]]:
    """The class number of every video of a store [V], and the names of the classes.

    Raises:
        InputError: There are none, or something has none, or nobody knows since the data is streamed.
    """
    allowed = "two folders or more, everything in one of them"
    if isinstance(sampler, StreamedClips):
        raise InputError("training by class needs classes", given="data that is streamed", allowed=allowed)
    store = sampler.store
    without = [name for name, label in zip(store.names, store.labels, strict=True) if label < 0]
    if without or len(store.classes) < 2:
        given = f"{without[0]} in no class" if without else f"{len(store.classes)} class"
        raise InputError("training by class needs classes", given=given, allowed=allowed)
    return torch.from_numpy(store.labels), store.classes
