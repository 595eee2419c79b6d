"""Networks of other programs: each is called as it asks to be, and whatever goes wrong in it is one line."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from latentreel.core.errors import InputError
from latentreel.metrics.extractors.foreign import OnnxExtractor, TorchScriptExtractor

CLIPS = torch.randint(0, 256, (2, 3, 6, 4, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
FRAMES = CLIPS.flatten(0, 1).permute(0, 3, 1, 2)  # [N * T, 3, H, W]


class LikeI3D(nn.Module):
    def forward(self, x: Tensor, rescale: bool = False, resize: bool = False, return_features: bool = False) -> Tensor:
        assert rescale and resize and return_features
        return x.mean(dim=[3, 4]).flatten(1)


class LikeDetector(nn.Module):
    def forward(
        self, img: Tensor, return_features: bool = False, use_fp16: bool = False, no_output_bias: bool = False
    ) -> Tensor:
        assert img.dtype == torch.uint8 and img.dim() == 4
        colours = img.float().mean(dim=[2, 3])
        if return_features:
            return colours
        assert no_output_bias
        return torch.cat([torch.softmax(colours, dim=1), torch.zeros_like(colours)], dim=1)


class Plain(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x[..., ::2, ::2] * 2


class Moody(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        if x.shape[2] == 3:
            return torch.ones(7)
        if x.shape[2] == 4:
            return x @ torch.ones(99)
        return x.flatten(1)


@pytest.fixture
def archive(tmp_path):
    def save(module):
        path = tmp_path / f"{type(module).__name__}.pt"
        torch.jit.script(module).save(str(path))
        return path

    return save


def refused(problem, action, *words, **more):
    with pytest.raises(InputError, match=problem) as caught:
        action(*words, **more)
    assert "\n" not in str(caught.value)


# --- TorchScript -----------------------------------------------------------------------------------------------------------


def test_an_i3d_archive_is_given_clips_as_they_are(archive):
    extractor = TorchScriptExtractor(archive(LikeI3D()))
    assert extractor.looks_at == "clips" and extractor.width is None and extractor.name == "torchscript:LikeI3D.pt"
    seen = extractor(CLIPS)
    torch.testing.assert_close(seen.features, CLIPS.float().mean(dim=(2, 3)).transpose(1, 2).flatten(1))  # [N, 3 * T]
    assert seen.logits is None
    assert extractor.width == 9


def test_a_detector_of_images_is_given_frames_and_classifies(archive):
    extractor = TorchScriptExtractor(archive(LikeDetector()))
    assert extractor.looks_at == "frames"
    seen = extractor(CLIPS)
    colours = FRAMES.float().mean(dim=(2, 3))
    torch.testing.assert_close(seen.features, colours)
    assert seen.logits is not None and seen.logits.isfinite().all()
    torch.testing.assert_close(seen.logits.softmax(dim=1)[:, :3], colours.softmax(dim=1))
    extractor.classifies = False
    assert extractor(CLIPS).logits is None


def test_any_other_network_is_given_pixels_around_zero(archive):
    path = archive(Plain())
    frames, clips, small = (
        TorchScriptExtractor(path, **more)(CLIPS).features for more in ({}, {"looks_at": "clips"}, {"size": (2, 2)})
    )
    pixels = FRAMES.float() / 127.5 - 1
    torch.testing.assert_close(frames, pixels[..., ::2, ::2].flatten(1) * 2)
    torch.testing.assert_close(clips, pixels[..., ::2, ::2].unflatten(0, (2, 3)).transpose(1, 2).flatten(1) * 2)
    assert small.shape == (6, 3)


def test_a_network_that_fails_is_named(archive):
    extractor = TorchScriptExtractor(archive(Moody()))
    refused(r"Moody.pt gives no features; given: \[7\]; allowed: a tensor of 6 rows", extractor, CLIPS[:, :, :3])
    refused(r"Moody.pt fails on \[6, 3, 4, 4\]: RuntimeError: ", extractor, CLIPS[:, :, :4])
    assert extractor(CLIPS).features.shape == (6, 72)
    refused("another number of features than before; given: 60; allowed: 72", extractor, CLIPS[:, :, :5])


def test_what_a_network_looks_at_is_not_to_be_argued_with(archive):
    refused("knows what it looks at", TorchScriptExtractor, archive(LikeI3D()), looks_at="frames")
    refused("knows what it looks at", TorchScriptExtractor, archive(LikeDetector()), size=(8, 8))
    refused(
        "nothing to look at; given: stars; allowed: clips, frames", TorchScriptExtractor, archive(Plain()), looks_at="stars"
    )


@pytest.mark.parametrize("content", [b"", b"some text\n" * 30, "half"])
def test_what_is_no_archive_is_refused(archive, content):
    path = archive(Plain())
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if content == "half" else content)
    refused("Plain.pt is no TorchScript archive, or damaged: PytorchStreamReader", TorchScriptExtractor, path)
    refused("cannot read .*nothing.pt", TorchScriptExtractor, path.with_name("nothing.pt"))


# --- ONNX ------------------------------------------------------------------------------------------------------------------


def mean_colour_model(shape):
    """An ONNX file with one GlobalAveragePool, written by hand: sizes in the input's shape are fixed, names are free."""

    def field(number, content):
        if isinstance(content, int):
            return bytes([number << 3, content])
        content = content.encode() if isinstance(content, str) else content
        return bytes([number << 3 | 2, len(content)]) + content

    def value(name, axes):
        sizes = b"".join(field(1, field(1, axis) if isinstance(axis, int) else field(2, axis)) for axis in axes)
        return field(1, name) + field(2, field(1, field(1, 1) + field(2, sizes)))

    node = field(1, "x") + field(2, "y") + field(4, "GlobalAveragePool")
    output = [shape[0], shape[1], *[1] * (len(shape) - 2)]
    graph = field(1, node) + field(2, "g") + field(11, value("x", shape)) + field(12, value("y", output))
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13))


@pytest.fixture(params=["onnxruntime", "a stand-in for it"])
def onnx_file(request, tmp_path, monkeypatch):
    """Writes the model for an input's shape, to be run by onnxruntime, or by a stand-in that is told the shape."""
    shapes = {}

    class Session:
        def __init__(self, path, providers):
            assert providers == ["CPUExecutionProvider"]
            self.shape = shapes[path]

        def get_inputs(self):
            return [SimpleNamespace(name="x", shape=self.shape, type="tensor(float)")]

        def run(self, names, inputs):
            x = inputs["x"]
            assert all(have == want for have, want in zip(x.shape, self.shape, strict=True) if isinstance(want, int))
            return [x.mean(axis=tuple(range(2, x.ndim)), keepdims=True, dtype=np.float32)]

    if request.param == "onnxruntime":
        pytest.importorskip("onnxruntime")
    else:
        module = SimpleNamespace(InferenceSession=Session, get_available_providers=lambda: ["CPUExecutionProvider"])
        monkeypatch.setitem(sys.modules, "onnxruntime", module)

    def write(*shape):
        path = tmp_path / "model.onnx"
        path.write_bytes(mean_colour_model(shape))
        shapes[str(path)] = list(shape)
        return path

    return write


def test_an_onnx_file_says_what_it_looks_at(onnx_file):
    extractor = OnnxExtractor(onnx_file("n", 3, "h", "w"))
    assert extractor.looks_at == "frames"
    pixels = FRAMES.float() / 127.5 - 1
    torch.testing.assert_close(extractor(CLIPS).features, pixels.mean(dim=(2, 3)))
    clips = OnnxExtractor(onnx_file("n", 3, "t", "h", "w"), looks_at="clips")
    torch.testing.assert_close(clips(CLIPS).features, pixels.mean(dim=(2, 3)).unflatten(0, (2, 3)).mean(dim=1))
    refused("looks at clips; given: frames", OnnxExtractor, onnx_file("n", 3, "t", "h", "w"), looks_at="frames")
    refused("looks at no frames", OnnxExtractor, onnx_file("n", "h", "w", 3))


def test_a_declared_size_and_number_are_kept_to(onnx_file):
    expected = torch.nn.functional.interpolate(FRAMES.float(), size=(3, 8), mode="bilinear").mean(dim=(2, 3)) / 127.5 - 1
    extractor = OnnxExtractor(onnx_file(4, 3, 3, 8))  # 6 frames: a group of four, and one that must be filled up
    torch.testing.assert_close(extractor(CLIPS).features, expected)
    assert extractor.width == 3
    refused("looks at one size", OnnxExtractor, onnx_file(4, 3, 3, 8), size=(4, 4))


def test_without_onnxruntime_it_is_said_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    (tmp_path / "model.onnx").write_bytes(mean_colour_model(["n", 3, "h", "w"]))
    refused("pip install onnxruntime", OnnxExtractor, tmp_path / "model.onnx")


def test_a_damaged_onnx_file_is_named(tmp_path):
    pytest.importorskip("onnxruntime")
    (tmp_path / "model.onnx").write_bytes(mean_colour_model(["n", 3, "h", "w"])[:-20])
    refused("model.onnx is no ONNX file, or damaged", OnnxExtractor, tmp_path / "model.onnx")
