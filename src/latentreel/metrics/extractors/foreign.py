"""Networks of other programs as extractors: TorchScript archives and ONNX files.

Both are programs, which are run. A TorchScript archive can read and write files; load none from where you would not run a program.
"""

import hashlib
import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from latentreel.core.digests import file_digest
from latentreel.core.errors import InputError
from latentreel.metrics.extractors.extractor import LooksAt, Seen, check_clips, check_looks_at, resized

ONNX_FRAMES, ONNX_CLIPS = "[N, 3, H, W]", "[N, 3, T, H, W]"

TINY = torch.finfo(torch.float32).tiny  # probabilities may be 0, logarithms not infinite

Call = Literal["i3d", "image detector", "plain"]
_ARGUMENTS: dict[Call, set[str]] = {
    "i3d": {"rescale", "resize", "return_features"},
    "image detector": {"return_features", "no_output_bias"},
}
_LOOKS_AT: dict[Call, LooksAt] = {"i3d": "clips", "image detector": "frames"}


class _ForeignExtractor:
    """What extractors from files have in common: name, digest of the file, and one line for whatever goes wrong in them."""

    dtype = None

    def __init__(self, path: Path, *, form: str, device: torch.device | str) -> None:
        self.path = path
        self.name = f"{form}:{path.name}"
        self.digest = file_digest(path)
        self.device = torch.device(device)
        self.looks_at: LooksAt = "frames"
        self.width: int | None = None

    def _inputs(self, clips: Tensor, size: tuple[int, int] | None) -> Tensor:
        """Pixels in 0..255: frames [N * T, 3, H, W] or clips [N, 3, T, H, W], by what the network looks at."""
        check_clips(clips)
        frames = clips.to(self.device).flatten(0, 1)
        pixels = resized(frames, size or (clips.shape[2], clips.shape[3]))
        if self.looks_at == "clips":
            pixels = pixels.unflatten(0, clips.shape[:2]).transpose(1, 2)
        return pixels.contiguous()

    def _rows(self, output: object, inputs: Tensor) -> Tensor:
        """The network's output as float32 [M, F], one row for each input.

        Raises:
            InputError: It is no such thing.
        """
        if not isinstance(output, Tensor) or output.ndim < 1 or len(output) != len(inputs) or output.is_complex():
            given = list(output.shape) if isinstance(output, Tensor) else type(output).__name__
            allowed = f"a tensor of {len(inputs)} rows for {len(inputs)} inputs"
            raise InputError(f"{self.path} gives no features", given=given, allowed=allowed)
        return output.float().reshape(len(inputs), -1)

    def _features(self, output: object, inputs: Tensor) -> Tensor:
        """As `_rows`, and as many in a row as ever."""
        features = self._rows(output, inputs)
        if self.width not in (None, features.shape[1]):
            problem = f"{self.path} gives another number of features than before"
            raise InputError(problem, given=features.shape[1], allowed=self.width, fix="choose one size for all frames")
        self.width = features.shape[1]
        return features

    @contextmanager
    def _running(self, inputs: Tensor) -> Iterator[None]:
        """One line for whatever a foreign program raises, which may be anything."""
        try:
            yield
        except (InputError, torch.OutOfMemoryError):
            raise
        except Exception as error:
            raise InputError(f"{self.path} fails on {list(inputs.shape)}: {_last_line(error)}") from error


class TorchScriptExtractor(_ForeignExtractor):
    """A TorchScript archive, called as the arguments of its `forward` ask.

    - `rescale`, `resize`, `return_features`: an I3D as StyleGAN-V uses it. It is given clips in 0..255 at their own size and brings
      them to its size and range itself; what it gives before the softmax are the features.
    - `return_features`, `no_output_bias`: a detector of images as StyleGAN2-ADA and StyleGAN3 use it. It is given uint8 frames at
      their own size. It is run once more for the probabilities of classes, whose logarithms are the logits, unless `classifies` is
      False.
    - Anything else is given frames [N, 3, H, W], or clips [N, 3, T, H, W], in [-1, 1], and its output flattened.

    Args:
        path: The archive.
        looks_at: What a network of the third kind is given; "frames" by default. The others are known.
        size: Height and width that frames are brought to for a network of the third kind; by default their own.
        classifies: Whether logits are wanted.
        device: Where it runs.

    Raises:
        InputError: The file is missing or no TorchScript archive, or it does not look at what it should.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        looks_at: LooksAt | None = None,
        size: tuple[int, int] | None = None,
        classifies: bool = True,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(Path(path), form="torchscript", device=device)
        try:
            self.network = torch.jit.load(str(self.path), map_location=self.device).eval()
            arguments = {argument.name for argument in self.network.forward.schema.arguments}
        except Exception as error:  # RuntimeError mostly, but the archive's own code is compiled here
            raise InputError(f"{self.path} is no TorchScript archive, or damaged: {_first_line(error)}") from error
        known = (call for call, names in _ARGUMENTS.items() if names <= arguments)
        self.call: Call = next(known, "plain")
        self.looks_at = looks_at or _LOOKS_AT.get(self.call, "frames")
        self.size, self.classifies = size, classifies
        check_looks_at(self.looks_at)
        if self.call != "plain" and (self.looks_at != _LOOKS_AT[self.call] or size):
            given = f"looks_at={self.looks_at}, size={size}"
            allowed = f"looks_at={_LOOKS_AT[self.call]}, no size"
            raise InputError(f"{self.path} knows what it looks at and at which size", given=given, allowed=allowed)

    @torch.no_grad()
    def __call__(self, clips: Tensor) -> Seen:
        """Looks at clips uint8 [N, T, H, W, 3], or at their frames.

        Raises:
            InputError: The clips have another shape or number format, or the network fails on them or gives no features.
        """
        inputs = self._inputs(clips, self.size)
        run: Callable[..., Any] = self.network
        # unoptimized: the optimizing executor computes the first calls otherwise than the later ones
        with self._running(inputs), torch.jit.optimized_execution(False):  # type: ignore[attr-defined]
            if self.call == "i3d":
                features = self._features(run(inputs, rescale=True, resize=True, return_features=True), inputs)
                return Seen(features, logits=None)
            if self.call == "image detector":
                inputs = inputs.to(torch.uint8)
                features = self._features(run(inputs, return_features=True), inputs)
                return Seen(
                    features,
                    self._rows(run(inputs, no_output_bias=True), inputs).clamp_min(TINY).log() if self.classifies else None,
                )
            return Seen(self._features(run(inputs.div_(127.5).sub_(1)), inputs), logits=None)


class OnnxExtractor(_ForeignExtractor):
    """An ONNX file whose one input is float [N, 3, H, W] or [N, 3, T, H, W] in [-1, 1]; its first output is flattened.

    Frames are brought to the height and width that the input declares, or else to `size`, or else left as they are. Where it
    declares the number of inputs as well, it is run as often as needed.

    Args:
        path: The file. Weights that lie beside it in a file of the same name and `.data` are part of the digest.
        looks_at: What it looks at, if that is to be checked; it shows in the number of axes of its input.
        size: Height and width, where the input declares none.
        device: Where it runs.

    Raises:
        InputError: onnxruntime is not installed, or the file is missing, damaged, or has an input of another kind.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        looks_at: LooksAt | None = None,
        size: tuple[int, int] | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(Path(path), form="onnx", device="cpu")
        beside = self.path.with_name(f"{self.path.name}.data")
        if beside.is_file():
            self.digest = hashlib.sha256(f"{self.digest} {file_digest(beside)}".encode()).hexdigest()
        self.session = _onnx_session(self.path, torch.device(device))
        declared = self.session.get_inputs()
        axes = list(declared[0].shape or []) if declared else []
        if len(declared) != 1 or len(axes) not in (4, 5) or axes[1] != 3 or declared[0].type != "tensor(float)":
            given = "; ".join(f"{one.type} {one.shape}" for one in declared)
            raise InputError(f"{self.path} looks at no frames", given=given, allowed=f"one float {ONNX_FRAMES} or {ONNX_CLIPS}")
        self.looks_at = "frames" if len(axes) == 4 else "clips"
        if looks_at not in (None, self.looks_at):
            raise InputError(f"{self.path} looks at {self.looks_at}", given=looks_at, allowed=self.looks_at)
        fixed = tuple(axes[-2:]) if all(isinstance(axis, int) for axis in axes[-2:]) else None
        if fixed and size not in (None, fixed):
            raise InputError(f"{self.path} looks at one size", given=list(size or ()), allowed=list(fixed))
        self.size = fixed or size
        self.batch = axes[0] if isinstance(axes[0], int) else None

    def __call__(self, clips: Tensor) -> Seen:
        """Looks at clips uint8 [N, T, H, W, 3], or at their frames.

        Raises:
            InputError: The clips have another shape or number format, or the network fails on them or gives no features.
        """
        inputs = self._inputs(clips, self.size).div_(127.5).sub_(1)
        with self._running(inputs):
            pieces = [self._run(piece) for piece in inputs.split(self.batch or len(inputs))]
        return Seen(torch.cat(pieces), logits=None)

    def _run(self, inputs: Tensor) -> Tensor:
        count = len(inputs)
        if self.batch and count < self.batch:  # filled up, and cut off again
            inputs = torch.cat([inputs, inputs[:1].expand(self.batch - count, *inputs.shape[1:])])
        name = self.session.get_inputs()[0].name
        output = torch.as_tensor(self.session.run(None, {name: inputs.numpy()})[0])
        return self._features(output, inputs)[:count]


def _onnx_session(path: Path, device: torch.device) -> Any:
    try:
        onnxruntime = importlib.import_module("onnxruntime")
    except ImportError as error:
        raise InputError(f"{path} is read by onnxruntime, which is not here", fix="pip install onnxruntime") from error
    wanted = ["CUDAExecutionProvider", "CPUExecutionProvider"] if device.type == "cuda" else ["CPUExecutionProvider"]
    providers = [name for name in wanted if name in onnxruntime.get_available_providers()]
    try:
        return onnxruntime.InferenceSession(str(path), providers=providers)
    except Exception as error:  # its errors have no ancestor of their own
        raise InputError(f"{path} is no ONNX file, or damaged: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    """The first sentence of it, for torch goes on at length about what may be the matter."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].split(". ")[0][:200]


def _last_line(error: Exception) -> str:
    """Where TorchScript says what it was; before that come lines of the archive's code."""
    return (str(error).strip().splitlines() or [type(error).__name__])[-1][:200]
