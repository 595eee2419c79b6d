"""What can be evaluated: models, image generators, folders of videos or of frames, files of clips, tensors, procedural worlds."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

import numpy as np
import numpy.typing as npt
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from latentreel.checkpoints.bundle import read_card
from latentreel.checkpoints.load import find_bundle, load_image_generator, shipped_names
from latentreel.core.errors import InputError
from latentreel.core.pixels import to_uint8
from latentreel.data.clip_decoding import centre_square
from latentreel.data.frame_store import FrameStore, open_frame_store, open_generated_store
from latentreel.data.sources import Expect, open_source
from latentreel.metrics.clip_choice import ClipRef
from latentreel.metrics.protocols import Protocol as EvaluationProtocol
from latentreel.pipelines.model_clips import checkpoint_clips, image_model_clips, model_clips
from latentreel.pipelines.video_pipeline import VideoPipeline
from latentreel.worlds.registry import open_world

Pixels = npt.NDArray[np.uint8]
Progress = Callable[[int, int], None]

WORLD = "world:"
WORLD_SEED = 10**6 + 1  # of no training
WORLD_VIDEOS = 4096
FARTHEST = 2.0  # what generators give goes a little beyond [-1, 1], and is clipped
TENSOR_SUFFIXES = (".npy", ".safetensors")
CHECKPOINT_SUFFIXES = (".pt", ".pth", ".pkl")
SOURCES = (
    'a model, an image generator, a folder of videos or of frame folders, a .npy or .safetensors file of clips, or "world:NAME"'
)


class ClipCollection(Protocol):
    """Videos that clips are taken from, V of them."""

    @property
    def name(self) -> str:
        """What it is called in results."""
        ...

    @property
    def generated(self) -> bool:
        """Whether a model makes the videos, as many as are wanted."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """[V]"""
        ...

    @property
    def lengths(self) -> tuple[int, ...]:
        """Frames of each video, [V]."""
        ...

    @property
    def problems(self) -> tuple[tuple[str, str], ...]:
        """What had to be left out: name and reason."""
        ...

    @property
    def fps(self) -> float | None:
        """Frames per second of its videos, the middle one where they differ; None where nobody has said it."""
        ...

    def told(self, protocol: EvaluationProtocol) -> EvaluationProtocol:
        """A protocol in the frames of these videos."""
        ...

    def clip(self, ref: ClipRef, protocol: EvaluationProtocol) -> Pixels:
        """The frames of one clip, uint8 [T, H, W, 3]."""
        ...


@dataclass(frozen=True)
class StoredClips:
    """Videos whose frames lie in a store, in memory or on disk."""

    name: str
    store: FrameStore
    generated: bool = False
    rated: bool = True
    """Whether the store's frames per second are those of the videos, and no guess."""

    @property
    def names(self) -> tuple[str, ...]:
        """[V]"""
        return self.store.names

    @property
    def lengths(self) -> tuple[int, ...]:
        """Frames of each video, [V]."""
        return tuple(self.store.lengths.tolist())

    @property
    def problems(self) -> tuple[tuple[str, str], ...]:
        """What could not be decoded."""
        return self.store.problems

    @property
    def fps(self) -> float | None:
        """Frames per second of its videos, the middle one where they differ."""
        return sorted(self.store.fps)[len(self.store.fps) // 2] if self.rated else None

    def told(self, protocol: EvaluationProtocol) -> EvaluationProtocol:
        """A protocol in the frames of these videos."""
        return protocol

    def clip(self, ref: ClipRef, protocol: EvaluationProtocol) -> Pixels:
        """The frames of one clip, uint8 [T, H, W, 3]."""
        start = int(self.store.offsets[ref.video]) + ref.start
        return np.array(self.store.frames[start : start + protocol.span : protocol.frame_step])


def classes_of(collection: ClipCollection) -> tuple[str, ...]:
    """The class of each video: the folder that it lies in, below the collection's own; empty where there is none."""
    parents = (str(PurePosixPath(name).parent) for name in collection.names)
    return tuple("" if parent == "." else parent for parent in parents)


def open_clips(
    source: Path | str | npt.ArrayLike | Tensor | VideoPipeline,
    protocol: EvaluationProtocol,
    *,
    device: torch.device | str = "cpu",
    progress: Progress | None = None,
) -> ClipCollection:
    """Opens whatever is to be evaluated.

    Args:
        source: A `VideoPipeline`; clips as a tensor or an array, uint8 [N, T, H, W, 3] or float [N, T, 3, H, W] in [-1, 1]; or
            the name of a model, a folder of videos or of frame folders (folders in it are classes), a file of clips (.npy, or
            .safetensors with `videos`), or "world:NAME".
        protocol: Says how many videos of a model are wanted, and the size of frames.
        device: Where a model works.
        progress: Told of every video decoded.

    Raises:
        InputError: It is none of these, it is empty, its frames have several sizes, or they are not numbers.
    """
    if isinstance(source, VideoPipeline):
        return model_clips("a model", source, protocol)
    if not isinstance(source, Path | str):
        return _clips_of_array("clips in memory", source, protocol)
    if str(source).startswith(WORLD):
        return _world(str(source), protocol, progress)
    path = Path(source)
    if path.suffix in TENSOR_SUFFIXES and path.is_file():
        return _clips_of_array(path.name, _read_tensor(path), protocol)
    bundle = find_bundle(source)
    if bundle is not None and read_card(bundle)["kind"] == "image_generator":
        return image_model_clips(path.name, load_image_generator(source), protocol, device)
    if bundle is not None:
        return model_clips(path.name, VideoPipeline.load(source).to(device), protocol)
    if path.suffix in CHECKPOINT_SUFFIXES and path.is_file():
        return checkpoint_clips(path, protocol, device)
    if not path.exists():
        names = ", ".join(shipped_names())
        raise InputError("there is nothing to evaluate", given=source, allowed=f"{SOURCES}, or a name that ships: {names}")
    size = protocol.size or _common_size(path, protocol)
    store = open_frame_store(path, resolution=size, expect=_expected(protocol), progress=progress)
    return StoredClips(path.resolve().name, store)


def _expected(protocol: EvaluationProtocol) -> Expect:
    return "images" if protocol.num_frames == 1 else "videos"


def _world(name: str, protocol: EvaluationProtocol, progress: Progress | None) -> StoredClips:
    size = protocol.size or 64
    world = open_world(name.removeprefix(WORLD), resolution=size, num_frames=protocol.span, seed=WORLD_SEED)
    count = min(2 * protocol.num_clips, WORLD_VIDEOS)  # twice, for the distance between real and real
    store = open_generated_store(
        lambda index: world.video(index).video, key=repr(world), num_videos=count, resolution=size, progress=progress
    )
    return StoredClips(name, store)


def _common_size(folder: Path, protocol: EvaluationProtocol) -> int:
    """Rows of the centre squares of all videos, if they have one size.

    Raises:
        InputError: They have not.
    """
    first: tuple[str, tuple[int, int]] | None = None
    for item in open_source(folder, expect=_expected(protocol)).items:
        try:
            height, width = next(iter(item.open().frames)).shape[:2]
        except InputError:
            continue  # what cannot be decoded is noted where it is decoded
        if first is None:
            first = (item.name, (height, width))
        elif (height, width) != first[1]:
            problem = f"{first[0]} is {first[1][1]} x {first[1][0]} px, {item.name} is {width} x {height} px"
            raise InputError("the videos have several sizes", given=problem, fix="give --size: all are brought to it")
    return min(first[1]) if first else 64


def _read_tensor(path: Path) -> npt.NDArray[np.generic] | Tensor:
    try:
        if path.suffix == ".npy":
            clips: npt.NDArray[np.generic] = np.load(path, mmap_mode="r", allow_pickle=False)
            return clips
        tensors = safetensors.torch.load_file(path)
    except (ValueError, EOFError, OSError, SafetensorError) as error:
        raise InputError(f"cannot read clips from {path}", given=str(error).splitlines()[0]) from error
    if "videos" not in tensors:
        raise InputError(f"{path} holds no clips", given=", ".join(tensors) or "nothing", allowed="a tensor named videos")
    return tensors["videos"]


def _clips_of_array(name: str, clips: npt.ArrayLike | Tensor, protocol: EvaluationProtocol) -> StoredClips:
    """A store of clips that are in memory, or mapped from a file.

    Raises:
        InputError: The form is another, or a value is not finite.
    """
    if isinstance(clips, Tensor):
        clips = (clips.float() if clips.is_floating_point() else clips).detach().cpu().numpy()
    array = np.asanyarray(clips)
    if array.ndim == 5 and array.shape[2] == 3 and np.issubdtype(array.dtype, np.floating):
        if not np.isfinite(array).all():
            raise InputError(f"{name}: some values are not finite", allowed="float in [-1, 1]")
        if np.abs(array).max(initial=0.0) > FARTHEST:
            given = f"{array.min():g} to {array.max():g}"
            raise InputError(f"{name}: values are out of range", given=given, allowed="float in [-1, 1], or uint8")
        array = np.stack([to_uint8(torch.from_numpy(np.array(clip, dtype=np.float32))) for clip in array])
    if array.ndim != 5 or array.shape[-1] != 3 or array.dtype != np.uint8 or 0 in array.shape:
        allowed = "uint8 [N, T, H, W, 3], or float [N, T, 3, H, W] in [-1, 1]; nothing empty"
        raise InputError(f"{name}: clips have the wrong form", given=f"{array.dtype} {list(array.shape)}", allowed=allowed)
    num_clips, length, height, width = array.shape[:4]
    frames = array.reshape(-1, height, width, 3)
    size = protocol.size or min(height, width)
    if (height, width) != (size, size):
        frames = np.stack([centre_square(frame, size) for frame in frames])
    offsets = np.arange(num_clips, dtype=np.int64) * length
    lengths = np.full(num_clips, length, dtype=np.int64)
    names = tuple(str(index) for index in range(num_clips))
    return StoredClips(name, FrameStore(frames, offsets, lengths, names, (25.0,) * num_clips), rated=False)
