"""Clips whose every frame says what it is, in all forms that a source can have."""

import io
import tarfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

Pack = Callable[[Path, Iterable[tuple[str, bytes]]], Path]


def clip_frames(clip: int, num_frames: int, size: int = 8) -> np.ndarray:
    """Frames that are grey but for two corners, which hold the number of the clip and of the frame; uint8 [T, H, W, 3]."""
    frames = np.full((num_frames, size, size, 3), 100, np.uint8)
    frames[:, 0, 0] = clip
    frames[:, -1, -1, 0] = np.arange(num_frames)
    return frames


def png(pixels: np.ndarray, mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def frames_of() -> Callable[..., np.ndarray]:
    """`clip_frames`."""
    return clip_frames


@pytest.fixture
def png_of() -> Callable[..., bytes]:
    """`png`."""
    return png


@pytest.fixture
def write_files() -> Pack:
    """Writes files into a folder."""

    def write(folder: Path, files: Iterable[tuple[str, bytes]]) -> Path:
        for name, content in files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        return folder

    return write


@pytest.fixture
def write_zip() -> Pack:
    """Packs files into a zip archive."""

    def write(path: Path, files: Iterable[tuple[str, bytes]]) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files:
                archive.writestr(name, content)
        return path

    return write


@pytest.fixture
def write_tar() -> Pack:
    """Packs files into a tar archive."""

    def write(path: Path, files: Iterable[tuple[str, bytes]]) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(path, "w") as archive:
            for name, content in files:
                header = tarfile.TarInfo(name)
                header.size = len(content)
                archive.addfile(header, io.BytesIO(content))
        return path

    return write


@pytest.fixture
def frame_files() -> Callable[..., list[tuple[str, bytes]]]:
    """Names and contents of the frames of some clips, as numbered PNG files in folders of the clips' names."""

    def files(clips: dict[str, int], form: str = "{clip}/{frame:04}.png") -> list[tuple[str, bytes]]:
        return [
            (form.format(clip=clip, frame=frame), png(pixels))
            for number, (clip, num_frames) in enumerate(clips.items())
            for frame, pixels in enumerate(clip_frames(number, num_frames))
        ]

    return files


@pytest.fixture(scope="session")
def video_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., bytes]:
    """A small video file; other numbers are other pictures."""
    folder = tmp_path_factory.mktemp("videos")

    def make(number: int = 0, *, frames: int = 4, size: int = 16, container: str = "mp4") -> bytes:
        path = folder / f"{number}-{frames}-{size}.{container}"
        if not path.exists():
            with av.open(str(path), "w") as out:
                stream = out.add_stream("mpeg4", rate=25)
                stream.height = stream.width = size
                stream.pix_fmt = "yuv420p"
                for pixels in np.random.default_rng(number).integers(0, 255, (frames, size, size, 3), np.uint8):
                    out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
                out.mux(stream.encode(None))
        return path.read_bytes()

    return make
