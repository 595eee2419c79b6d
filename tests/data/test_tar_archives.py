"""Whatever a tar archive declares, it is read or refused in one line, as a file and as a stream."""

import io
import re
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentreel.core.errors import InputError
from latentreel.data.frame_store import open_frame_store
from latentreel.data.sources import open_source
from latentreel.data.tar_archives import LABEL_SUFFIX, MAX_FILE_BYTES, MAX_HEADER_BYTES, stream_tar_files, tar_files


class Forward(io.RawIOBase):
    """Bytes that can be read once, from front to back; without an end, if so told."""

    def __init__(self, content: bytes, endless: bool = False) -> None:
        self.content, self.endless, self.taken = io.BytesIO(content), endless, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        data = self.content.read(len(buffer)) or (bytes([65]) * len(buffer) if self.endless else b"")
        buffer[: len(data)] = data
        self.taken += len(data)
        return len(data)


def packed(*members: tuple[str, bytes, dict[str, object]]) -> bytes:
    """An archive whose headers may say what is not so."""
    file = io.BytesIO()
    for name, content, told in members:
        header = tarfile.TarInfo(name)
        header.size = len(content)
        for field, value in told.items():
            setattr(header, field, value)
        file.write(header.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % 512))
    return file.getvalue() + bytes(1024)


GOOD = ("a/0.png", b"x" * 700, {})


def both_ways(tmp_path: Path, content: bytes) -> tuple[list[str], str]:
    """Names of the files before the archive goes wrong, and how it does; the same as a file and as a stream."""
    path = tmp_path / "a.tar"
    path.write_bytes(content)
    try:
        files, problem = tar_files(path)
    except InputError as error:
        files, problem = [], str(error)
    streamed: list[str] = []
    streamed_problem = ""
    try:
        for file in stream_tar_files(Forward(content), str(path)):
            streamed.append(file.name)
    except InputError as error:
        streamed_problem = str(error)
    assert bool(streamed_problem) == bool(problem)
    useful = [file.name for file in files if file.is_video or file.is_picture or file.suffix == LABEL_SUFFIX]
    assert useful[: len(streamed)] == streamed  # of a file that breaks off the header is seen, no more
    assert "\n" not in problem + streamed_problem
    return streamed, problem


def test_an_archive_is_read_as_a_file_and_as_a_stream(tmp_path):
    links = ("link.png", b"", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}), ("dir.png", b"", {"type": tarfile.DIRTYPE})
    content = packed(GOOD, *links, ("b" * 300 + ".png", b"y", {}), ("../c.mp4", b"", {}))
    assert both_ways(tmp_path, content) == (["a/0.png", "b" * 300 + ".png", "c.mp4"], "")
    assert [file.open().read() for file in tar_files(tmp_path / "a.tar")[0]] == [b"x" * 700, b"y", b""]


@pytest.mark.parametrize(
    ("content", "num_good", "problem"),
    [
        (b"", 0, "after 0 files: it ends too early"),
        (b"hello" * 1000, 0, "after 0 files"),
        (packed(GOOD)[:600], 0, "unexpected end of data"),
        (packed(GOOD)[:-1024], 1, "after 1 files: it ends too early"),
        (packed(GOOD, GOOD)[:2200], 1, "unexpected end of data"),
        (packed(GOOD)[:1536] + b"damage" * 100, 1, "after 1 files: (truncated|bad|invalid)"),
        (packed(GOOD, ("b", b"z" * 2**21, {"type": tarfile.GNUTYPE_LONGNAME})), 1, "a header is too long"),
        (packed(GOOD, ("b", b"z" * 2**21, {"type": tarfile.XHDTYPE})), 1, "a header is too long"),
    ],
)
def test_a_damaged_archive_gives_what_came_before(tmp_path, content, num_good, problem):
    names, told = both_ways(tmp_path, content)
    assert len(names) == num_good
    assert re.search(problem, told)


@pytest.mark.parametrize("size", [MAX_FILE_BYTES + 1, 2**62])
def test_a_file_that_is_declared_too_large_takes_neither_memory_nor_time(tmp_path, size):
    content = packed(GOOD, ("b.png", b"", {"size": size}))
    stream = Forward(content, endless=True)
    files = stream_tar_files(stream, "a.tar")
    assert next(files).name == "a/0.png"
    with pytest.raises(InputError, match=f"b.png of {size} bytes is too large"):
        next(files)
    assert stream.taken < 2**16
    (tmp_path / "a.tar").write_bytes(content)
    store_files, problem = tar_files(tmp_path / "a.tar")
    assert "after 2 files" in problem
    with pytest.raises(InputError, match="is too large"), store_files[1].on_disk():
        pass


def test_an_endless_header_is_not_read_to_its_end():
    stream = Forward(packed(("b", b"", {"size": 2**40, "type": tarfile.GNUTYPE_LONGNAME})), endless=True)
    with pytest.raises(InputError, match="a header is too long"):
        next(stream_tar_files(stream, "a.tar"))
    assert stream.taken < 2 * MAX_HEADER_BYTES


def test_the_rest_of_a_damaged_archive_is_a_problem_of_the_store(tmp_path, write_tar, frame_files):
    path = write_tar(tmp_path / "a.tar", frame_files({"a": 3, "b": 3}))
    path.write_bytes(path.read_bytes()[: 4 * 1024 + 600])
    store = open_frame_store(path, resolution=8, cache=tmp_path / "cache")
    assert store.names == ("a", "b")
    assert store.lengths.tolist() == [3, 1]
    ((name, reason),) = store.problems
    assert name == "a.tar"
    assert "cannot be read as a tar archive after 5 files: unexpected end of data; the rest is left out" in reason


GOOD_BYTES = packed(GOOD, ("b/0.mp4", b"y" * 10, {}), ("c" * 200 + ".png", b"", {}))


@settings(max_examples=300)
@given(
    changes=st.lists(st.tuples(st.integers(0, len(GOOD_BYTES) - 1), st.integers(0, 255)), min_size=1, max_size=3),
    length=st.integers(0, len(GOOD_BYTES)),
    mend=st.booleans(),
)
def test_damage_anywhere_is_an_input_error(tmp_path_factory, changes, length, mend):
    content = bytearray(GOOD_BYTES)
    for place, value in changes:
        content[place] = value
    for start in range(0, len(content), 512) if mend else ():  # else the checksum alone would refuse nearly everything
        block = bytes(content[start : start + 512])
        content[start + 148 : start + 156] = b"%06o\0 " % (256 + sum(block[:148]) + sum(block[156:]))
    both_ways(tmp_path_factory.getbasetemp(), bytes(content[:length] if length % 3 else content))
    try:
        for item in open_source(tmp_path_factory.getbasetemp() / "a.tar").items:
            for _ in item.open().frames:
                pass
    except InputError as error:
        assert "\n" not in str(error)
