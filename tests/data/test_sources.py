"""A folder is used for what is in it."""

from pathlib import Path

import numpy as np
import pytest

from latentreel.core.errors import InputError
from latentreel.data.frame_store import open_frame_store
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
    with pytest.raises(
        InputError, match=r"given: 2 \.txt, 1 \.doc; allowed: videos .*\.mp4.* images .*\.png.* or archives .*\.zip"
    ):
        open_source(touch(tmp_path, "a.txt", "b.txt", "c.doc"))
    with pytest.raises(InputError, match="can only be read once, from front to back"):
        open_source("https://example.com/data-000.tar")


ARCHIVES = ["zip", "tar"]


@pytest.fixture
def write_archive(write_zip, write_tar):
    return lambda path, files: (write_zip if path.suffix == ".zip" else write_tar)(path, files)


@pytest.mark.parametrize("suffix", ARCHIVES)
@pytest.mark.parametrize("order", [1, -1])
def test_an_archive_is_a_folder_that_needs_no_unpacking(tmp_path, write_archive, write_files, frame_files, suffix, order):
    files = [*frame_files({"cat/a": 12, "cat/b": 3, "dog/c": 4}), ("notes.txt", b"-"), ("__MACOSX/cat/a/._1.png", b"-")]
    folder = open_source(write_files(tmp_path / "data", files))
    archive = open_source(write_archive(tmp_path / f"data.{suffix}", files[::order]))
    assert archive.kind == folder.kind == "frame_folders"
    assert [(item.name, item.label) for item in archive.items] == [("cat/a", "cat"), ("cat/b", "cat"), ("dog/c", "dog")]
    for packed, loose in zip(archive.items, folder.items, strict=True):
        assert (packed.name, packed.label, packed.note) == (loose.name, loose.label, loose.note)
        assert np.array_equal(list(packed.open().frames), list(loose.open().frames))


@pytest.mark.parametrize("suffix", ARCHIVES)
def test_what_is_in_an_archive_is_found_from_its_content(tmp_path, write_archive, frames_of, png_of, suffix):
    still = png_of(frames_of(0, 1)[0])
    strip = png_of(np.concatenate(list(frames_of(0, 9)), 1))

    def kind(*names: str, content: bytes, expect: str = "videos") -> tuple[str, list[str]]:
        path = write_archive(tmp_path / f"data.{suffix}", [(name, content) for name in names])
        source = open_source(path, expect=expect)
        return source.kind, [item.name for item in source.items]

    assert kind("b.mp4", "a.mkv", "a.txt", content=b"-") == ("videos", ["a.mkv", "b.mp4"])
    assert kind("x/b.jpg", "y/a.jpg", content=strip) == ("strips", ["x/b.jpg", "y/a.jpg"])
    assert kind("x/b.jpg", "y/a.jpg", content=still, expect="images") == ("images", ["x/b.jpg", "y/a.jpg"])
    with pytest.raises(InputError, match=r"nothing in .* can be used"):
        kind("a.txt", content=b"-")


def test_folders_that_hold_all_of_a_zip_archive_are_no_classes(tmp_path, write_zip, frame_files):
    files = frame_files({"data/v1/cat/a": 2, "data/v1/dog/b": 2})
    assert [(item.name, item.label) for item in open_source(write_zip(tmp_path / "a.zip", files)).items] == [
        ("cat/a", "cat"),
        ("dog/b", "dog"),
    ]
    (item,) = open_source(write_zip(tmp_path / "one.zip", frame_files({"one/clip": 2}))).items
    assert (item.name, item.label) == ("clip", "")


def test_of_several_archives_each_is_a_folder(tmp_path, write_zip, frame_files):
    write_zip(tmp_path / "cat.zip", frame_files({"a": 2, "b": 2}))
    write_zip(tmp_path / "dog.zip", frame_files({"a": 2, "c": 2}))
    write_zip(tmp_path / "part.zip", frame_files({"cow/d": 2, "hen/e": 2}))
    (tmp_path / "broken.zip").write_bytes(b"PK")
    source = open_source(tmp_path)
    assert [(item.name, item.label) for item in source.items] == [
        ("broken.zip", ""),
        ("cat/a", "cat"),
        ("cat/b", "cat"),
        ("dog/a", "dog"),
        ("dog/c", "dog"),
        ("part/cow/d", "cow"),
        ("part/hen/e", "hen"),
    ]
    store = open_frame_store(tmp_path, resolution=8, cache=tmp_path / "cache")
    assert store.classes == ("cat", "cow", "dog", "hen")
    assert store.labels.tolist() == [0, 0, 2, 2, 1, 3]
    ((name, reason),) = store.problems
    assert name == "broken.zip"
    assert "its list of files is missing" in reason


def test_archives_beside_loose_files_stay_closed(tmp_path, write_zip, write_files, frame_files):
    write_zip(tmp_path / "original.zip", frame_files({"a": 2}))
    write_files(tmp_path, frame_files({"a": 2}))
    assert [item.name for item in open_source(tmp_path).items] == ["a"]


def test_shards_hold_samples_by_key_with_their_classes(tmp_path, write_tar, frame_files):
    def shard(number: int, *clips: str) -> None:
        files = frame_files(dict.fromkeys(clips, 3), form="{clip}.{frame:04}.png")
        labels = [(f"{clip}.cls", str(ord(clip[-1]) - ord("a")).encode()) for clip in clips]
        write_tar(tmp_path / "shards" / f"data-{number:03}.tar", [*files, *labels, ("a.json", b"{}")])

    shard(0, "a", "b")
    shard(1, "a", "folder/c")
    expected = [("data-000/a", "0"), ("data-000/b", "1"), ("data-001/a", "0"), ("data-001/folder/c", "2")]
    for source in (tmp_path / "shards", str(tmp_path / "shards" / "data-{000..001}.tar")):
        items = open_source(source).items
        assert [(item.name, item.label) for item in items] == expected
        assert all(len(list(item.open().frames)) == 3 for item in items)
    with pytest.raises(InputError, match=r"cannot read .*data-002.tar: No such file"):
        open_source(str(tmp_path / "shards" / "data-{000..002}.tar"))


@pytest.mark.parametrize("suffix", ARCHIVES)
def test_a_store_is_built_anew_when_an_archive_changed(tmp_path, write_archive, frame_files, suffix):
    def greys(clips: dict[str, int]) -> list[int]:
        path = write_archive(tmp_path / f"a.{suffix}", frame_files(clips))
        return open_frame_store(path, resolution=8, cache=tmp_path / "cache").frames[:, 0, 0, 0].tolist()

    assert greys({"a": 2, "b": 1}) == [0, 0, 1]
    assert greys({"b": 2, "a": 1}) == [1, 0, 0]


def test_no_name_in_an_archive_leads_out_of_it(tmp_path, write_zip):
    source = open_source(write_zip(tmp_path / "a.zip", [("../../x/up.mp4", b"-"), ("/etc/y.mp4", b"-"), ("z\n.mp4", b"-")]))
    assert [item.name for item in source.items] == ["etc/y.mp4", "x/up.mp4", "z\ufffd.mp4"]
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_pictures_of_several_sizes_are_no_clip(tmp_path, write_files, png_of):
    sizes = [(8, 8), (8, 12), (16, 8), (10, 10)]
    files = [(f"{number}.png", png_of(np.zeros((*size, 3), np.uint8))) for number, size in enumerate(sizes)]
    (item,) = open_source(write_files(tmp_path / "stills", files)).items
    with pytest.raises(InputError, match=r"several sizes are no frames of one clip.*a folder of its own"):
        item.open()
    assert len(open_source(tmp_path / "stills", expect="images").items) == 4
