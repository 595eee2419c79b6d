"""Under its final name a file is whole, whatever happens while it is written."""

import errno
import os
import subprocess
import sys

import pytest

from latentreel.core.errors import InputError
from latentreel.core.files import atomic_path, require_writable

KILLED = """
import os, signal, sys
from latentreel.core.files import atomic_path
with atomic_path(sys.argv[1]) as temporary:
    if sys.argv[2] == "folder":
        temporary.mkdir()
        temporary = temporary / "weights"
    temporary.write_text("half of the ne")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def write(path, text, kind):
    with atomic_path(path) as temporary:
        if kind == "folder":
            temporary.mkdir()
            temporary = temporary / "weights"
        temporary.write_text(text)


def read(path):
    return {p.name: p.read_text() for p in path.iterdir()} if path.is_dir() else path.read_text()


@pytest.fixture(params=["file", "folder"])
def kind(request):
    return request.param


def test_a_newer_result_replaces_an_older_one_as_a_whole(tmp_path, kind):
    path = tmp_path / "new" / "result.bin"
    write(path, "old", kind)
    if kind == "folder":
        (path / "left over").write_text("from the old one")
    write(path, "new", kind)
    assert read(path) == ("new" if kind == "file" else {"weights": "new"})
    assert list(path.parent.iterdir()) == [path]


def test_a_killed_writer_leaves_the_old_result(tmp_path, kind):
    path = tmp_path / "result.bin"
    write(path, "old", kind)
    before = read(path)
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path), kind], check=False)
    assert killed.returncode == -9
    assert read(path) == before
    write(path, "new", kind)  # what the killed one left behind is in nobody's way
    assert "new" in str(read(path))


@pytest.mark.parametrize(("number", "expected"), [(errno.ENOSPC, InputError), (errno.EIO, OSError)])
def test_a_failing_writer_leaves_the_old_result_and_nothing_else(tmp_path, kind, number, expected):
    path = tmp_path / "result.bin"
    write(path, "old", kind)
    before = read(path)
    with pytest.raises(expected) as caught, atomic_path(path) as temporary:
        temporary.write_text("half")
        raise OSError(number, os.strerror(number))
    assert (str(path) in str(caught.value)) == (expected is InputError)
    assert read(path) == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_failing_rename_leaves_the_old_result(tmp_path, kind, monkeypatch):
    path = tmp_path / "result.bin"
    write(path, "old", kind)
    before = read(path)

    def refuse(*_):
        raise OSError(errno.EIO, "unplugged")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="unplugged"):
        patched.setattr(os, "replace", refuse)
        write(path, "new", kind)
    assert read(path) == before


def test_a_place_that_cannot_be_written_is_refused_before_the_work(tmp_path):
    (tmp_path / "occupied").write_text("a file, not a folder")
    with pytest.raises(InputError, match=r"cannot write.*occupied"):
        require_writable(tmp_path / "occupied" / "runs")
    with pytest.raises(InputError, match=r"cannot write.*occupied"), atomic_path(tmp_path / "occupied" / "result.bin"):
        raise AssertionError("the block must not run")
    assert list(require_writable(tmp_path / "a" / "b").iterdir()) == []
