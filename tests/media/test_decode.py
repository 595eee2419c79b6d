"""Any file gives frames, or one line that says why not."""

import struct
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from latentreel.core.errors import InputError
from latentreel.core.video import Video
from latentreel.media.decode import load_image, load_video, open_video
from latentreel.media.encode import save_video
from latentreel.media.limits import DecodeLimits


def moving_square(num_frames: int = 6, size: int = 32) -> np.ndarray:
    frames = np.full((num_frames, size, size, 3), 40, np.uint8)
    for t in range(num_frames):
        frames[t, 8:16, 2 * t : 2 * t + 8] = (220, 120, 60)
    return frames


def write_streams(path: Path, container: str, *, video: bool) -> None:
    with av.open(str(path), "w", format=container) as out:
        stream = out.add_stream("libx264", rate=10) if video else out.add_stream("pcm_s16le", rate=8000)
        if video:
            stream.width = stream.height = 32
            stream.pix_fmt = "yuv420p"
            units = [av.VideoFrame.from_ndarray(frame, format="rgb24") for frame in moving_square()]
        else:
            units = [av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")]
            units[0].sample_rate = 8000
        for unit in (*units, None):
            out.mux(stream.encode(unit))


def test_a_container_without_frame_counts_is_read_whole(tmp_path):
    write_streams(tmp_path / "clip.mkv", "matroska", video=True)
    stream = open_video(tmp_path / "clip.mkv")
    assert stream.num_frames == 6
    assert len(list(stream.frames)) == 6
    assert load_video(tmp_path / "clip.mkv").fps == 10


def test_a_folder_of_frames_is_read_in_the_order_of_its_numbers(tmp_path):
    for t in (10, 9, 2):
        Image.new("RGB", (4, 3), (t, 0, 0)).save(tmp_path / f"frame{t}.png")
    clip = load_video(tmp_path)
    assert clip.frames[:, 0, 0, 0].tolist() == [2, 9, 10]
    assert (clip.height, clip.width) == (3, 4)


def test_a_photograph_is_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turn a quarter clockwise to see it upright
    Image.new("RGB", (8, 4)).save(tmp_path / "photo.jpg", exif=exif)
    assert load_image(tmp_path / "photo.jpg").shape == (8, 4, 3)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.mp4", b"", "is empty"),
        ("text.mp4", b"not a video " * 100, "is not a video"),
        ("text.png", b"not an image " * 100, "cannot read the image"),
        ("huge.gif", b"GIF89a" + struct.pack("<HHBBB", 12000, 12000, 0, 0, 0) + b",\0\0\0\0", "12000x12000"),
    ],
)
def test_an_unusable_file_is_named_with_the_reason(tmp_path, name, content, reason):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"{name}.*{reason}|{reason}.*{name}"):
        load_video(tmp_path / name)


def test_sound_alone_is_no_video(tmp_path):
    write_streams(tmp_path / "voice.mkv", "matroska", video=False)
    with pytest.raises(InputError, match=r"voice\.mkv has no video stream.*only audio"):
        load_video(tmp_path / "voice.mkv")


def test_a_missing_file_and_an_empty_folder_are_told_apart(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.mp4: No such file"):
        load_video(tmp_path / "nowhere.mp4")
    with pytest.raises(InputError, match="holds no frames"):
        load_video(tmp_path)


def test_a_file_that_breaks_off_gives_its_beginning_and_a_warning(tmp_path, caplog):
    noise = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), np.uint8)
    whole = save_video(Video(noise, 25), tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "half.mp4").write_bytes(whole[: len(whole) // 2])
    assert 0 < len(load_video(tmp_path / "half.mp4")) < 20
    assert "half.mp4" in caplog.text


def test_a_clip_that_would_fill_the_memory_is_refused_at_its_first_frame(tmp_path):
    save_video(Video(moving_square(), 25), tmp_path / "clip.mp4")
    with pytest.raises(InputError, match=r"6 or more frames of 32x32.*4 such frames"):
        load_video(tmp_path / "clip.mp4", limits=DecodeLimits(max_bytes=4 * 32 * 32 * 3))


def test_awkward_files_give_frames_or_a_reason(shared_data):
    usable = {}
    for file in sorted((shared_data / "decoder").iterdir()):
        try:
            usable[file.name] = load_video(file).frames.shape[:3]
        except InputError as error:
            assert file.name in str(error)
    assert len(usable) == 16
    assert usable["corrupted.mp4"] == (28, 720, 1280)
    assert usable["video_0.mov"] == (3, 320, 568)
    assert usable["video_90.mov"] == (3, 568, 320)  # turned upright
