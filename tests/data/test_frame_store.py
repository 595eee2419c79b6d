"""Frames are decoded once, kept, and found again."""

import errno
import os
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from latentreel.core.errors import InputError
from latentreel.core.video import Video
from latentreel.data.frame_store import build_frame_store, open_frame_store, open_generated_store
from latentreel.media.contact_sheet import save_image
from latentreel.media.encode import save_video


def grey_clip(num_frames: int, grey: int, height: int = 16, width: int = 16) -> Video:
    return Video(np.full((num_frames, height, width, 3), grey, np.uint8), 25)


@pytest.fixture
def videos(tmp_path) -> Path:
    for i, num_frames in enumerate((3, 5, 2)):
        save_video(grey_clip(num_frames, 50 * (i + 1)), tmp_path / "videos" / f"{i}.mp4")
    return tmp_path / "videos"


def test_a_folder_of_videos_becomes_one_array(videos, tmp_path):
    told = []
    store = open_frame_store(videos, resolution=8, cache=tmp_path / "cache", progress=lambda *done: told.append(done))
    assert store.names == ("0.mp4", "1.mp4", "2.mp4")
    assert store.lengths.tolist() == [3, 5, 2]
    assert store.offsets.tolist() == [0, 3, 8]
    assert store.fps == (25, 25, 25)
    assert store.frames.shape == (10, 8, 8, 3)
    assert store.resolution == 8
    assert np.abs(store.frames[:, 0, 0, 0] - np.repeat([50.0, 100, 150], [3, 5, 2])).max() <= 2
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_frames_are_decoded_again_only_when_something_changed(videos, tmp_path):
    def is_built(resolution: int = 8) -> bool:
        told: list[int] = []
        open_frame_store(videos, resolution=resolution, cache=tmp_path / "cache", progress=lambda done, _: told.append(done))
        return bool(told)

    assert is_built()
    assert not is_built()
    assert is_built(resolution=4)
    save_video(grey_clip(4, 10), videos / "1.mp4")
    assert is_built()
    (videos / "2.mp4").unlink()
    assert is_built()


def test_of_many_that_want_a_store_one_builds_it(videos, tmp_path):
    told: list[int] = []

    def build(_: int) -> int:
        return len(
            open_frame_store(videos, resolution=8, cache=tmp_path / "cache", progress=lambda done, _: told.append(done)).names
        )

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(build, range(4))) == [3, 3, 3, 3]
    assert told == [1, 2, 3]


def test_the_cache_folder_comes_from_the_environment(videos, tmp_path, monkeypatch):
    monkeypatch.setenv("LATENTREEL_CACHE", str(tmp_path / "elsewhere"))
    open_frame_store(videos, resolution=8)
    assert list((tmp_path / "elsewhere").rglob("frames.u8"))


def test_a_damaged_store_is_built_anew(videos, tmp_path, caplog):
    open_frame_store(videos, resolution=8, cache=tmp_path / "cache")
    (file,) = (tmp_path / "cache").rglob("frames.u8")
    os.truncate(file, 100)
    assert open_frame_store(videos, resolution=8, cache=tmp_path / "cache").frames.shape == (10, 8, 8, 3)
    assert "built anew" in caplog.text


def test_what_cannot_be_decoded_is_left_out_with_its_reason(videos, tmp_path):
    (videos / "1.mp4").write_bytes(b"")
    store = open_frame_store(videos, resolution=8, cache=tmp_path / "cache")
    assert store.names == ("0.mp4", "2.mp4")
    ((name, reason),) = store.problems
    assert name == "1.mp4"
    assert "is empty" in reason


def test_if_nothing_can_be_decoded_the_reasons_are_given(tmp_path):
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(InputError, match=r"none of 2 items.*a\.mp4 is empty.*b\.mp4 is empty"):
        open_frame_store(tmp_path, resolution=8, cache=tmp_path / "cache")
    assert not list((tmp_path / "cache").rglob("*.u8"))


def test_a_rendered_world_is_stored_like_files(tmp_path):
    rendered = []

    def render(index: int) -> Video:
        rendered.append(index)
        return grey_clip(2, 10 * index, height=4, width=4)

    for _ in range(2):
        store = open_generated_store(render, key="greys, seed 0", num_videos=20, resolution=4, cache=tmp_path)
        assert store.frames[::2, 0, 0, 0].tolist() == list(range(0, 200, 10))
    assert sorted(rendered) == list(range(20))  # once
    assert len(open_generated_store(render, key="greys, seed 1", num_videos=3, resolution=4, cache=tmp_path).names) == 3


def test_stills_of_any_size_give_their_centre_square(tmp_path):
    wide = np.zeros((8, 32, 3), np.uint8)
    wide[:, 12:20] = 200
    save_image(tmp_path / "stills" / "wide.png", wide)
    save_image(tmp_path / "stills" / "tall.png", wide.transpose(1, 0, 2))
    store = open_frame_store(tmp_path / "stills", resolution=4, expect="images", cache=tmp_path / "cache")
    assert store.lengths.tolist() == [1, 1]
    assert (store.frames == 200).all()


def test_shrinking_does_not_alias(tmp_path):
    stripes = np.zeros((1, 64, 64, 3), np.uint8)
    stripes[:, :, ::2] = 255
    store = build_frame_store([("stripes", lambda: Video(stripes, 25))], resolution=7, folder=tmp_path / "store")
    assert np.abs(store.frames.astype(int) - 128).max() < 20


def test_a_disk_too_small_is_told_before_any_decoding(videos, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: namedtuple("Usage", "free")(2**20))
    with pytest.raises(InputError, match=r"1 MiB free.*about 9 MiB.*LATENTREEL_CACHE"):
        open_frame_store(videos, resolution=1024, cache=tmp_path / "cache")


def test_a_disk_that_fills_up_is_told_with_what_is_needed(tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    clips = [(str(i), lambda: grey_clip(16, 0, 256, 256)) for i in range(4)]
    monkeypatch.setattr("shutil.copyfileobj", full)
    with pytest.raises(InputError, match="about 12 MiB"):
        build_frame_store(clips, resolution=256, folder=tmp_path / "store")
    assert not list(tmp_path.iterdir())


def test_a_failing_world_is_a_bug_and_leaves_nothing(tmp_path):
    def fail() -> Video:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        build_frame_store([("a", lambda: grey_clip(1, 0)), ("b", fail)], resolution=4, folder=tmp_path / "store")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("folder", "expect", "num_items", "num_problems"),
    [("sky", "videos", 32, 0), ("faces_as_frames", "videos", 1, 0), ("stills", "images", 7, 0), ("decoder", "videos", 16, 4)],
)
def test_real_folders_are_opened(shared_data, tmp_path, folder, expect, num_items, num_problems):
    store = open_frame_store(shared_data / folder, resolution=32, expect=expect, cache=tmp_path)
    assert (len(store.names), len(store.problems)) == (num_items, num_problems)
