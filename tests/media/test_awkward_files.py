"""Files that no collection of videos brings: old codecs, one frame, odd sides, alpha, pauses, and videos cut off anywhere."""

from fractions import Fraction

import numpy as np
import pytest

from latentreel.core.errors import InputError
from latentreel.core.video import Video
from latentreel.media.decode import load_video, open_video
from latentreel.media.encode import save_video
from latentreel.media.video_stream import frame_at


def brightness(num_frames: int, height: int = 32, width: int = 48) -> np.ndarray:
    """Frame t is grey of 40 + 6 t."""
    levels = (40 + 6 * np.arange(num_frames)).astype(np.uint8)
    return np.tile(levels[:, None, None, None], (1, height, width, 3))


def levels(frames: np.ndarray) -> list[int]:
    """Which frame of `brightness` each is."""
    return np.rint((frames.mean(axis=(1, 2, 3)) - 40) / 6).astype(int).tolist()


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "size"),
    [
        ("motion-jpeg.avi", "mjpeg", "yuvj420p", (32, 48)),
        ("old.avi", "mpeg4", "yuv420p", (32, 48)),
        ("odd.mp4", "libx264", "yuv444p", (33, 47)),
        ("odd.webm", "libvpx-vp9", "yuv420p", (31, 45)),
        ("stream.ts", "libx264", "yuv420p", (32, 48)),
        ("b-frames.mov", "libx264", "yuv420p", (32, 48)),
        ("ten-bits.mp4", "libx264", "yuv420p10le", (32, 48)),
        ("vp9.webm", "libvpx-vp9", "yuv420p", (32, 48)),
    ],
)
def test_every_frame_comes_in_its_place(tmp_path, write_clip, name, codec, pix_fmt, size):
    options = {"libx264": {"bf": "3"}, "mpeg4": {"bf": "3", "qmax": "2"}}.get(codec)
    clip = write_clip(tmp_path / name, brightness(20, *size), codec=codec, pix_fmt=pix_fmt, options=options)
    stream = open_video(clip)
    frames = np.stack(list(stream.frames))
    assert frames.shape == (20, *size, 3)
    assert levels(frames) == list(range(20))
    assert stream.times == pytest.approx(np.arange(20) / 25, abs=0.001)


@pytest.mark.parametrize("name", ["one.mp4", "one.gif", "one.avi"])
def test_one_frame_is_a_video(tmp_path, name, write_clip):
    if name.endswith(".avi"):
        write_clip(tmp_path / name, brightness(1), codec="mjpeg", pix_fmt="yuvj420p")
    else:
        save_video(Video(brightness(1), 25), tmp_path / name)
    stream = open_video(tmp_path / name)
    assert levels(np.stack(list(stream.frames))) == [0]
    assert stream.duration_seconds is not None
    assert stream.duration_seconds > 0


def test_frames_of_uneven_length_are_taken_by_time(tmp_path, write_clip):
    stamps = [0, 1, 2, 3, 13, 14, 15, 16, 17, 18]  # a pause of ten units
    clip = write_clip(tmp_path / "pause.mkv", brightness(10), stamps=stamps, unit=Fraction(1, 20))
    stream = open_video(clip)
    assert levels(np.stack(list(stream.frames))) == [0, 1, 2, *[3] * 10, *range(4, 10)]
    assert stream.fps == pytest.approx(20, rel=0.02)
    assert any("variable frame rate" in note for note in stream.notes)
    stored = open_video(clip, constant_rate=False)
    assert levels(np.stack(list(stored.frames))) == list(range(10))
    assert stored.times == pytest.approx(np.array(stamps) / 20, abs=0.002)
    asked = [frame_at(open_video(clip, constant_rate=False), seconds) for seconds in (0.0, 0.31, 0.6, 0.66)]
    assert levels(np.stack(asked)) == [0, 3, 3, 4]


@pytest.mark.parametrize("container", ["mp4", "mkv", "avi", "webm", "ts", "gif"])
def test_a_video_cut_off_anywhere_gives_its_beginning_or_the_reason(tmp_path, write_clip, container):
    noise = np.random.default_rng(0).integers(0, 256, (24, 32, 32, 3), np.uint8)
    codec = {"avi": "mpeg4", "webm": "libvpx", "gif": "gif"}.get(container, "libx264")
    pix_fmt = "rgb8" if container == "gif" else "yuv420p"
    options = {"g": "6"} if container != "gif" else {}
    whole = write_clip(tmp_path / f"whole.{container}", noise, codec=codec, pix_fmt=pix_fmt, options=options)
    expected, content = load_video(whole).frames, whole.read_bytes()
    part = tmp_path / f"part.{container}"
    lengths = []
    for percent in range(0, 100, 5):
        part.write_bytes(content[: len(content) * percent // 100])
        try:
            frames = load_video(part).frames
        except InputError as error:
            assert part.name in str(error)
            assert "\n" not in str(error)
            lengths.append(0)
            continue
        lengths.append(len(frames))
        assert np.array_equal(frames[:-1], expected[: len(frames) - 1])  # the decoder may have made something of the last
    assert lengths == sorted(lengths)
    assert lengths[0] == 0
    assert lengths[-1] >= (12 if container != "mp4" else 0)  # an mp4 keeps its list of frames at its end


def test_too_little_of_a_damaged_file_is_refused_with_the_reason(tmp_path, write_clip):
    noise = np.random.default_rng(0).integers(0, 256, (24, 32, 32, 3), np.uint8)
    whole = write_clip(tmp_path / "whole.mkv", noise, options={"g": "6"}).read_bytes()
    (tmp_path / "part.mkv").write_bytes(whole[: len(whole) // 2])
    assert 0 < len(load_video(tmp_path / "part.mkv", min_frames=5)) < 20
    with pytest.raises(InputError, match=r"part\.mkv has too few frames; given: .*allowed: 20 or more"):
        load_video(tmp_path / "part.mkv", min_frames=20)
