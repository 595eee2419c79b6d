"""Whatever a zip archive declares, it is read or refused in one line."""

import io
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentreel.core.errors import InputError
from latentreel.data.frame_store import open_frame_store
from latentreel.data.sources import open_source


def packed(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def patched(data: bytes, signature: bytes, offset: int, form: str, value: int) -> bytes:
    """An archive in which a field of every record of a kind says something else."""
    changed = bytearray(data)
    start = changed.find(signature)
    while start >= 0:
        struct.pack_into(form, changed, start + offset, value)
        start = changed.find(signature, start + 4)
    return bytes(changed)


TWO = packed({"a/0.png": b"x" * 100, "a/1.png": b"y" * 100})
LIST, END = b"PK\x01\x02", b"PK\x05\x06"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (packed({}), "nothing in .* can be used"),
        (TWO[:-30], "its list of files is missing"),
        (TWO[:100] + TWO[-22:], "no zip archive that can be read"),
        (patched(TWO, END, 10, "<H", 50_000), "it declares 50000 files and lists 2"),
        (patched(TWO, END, 12, "<I", 2**31), "too long a list of files; given: 2147483648 bytes"),
        (patched(TWO, LIST, 8, "<H", 1), "is encrypted; given: a/0.png"),
        (patched(TWO, LIST, 10, "<H", 99), "packed in an unknown way; given: method 99"),
        (patched(TWO, LIST, 24, "<I", 2**31), "declares too much; given: 4294967296 bytes"),
        (packed({"a/0.png": b"x", "a//0.png": b"y"}), "holds a/0.png twice"),
        (b"PK\x03\x04" + bytes(1000), "its list of files is missing"),
    ],
)
def test_a_hostile_archive_is_refused_in_one_line(tmp_path, content, problem):
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    with pytest.raises(InputError, match=problem) as caught:
        open_source(path)
    assert "\n" not in str(caught.value)


def test_a_bomb_is_refused_before_it_takes_disk_or_memory(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(packed({f"a/{i}.png": bytes(2**24) for i in range(20)}))  # shrinks a thousandfold
    with pytest.raises(InputError, match=f"declares too much; given: {20 * 2**24} bytes; allowed: 100 times that"):
        open_source(path)


def test_one_damaged_file_leaves_the_others(tmp_path, png_of, frames_of):
    good = {f"{clip}/{frame}.png": png_of(pixels) for clip in "abc" for frame, pixels in enumerate(frames_of(1, 3))}
    content = bytearray(packed(good, zipfile.ZIP_STORED))
    content[content.find(b"b/0.png") + 60] ^= 255
    (tmp_path / "a.zip").write_bytes(content)
    store = open_frame_store(tmp_path / "a.zip", resolution=8, cache=tmp_path / "cache")
    assert store.names == ("a", "c")
    ((name, reason),) = store.problems
    assert name == "b"
    assert "b/0.png in a.zip is damaged: Bad CRC-32" in reason


def test_an_error_names_the_file_in_the_archive(tmp_path):
    (tmp_path / "a.zip").write_bytes(packed({"x/a.mp4": b"no video" * 100, "0.png": b"no picture"}))
    for expect, name in (("videos", "x/a.mp4"), ("images", "0.png")):
        item = open_source(tmp_path / "a.zip", expect=expect).items[0]
        with pytest.raises(InputError, match=f"{name} in a.zip") as caught:
            item.open()
        assert "/tmp/latentreel" not in str(caught.value)


@settings(max_examples=300)
@given(changes=st.lists(st.tuples(st.integers(0, len(TWO) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_damage_anywhere_is_an_input_error(tmp_path_factory, changes):
    content = bytearray(TWO)
    for place, value in changes:
        content[place] = value
    assert_only_input_errors(tmp_path_factory.getbasetemp() / "damaged.zip", bytes(content))


def assert_only_input_errors(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    try:
        for item in open_source(path).items:
            for _ in item.open().frames:
                pass
    except InputError as error:
        assert "\n" not in str(error)
