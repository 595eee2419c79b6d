"""Shards are found from what names them, and read from wherever they lie."""

import os
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from latentreel.core.errors import InputError
from latentreel.data import shards
from latentreel.data.shards import expand_ranges, find_shards, is_stream, sample_key, stream_samples
from latentreel.data.source_files import SourceFile


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A folder, and the address under which it is served."""
    monkeypatch.setenv("no_proxy", "*")
    folder = tmp_path / "served"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=folder))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def samples(shard: str, expect: str = "videos") -> list[list[str]]:
    return [[file.name for file in sample] for sample in stream_samples(shard, expect=expect)]


def test_ranges_in_braces_are_counted_with_their_zeros():
    assert expand_ranges("a/{08..10}.tar") == ["a/08.tar", "a/09.tar", "a/10.tar"]
    assert expand_ranges("{0..1}-{1..2}") == ["0-1", "0-2", "1-1", "1-2"]
    assert expand_ranges("plain{a}.tar") == ["plain{a}.tar"]
    for wrong in ("{3..1}.tar", "{0..999999}.tar", "{0..999}-{0..999}.tar"):
        with pytest.raises(InputError, match="range of shards is out of range"):
            expand_ranges(wrong)


def test_shards_are_found_in_natural_order(tmp_path, write_files):
    write_files(tmp_path, [(name, b"") for name in ("d10.tar", "d9.tar", "sub/d1.tar", "notes.txt", ".hidden.tar")])
    found = [str(tmp_path / name) for name in ("d9.tar", "d10.tar", "sub/d1.tar")]
    assert list(find_shards(tmp_path)) == found
    assert list(find_shards([f"file://{tmp_path}/d10.tar", str(tmp_path / "sub"), str(tmp_path / "d9.tar")])) == found
    assert list(find_shards(str(tmp_path / "d{9..10}.tar"))) == found[:2]
    assert find_shards("https://host/{0..1}.tar") == ("https://host/0.tar", "https://host/1.tar")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"no shards are named; given: .*empty; allowed: a \.tar file"):
        find_shards(tmp_path / "empty")
    for address in ("pipe:cat a.tar", "s3://bucket/a.tar", "ftp://host/a.tar"):
        with pytest.raises(InputError, match=f"cannot be read that way; given: {address}"):
            find_shards(address)


@pytest.mark.parametrize(
    ("name", "videos", "images"),
    [
        ("a.mp4", "a", "a"),
        ("x/a.cls", "x/a", "x/a"),
        ("a.0001.jpg", "a", "a"),
        ("x/a.0001.jpg", "x/a", "x/a"),
        ("x/0001.jpg", "x", "x/0001"),
        ("0001.jpg", "0001", "0001"),
    ],
)
def test_files_belong_together_as_in_a_webdataset(name, videos, images):
    file = SourceFile(name, Path("a.tar"))
    assert (sample_key(file), sample_key(file, expect="images")) == (videos, images)


def test_a_shard_is_read_alike_from_a_file_a_pipe_and_an_address(served, write_tar, frame_files):
    folder, address = served
    files = [*frame_files({"x/a": 2, "x/b": 1}), ("x/b.cls", b"1"), ("c.mp4", b"-"), ("c.json", b"{}"), ("d.mp4", b"-")]
    path = write_tar(folder / "a.tar", files)
    expected = [["x/a/0000.png", "x/a/0001.png"], ["x/b/0000.png", "x/b.cls"], ["c.mp4"], ["d.mp4"]]
    assert samples(str(path)) == expected
    assert samples(f"{address}/a.tar") == expected
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    assert is_stream(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(path.read_bytes()))
    writer.start()
    assert samples(str(pipe)) == expected
    writer.join()
    assert [len(sample) for sample in samples(str(path), expect="images")] == [1] * 6


def test_an_address_that_cannot_be_read_is_one_line(served, tmp_path):
    folder, address = served
    (folder / "text.tar").write_text("hello")
    for shard, problem in (
        (f"{address}/nowhere.tar", f"cannot read {address}/nowhere.tar: HTTP Error 404"),
        (f"{address}/text.tar", "cannot be read as a tar archive after 0 files"),
        ("http://127.0.0.1:9/a.tar", "cannot read http://127.0.0.1:9/a.tar: .*refused"),
        ("http://[bad/a.tar", "cannot read"),
        (str(tmp_path / "nowhere.tar"), "cannot read .*nowhere.tar: No such file"),
    ):
        with pytest.raises(InputError, match=problem) as caught:
            samples(shard)
        assert "\n" not in str(caught.value)


def test_a_connection_that_breaks_gives_what_came_before(served, write_tar):
    folder, address = served
    path = write_tar(folder / "a.tar", [("a.mp4", b"x" * 10), ("b.mp4", b"y" * 10_000_000)])
    path.write_bytes(path.read_bytes()[:5_000_000])
    found = stream_samples(f"{address}/a.tar", expect="videos")
    with pytest.raises(InputError, match="after 1 files: unexpected end of data"):
        list(found)


def test_a_sample_too_large_for_memory_is_refused(tmp_path, write_tar, monkeypatch):
    monkeypatch.setattr(shards, "MAX_SAMPLE_BYTES", 100)
    path = write_tar(tmp_path / "a.tar", [("a/0.jpg", b"x" * 60), ("b/0.jpg", b"y" * 60), ("b/1.jpg", b"z" * 60)])
    with pytest.raises(InputError, match="the sample b is too large; allowed: 100 bytes"):
        samples(str(path))
