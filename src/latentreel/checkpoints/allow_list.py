"""The allow-list: everything that a checkpoint may ask for by name, and what it gets instead. All of it is data.

Names of classes and number formats stay names; objects of foreign classes become inert `Record`s; tensors, numpy arrays and plain
containers are built here, after their sizes were seen to fit what the file holds.
"""

import io
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from latentreel.checkpoints.safe_pickle import Builder, Globals, Record, Span
from latentreel.checkpoints.stored_tensor import Storage, StoredTensor
from latentreel.core.errors import InputError

MAX_AXES = 16

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


def allow_list(*, open_storage: Callable[[Span], Storage]) -> Globals:
    """What a file may ask for.

    Args:
        open_storage: Finds the numbers of a storage that is packed into the pickle as a file of its own.
    """

    def nested_storage(packed: Any) -> Storage:
        if not isinstance(packed, Span):
            raise ValueError("a storage without numbers")
        return open_storage(packed)

    return {
        **_PLAIN,
        **dict.fromkeys(STORAGES),
        "torch.storage._load_from_bytes": nested_storage,
    }


def _tensor(storage: Any, offset: Any, shape: Any, stride: Any, *_: Any) -> StoredTensor:
    """A view on a storage, if it lies within it and is no larger."""
    numbers = (offset, *shape, *stride)
    if not isinstance(storage, Storage) or len(shape) != len(stride) or len(shape) > MAX_AXES:
        raise ValueError("no tensor")
    if any(type(number) is not int or number < 0 for number in numbers):
        raise ValueError("sizes are whole numbers")
    if 0 not in shape:
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
    if not isinstance(meta, dict) or meta.get("type") != "class" or not isinstance(meta.get("class_name"), str):
        raise ValueError("no persistent object")
    return Record(meta["class_name"], state=meta.get("state"))


def _mapping(items: Any = (), *_: Any) -> dict[Any, Any]:
    return dict(items) if isinstance(items, list | tuple | dict) else {}


def _members(items: Any = ()) -> set[Any]:
    if not all(type(item) in (str, int) for item in items):
        raise ValueError("members are text or numbers")
    return set(items)


class ArrayRecord(Record):
    """A numpy array: first a record without numbers, which then come as its state."""

    values: npt.NDArray[Any] = np.empty(0)

    def take_state(self, state: Any) -> None:
        """Version, shape, number format, whether Fortran's order, and the bytes."""
        _, shape, dtype, fortran, packed = state
        self.values = _array(packed, dtype, shape, "F" if fortran else "C")


def _array(packed: Any, dtype: Any, shape: Any, order: Any) -> npt.NDArray[Any]:
    """Refuses by itself a shape that the bytes do not fill."""
    shape = shape if isinstance(shape, tuple) else (shape,)
    if any(type(size) is not int or size < 0 for size in shape):
        raise ValueError("sizes are whole numbers")
    return np.frombuffer(packed.read(), _dtype(dtype)).reshape(shape, order="F" if order == "F" else "C").copy()


def _dtype(named: Any) -> np.dtype[Any]:
    code = named.arguments[0] if isinstance(named, Record) and named.kind == "numpy.dtype" else None
    if not isinstance(code, str) or code[:1] not in "fiub" or len(code) > 3:
        raise ValueError("no plain number format")
    state = named.state if isinstance(named.state, tuple) else ()
    return np.dtype(code).newbyteorder(">" if ">" in state else "<")


def _scalar(dtype: Any, packed: Any) -> Any:
    return np.frombuffer(packed.read(), _dtype(dtype), count=1)[0].item()


def _latin1_bytes(text: Any, encoding: Any) -> Span:
    """Bytes as pickles of protocol 2 hold them: as text."""
    data = text.encode("latin1") if encoding == "latin1" else None
    if data is None:
        raise ValueError("no such encoding")
    return Span(io.BytesIO(data), 0, len(data))


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
    **dict.fromkeys(("dnnlib.util.EasyDict", "collections.OrderedDict", "builtins.dict"), _mapping),
    **dict.fromkeys(
        ("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct"), lambda *_: ArrayRecord("numpy.ndarray")
    ),
    **dict.fromkeys(("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar"), _scalar),
    "builtins.set": _members,
    "collections.defaultdict": lambda *_: {},
    "pathlib.PosixPath": lambda *parts: "/".join(str(part) for part in parts if isinstance(part, str)),
    "torch.Size": lambda sizes=(): tuple(sizes),
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_tensor_v2": _tensor,
    **dict.fromkeys(("numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer"), _array),
    "_codecs.encode": _latin1_bytes,
}
