"""Every file gets a verdict and a reason, and none of them stops the others."""

import os

import pytest

from latentreel.core.errors import InputError
from latentreel.data.inspection import inspect
from latentreel.data.packing import pack
from latentreel.data.preparation import Preparation, plan_packing


def verdicts(inspection):
    return {finding.name: finding.verdict for finding in inspection.findings}


def reasons(inspection):
    return {finding.name: finding.reason for finding in inspection.findings}


def test_every_file_has_a_verdict(tmp_path, write_files, video_of, png_of, frames_of):
    whole = video_of(1, frames=30, container="mkv")
    files = {
        "cats/good.mp4": video_of(0, frames=5),
        "cats/copy.mp4": video_of(0, frames=5),
        "dogs/cut off.mkv": whole[: 2 * len(whole) // 3],
        "empty.mp4": b"",
        "text.avi": b"words" * 100,
        "cover.png": png_of(frames_of(0, 1)[0]),
        "readme.txt": b"words",
        "more.zip": b"PK",
    }
    inspection = inspect(write_files(tmp_path / "source", files.items()))
    assert verdicts(inspection) == {
        "cats/good.mp4": "usable",
        "cats/copy.mp4": "usable",
        "dogs/cut off.mkv": "damaged",
        "empty.mp4": "refused",
        "text.avi": "refused",
        "cover.png": "ignored",
        "readme.txt": "ignored",
        "more.zip": "ignored",
    }
    said = reasons(inspection)
    assert said["cats/good.mp4"] == ""
    assert "of 30 frames" in said["dogs/cut off.mkv"] or "seconds" in said["dogs/cut off.mkv"]
    assert said["empty.mp4"].startswith("is empty")
    assert said["cover.png"] == "a picture beside videos"
    good = next(finding for finding in inspection.findings if finding.name == "cats/good.mp4")
    assert (good.width, good.height, good.frames, good.fps, good.seconds, good.label) == (16, 16, 5, 25, 0.2, "cats")
    assert good.num_bytes == len(files["cats/good.mp4"])
    assert good.thumbnail[:2] == b"\xff\xd8"
    assert inspection.duplicates == (("cats/copy.mp4", "cats/good.mp4"),)


def test_nothing_usable_is_no_reason_to_stop(tmp_path, write_files):
    inspection = inspect(write_files(tmp_path / "source", [("a.mp4", b""), ("b.txt", b"words")]))
    assert verdicts(inspection) == {"a.mp4": "refused", "b.txt": "ignored"}
    inspection = inspect(write_files(tmp_path / "other", [("b.txt", b"words")]))
    assert verdicts(inspection) == {"b.txt": "ignored"}


def test_an_empty_or_missing_folder_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="an empty folder"):
        inspect(tmp_path / "empty")
    with pytest.raises(InputError, match="No such file"):
        inspect(tmp_path / "missing")


def test_links_that_lead_in_circles_or_nowhere(tmp_path, write_files, video_of):
    root = write_files(tmp_path / "source", [("good.mp4", video_of())])
    (root / "circle").symlink_to(root)
    (root / "itself.mp4").symlink_to("itself.mp4")
    (root / "gone.mp4").symlink_to("nowhere.mp4")
    os.mkfifo(root / "pipe.mp4")
    assert pack(plan_packing(root, Preparation(resolution=8)), tmp_path / "packed").clips[0].name == "good.mp4"
    assert reasons(inspect(root))["gone.mp4"] == "cannot read: No such file or directory"
    assert verdicts(inspect(root)) == {
        "good.mp4": "usable",
        "itself.mp4": "refused",
        "gone.mp4": "refused",
        "pipe.mp4": "refused",
    }


def test_what_may_not_be_read_is_a_verdict(tmp_path, write_files, video_of, monkeypatch):
    root = write_files(
        tmp_path / "source", [("good.mp4", video_of()), ("locked/a.mp4", video_of(1)), ("mine.mp4", video_of(2))]
    )
    real = os.scandir

    def scandir(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr("latentreel.data.source_files.SourceFile.open", refuse_mine)
    inspection = inspect(root)
    assert verdicts(inspection) == {"good.mp4": "usable", "mine.mp4": "refused", "locked": "refused"}
    assert "Permission denied" in reasons(inspection)["mine.mp4"]
    assert "cannot look into this folder: Permission denied" in reasons(inspection)["locked"]


def refuse_mine(file):
    if file.name == "mine.mp4":
        raise PermissionError(13, "Permission denied", "mine.mp4")
    return file.path.open("rb")


def test_an_error_that_nobody_foresaw_is_a_verdict(tmp_path, write_files, video_of, monkeypatch):
    monkeypatch.setattr("latentreel.data.inspection.CutDetector.cuts", lambda self: 1 / 0)
    monkeypatch.setattr("latentreel.data.inspection._Watcher.see", lambda self, frame: 1 / 0)
    inspection = inspect(write_files(tmp_path / "source", [("a.mp4", video_of())]))
    assert reasons(inspection) == {"a.mp4": "unexpected ZeroDivisionError: division by zero"}


def test_packed_frames_are_held_to_all_their_digests(tmp_path, write_files, frame_files):
    source = write_files(tmp_path / "source", frame_files({"a": 3, "b": 3, "c": 3}))
    pack(plan_packing(source, Preparation(resolution=8)), tmp_path / "packed")
    frames = tmp_path / "packed" / "all" / "frames.u8"
    data = bytearray(frames.read_bytes())
    data[len(data) // 2] ^= 1
    frames.write_bytes(data)
    assert verdicts(inspect(tmp_path / "packed")) == {"a": "usable", "b": "refused", "c": "usable"}
    assert "another digest" in reasons(inspect(tmp_path / "packed"))["b"]
