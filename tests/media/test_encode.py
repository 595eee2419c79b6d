"""What is written can be played, and nothing half-written is ever seen."""

import tempfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentreel.core.errors import InputError
from latentreel.core.video import Video
from latentreel.media.decode import UNKNOWN_FPS, load_video
from latentreel.media.encode import MP4_ENCODERS, VideoWriter, save_video


def colour_wash(num_frames: int, height: int, width: int) -> np.ndarray:
    """Smooth frames, brighter with time, that every codec keeps well."""
    t, y, x = np.mgrid[0:num_frames, 0:height, 0:width]
    return np.stack([60 + 2 * x, 60 + 2 * y, 60 + 10 * t], axis=-1).astype(np.uint8)


@settings(max_examples=30)
@given(
    kind=st.sampled_from(["clip.mp4", "clip.gif", "clip/"]),
    num_frames=st.integers(1, 6),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    fps=st.sampled_from([2.5, 10, 25, 29.97]),
)
def test_what_is_written_is_read_back(kind, num_frames, height, width, fps):
    frames = colour_wash(num_frames, height, width)
    with tempfile.TemporaryDirectory() as folder:
        clip = load_video(save_video(Video(frames, fps), f"{folder}/{kind}"))
    padded = (height % 2, width % 2) if kind == "clip.mp4" else (0, 0)
    assert clip.frames.shape == (num_frames, height + padded[0], width + padded[1], 3)
    played_seconds = num_frames / (UNKNOWN_FPS if kind == "clip/" else fps)
    assert clip.duration_seconds == pytest.approx(played_seconds, abs=0.0101 if kind == "clip.gif" else 1e-6)
    error = np.abs(clip.frames[:, :height, :width].astype(int) - frames).mean()
    assert error < {"clip.mp4": 6, "clip.gif": 6, "clip/": 0.1}[kind]


@pytest.mark.parametrize("kind", ["clip.mp4", "clip.gif", "clip/"])
def test_a_stream_of_chunks_is_the_same_video(tmp_path, kind):
    frames = colour_wash(9, 16, 16)
    save_video(Video(frames, 25), f"{tmp_path}/whole/{kind}")
    with VideoWriter(f"{tmp_path}/chunks/{kind}", fps=25) as writer:
        for chunk in (frames[:4], frames[4:4], frames[4:]):
            writer.write(chunk)
    whole, chunks = load_video(tmp_path / "whole" / kind), load_video(tmp_path / "chunks" / kind)
    assert np.array_equal(whole.frames, chunks.frames)


def test_colours_survive_in_an_mp4(tmp_path):
    colours = np.array([[200, 30, 30], [30, 200, 30], [30, 30, 200], [250, 250, 250], [5, 5, 5]], np.uint8)
    frames = np.broadcast_to(colours[:, None, None], (5, 16, 16, 3))
    back = load_video(save_video(Video(frames, 5), tmp_path / "colours.mp4"))
    assert np.abs(back.frames.astype(int) - frames).max() <= 4


def test_an_mp4_plays_while_it_loads(tmp_path):
    content = save_video(Video(colour_wash(5, 16, 16), 25), tmp_path / "clip.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


@pytest.mark.parametrize("kind", ["clip.mp4", "clip.gif", "clip"])
def test_a_writer_that_fails_leaves_nothing(tmp_path, kind):
    with pytest.raises(RuntimeError, match="out of ideas"), VideoWriter(tmp_path / kind, fps=25) as writer:
        writer.write(colour_wash(3, 16, 16))
        raise RuntimeError("out of ideas")
    assert not list(tmp_path.iterdir())


def test_frames_that_change_their_size_are_refused(tmp_path):
    with (
        pytest.raises(InputError, match=r"\[1, 16, 18, 3\].*T, 16, 16, 3"),
        VideoWriter(tmp_path / "clip.mp4", fps=25) as writer,
    ):
        writer.write(colour_wash(1, 16, 16))
        writer.write(colour_wash(1, 16, 18))
    assert not list(tmp_path.iterdir())


def test_a_video_without_frames_is_not_written(tmp_path):
    with pytest.raises(InputError, match="no frames"), VideoWriter(tmp_path / "clip.mp4", fps=25):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "fps", "reason"),
    [
        ("clip.avi", 25, r"allowed: \.mp4, \.gif, or a folder"),
        ("clip.gif", 60, "0.01 to 50 frames per second"),
        ("report.pdf/clip.mp4", 25, "cannot write to"),
        ("thesis", 25, "holds something else; given: chapter.txt"),
        ("thesis.mp4", 25, "a folder has that name"),
    ],
)
def test_a_path_that_cannot_be_written_is_refused(tmp_path, name, fps, reason):
    (tmp_path / "report.pdf").write_text("precious")
    for folder in ("thesis", "thesis.mp4"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "chapter.txt").write_text("precious")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError, match=reason):
        save_video(Video(colour_wash(1, 16, 16), fps), tmp_path / name)
    assert sorted(tmp_path.rglob("*")) == before


def test_an_older_video_is_replaced(tmp_path):
    for name in ("clip.mp4", "clip"):
        for num_frames in (7, 3):
            save_video(Video(colour_wash(num_frames, 16, 16), 25), tmp_path / name)
        assert len(load_video(tmp_path / name)) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip", "clip.mp4"]


def test_without_the_best_encoder_the_next_is_named(tmp_path, monkeypatch, caplog):
    monkeypatch.delitem(MP4_ENCODERS, "libx264")
    save_video(Video(colour_wash(3, 16, 16), 25), tmp_path / "clip.mp4")
    assert "mpeg4, which browsers do not play" in caplog.text
    assert len(load_video(tmp_path / "clip.mp4")) == 3
