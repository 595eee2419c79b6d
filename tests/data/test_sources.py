"""A folder is used for what is in it."""

from pathlib import Path

import pytest

from latentreel.core.errors import InputError
from latentreel.data.sources import open_source


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


@pytest.mark.parametrize(
    ("files", "expect", "kind", "names"),
    [
        (["b10.mp4", "b9.MKV", "deep/er/a.gif", "notes.txt"], "videos", "videos", ["b9.MKV", "b10.mp4", "deep/er/a.gif"]),
        (["cat/0.jpg", "cat/1.jpg", "dog/0.png"], "videos", "frame_folders", ["cat", "dog"]),
        (["cat/0.jpg", "cat/1.jpg", "dog/0.png"], "images", "images", ["cat/0.jpg", "cat/1.jpg", "dog/0.png"]),
        (["0.jpg", "1.jpg"], "videos", "frame_folders", ["data"]),
        (["0.jpg", "1.jpg"], "images", "images", ["0.jpg", "1.jpg"]),
        (["a.mp4", "poster.jpg"], "videos", "videos", ["a.mp4"]),
        (["a.mp4", "b.mp4"], "images", "videos", ["a.mp4", "b.mp4"]),
        (["a.mp4", ".hidden.mp4", ".trash/c.mp4"], "videos", "videos", ["a.mp4"]),
    ],
)
def test_the_kind_of_source_is_found_from_its_content(tmp_path, files, expect, kind, names):
    source = open_source(touch(tmp_path / "data", *files), expect=expect)
    assert source.kind == kind
    assert [item.name for item in source.items] == names


def test_a_single_video_is_a_source(tmp_path):
    source = open_source(touch(tmp_path, "a.mp4") / "a.mp4")
    assert [item.path for item in source.items] == [tmp_path / "a.mp4"]


def test_links_to_folders_are_followed_once(tmp_path):
    touch(tmp_path, "real/a.mp4")
    (tmp_path / "real" / "loop").symlink_to(tmp_path)
    assert [item.path.name for item in open_source(tmp_path).items] == ["a.mp4"]


def test_a_folder_of_no_use_says_what_was_found(tmp_path):
    with pytest.raises(InputError, match="No such file or directory; name a folder of videos"):
        open_source(tmp_path / "nowhere")
    with pytest.raises(InputError, match="an empty folder"):
        open_source(tmp_path)
    with pytest.raises(InputError, match=r"given: 2 \.txt, 1 \.zip; allowed: videos .*\.mp4.* or images .*\.png"):
        open_source(touch(tmp_path, "a.txt", "b.txt", "c.zip"))
