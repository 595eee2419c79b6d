"""The allow-list: everything that a checkpoint may ask for by name, and what it gets instead. All of it is data.

Names of classes and number formats stay names; objects of foreign classes become inert `Record`s; tensors, numpy arrays and plain
containers are built here, after their sizes were seen to fit what the file holds.
"""

import io
import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from latentreel.checkpoints.plain_values import MAX_SHOWN, Record, Span, safe_key
from latentreel.checkpoints.safe_pickle import Builder, Globals
from latentreel.checkpoints.stored_tensor import Budget, Storage, StoredTensor
from latentreel.core.errors import InputError

MAX_AXES = 16
MAX_STRIDE = 2**40  # numbers in storage between neighbours; on an axis of size 1 a file may say anything
MAX_EMPTY = 2**24  # product of the other sizes of a tensor without numbers
MAX_PATH = 4096  # as long as Linux's
SLOT = 8  # bytes of a place in a container

STORAGES = {
    "torch.FloatStorage": torch.float32,
    "torch.DoubleStorage": torch.float64,
    "torch.HalfStorage": torch.float16,
    "torch.BFloat16Storage": torch.bfloat16,
    "torch.LongStorage": torch.int64,
    "torch.IntStorage": torch.int32,
    "torch.ShortStorage": torch.int16,
    "torch.CharStorage": torch.int8,
    "torch.ByteStorage": torch.uint8,
    "torch.BoolStorage": torch.bool,
    "torch.storage.UntypedStorage": torch.uint8,
}


def allow_list(*, open_storage: Callable[[Span], Storage], budget: Budget) -> Globals:
    """What a file may ask for.

    Args:
        open_storage: Finds the numbers of a storage that is packed into the pickle as a file of its own.
        budget: Counts what is copied, for a pickle can ask for copies of the same thing without end.
    """

    def nested_storage(packed: Any) -> Storage:
        if not isinstance(packed, Span):
            raise ValueError("a storage without numbers")
        return open_storage(packed)

    def array(packed: Any, dtype: Any, shape: Any, order: Any) -> npt.NDArray[Any]:
        budget.spend(_length(packed))
        return _array(packed, dtype, shape, order)

    def latin1_bytes(text: Any, encoding: Any) -> Span:
        """Bytes as pickles of protocol 2 hold them: as text."""
        if encoding != "latin1":
            raise ValueError("no such encoding")
        budget.spend(len(text))
        data = text.encode("latin1")
        return Span(io.BytesIO(data), 0, len(data))

    def mapping(items: Any = (), *_: Any) -> dict[Any, Any]:
        if not isinstance(items, list | tuple | dict):
            return {}
        budget.spend(SLOT * len(items))
        pairs = items.items() if isinstance(items, dict) else items
        return {safe_key(key): value for key, value in pairs}

    def members(items: Any = ()) -> set[Any]:
        budget.spend(SLOT * len(items))
        return {safe_key(item) for item in items}

    return {
        **_PLAIN,
        **dict.fromkeys(STORAGES),
        **dict.fromkeys(("dnnlib.util.EasyDict", "collections.OrderedDict", "builtins.dict"), mapping),
        **dict.fromkeys(
            ("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct"), lambda *_: ArrayRecord(array)
        ),
        **dict.fromkeys(("numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer"), array),
        "_codecs.encode": latin1_bytes,
        "builtins.set": members,
        "torch.storage._load_from_bytes": nested_storage,
    }


def _tensor(storage: Any, offset: Any, shape: Any, stride: Any, *_: Any) -> StoredTensor:
    """A view on a storage, if it lies within it and is no larger."""
    if not isinstance(storage, Storage) or not isinstance(shape, tuple) or not isinstance(stride, tuple):
        raise ValueError("no tensor")
    if len(shape) != len(stride) or len(shape) > MAX_AXES:
        raise ValueError("too many axes")
    if any(type(number) is not int or not 0 <= number <= MAX_STRIDE for number in (offset, *shape, *stride)):
        raise ValueError("sizes are whole numbers")
    if 0 in shape:
        if math.prod(size or 1 for size in shape) > MAX_EMPTY:
            raise ValueError("no numbers, but large")
    else:
        last = offset + sum((size - 1) * step for size, step in zip(shape, stride, strict=True))
        if last >= storage.length or math.prod(shape) > storage.length:
            raise InputError(
                f"{storage.budget.where} is damaged: a tensor is larger than what is stored of it",
                given=list(shape),
                allowed=f"{storage.length} numbers",
            )
    return StoredTensor(storage, offset, torch.Size(shape), tuple(stride))


def _parameter(data: Any, *_: Any) -> Any:
    if not isinstance(data, StoredTensor):
        raise ValueError("a parameter is a tensor")
    return data


def _persistent_object(meta: Any) -> Record:
    """An object of a network pickle: class name and attributes. The source text beside them is not looked at."""
    name = meta.get("class_name") if isinstance(meta, dict) and meta.get("type") == "class" else None
    if not isinstance(name, str) or len(name) > MAX_SHOWN or not name.isprintable():
        raise ValueError("no persistent object")
    return Record(name, state=meta.get("state"))


class ArrayRecord(Record):
    """A numpy array: first a record without numbers, which then come as its state."""

    values: npt.NDArray[Any] = np.empty(0)

    def __init__(self, build: Builder) -> None:
        super().__init__("numpy.ndarray")
        self.build = build

    def take_state(self, state: Any) -> None:
        """Version, shape, number format, whether Fortran's order, and the bytes."""
        _, shape, dtype, fortran, packed = state
        self.values = self.build(packed, dtype, shape, "F" if fortran is True else "C")


def _array(packed: Any, dtype: Any, shape: Any, order: Any) -> npt.NDArray[Any]:
    """Refuses by itself a shape that the bytes do not fill."""
    shape = shape if isinstance(shape, tuple) else (shape,)
    if len(shape) > MAX_AXES or any(type(size) is not int or size < 0 for size in shape):
        raise ValueError("sizes are whole numbers")
    return np.frombuffer(packed.read(), _dtype(dtype)).reshape(shape, order="F" if order == "F" else "C").copy()


def _length(packed: Any) -> int:
    if not isinstance(packed, Span):
        raise ValueError("an array without numbers")
    return packed.length


def _dtype(named: Any) -> np.dtype[Any]:
    code = named.arguments[0] if isinstance(named, Record) and named.kind == "numpy.dtype" else None
    if not isinstance(code, str) or not re.fullmatch("[fiub][1248]", code):
        raise ValueError("no plain number format")
    state = named.state if isinstance(named.state, tuple) else ()
    return np.dtype(code).newbyteorder(">" if len(state) > 1 and state[1] == ">" else "<")


def _scalar(dtype: Any, packed: Any) -> Any:
    if _length(packed) > 8:
        raise ValueError("more than a number")
    return np.frombuffer(packed.read(), _dtype(dtype), count=1)[0].item()


def _path(*parts: Any) -> str:
    texts = [part for part in parts if isinstance(part, str)]
    if sum(map(len, texts)) > MAX_PATH:
        raise ValueError("no path")
    return "/".join(texts)


def _size(sizes: Any = ()) -> tuple[Any, ...]:
    if not isinstance(sizes, list | tuple) or len(sizes) > MAX_AXES:
        raise ValueError("no size")
    return tuple(sizes)


def _inert(kind: str) -> Builder:
    return lambda *arguments: Record(kind, arguments)


_INERT = (
    "argparse.Namespace",
    "omegaconf.base.ContainerMetadata",
    "omegaconf.base.Metadata",
    "omegaconf.dictconfig.DictConfig",
    "omegaconf.listconfig.ListConfig",
    "omegaconf.nodes.AnyNode",
    "numpy.dtype",
    "torch.device",
    "torch.nn.modules.container.ModuleDict",
    "torch.nn.modules.container.ModuleList",
    "torch.nn.modules.container.Sequential",
    "torch.nn.modules.linear.Identity",
    "torch.nn.modules.sparse.Embedding",
    "src.training.layers.TemporalDifferenceEncoder",
    "training.layers.TemporalDifferenceEncoder",
    "types.SimpleNamespace",
)

_NAMES = (
    "builtins.bool",
    "builtins.float",
    "builtins.int",
    "builtins.list",
    "builtins.str",
    "numpy.ndarray",
    "torch.bfloat16",
    "torch.float16",
    "torch.float32",
    "torch.float64",
    "torch.int64",
    "typing.Any",
)

_PLAIN: dict[str, Builder | None] = {
    **{name: _inert(name) for name in _INERT},
    **dict.fromkeys(_NAMES),
    "torch_utils.persistence._reconstruct_persistent_obj": _persistent_object,
    "src.torch_utils.persistence._reconstruct_persistent_obj": _persistent_object,
    **dict.fromkeys(("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar"), _scalar),
    "collections.defaultdict": lambda *_: {},
    "pathlib.PosixPath": _path,
    "torch.Size": _size,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_tensor_v2": _tensor,
}
