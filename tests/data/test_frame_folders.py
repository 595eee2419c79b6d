"""No clip spans frames that are missing, and no frame is lost."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentreel.core.errors import InputError
from latentreel.data.frame_folders import frame_runs, open_frames
from latentreel.data.frame_store import open_frame_store
from latentreel.data.source_files import SourceFile
from latentreel.data.sources import open_source


def named(*names: str) -> list[SourceFile]:
    return [SourceFile(name, Path(name)) for name in names]


def numbered(numbers: list[int], form: str = "clip/{:06}.png") -> list[SourceFile]:
    return named(*(form.format(number) for number in numbers))


def test_the_numbering_of_a_folder_is_cut_where_frames_are_missing():
    runs = frame_runs(numbered([0, 1, 2, 3, 7, 8, 9]))
    assert [run.span for run in runs] == ["000000-000003", "000007-000009"]
    assert [len(run.files) for run in runs] == [4, 3]
    assert [run.note for run in runs] == ["", "the numbering jumps from 000003 to 000007: the clip is cut there"]


@pytest.mark.parametrize(
    "files",
    [
        numbered([0, 1, 2, 3]),
        numbered([5, 10, 15, 20, 25]),  # every fifth frame was kept
        numbered([1403636579763555584, 1403636579813555456, 1403636579863555587, 1403636579913555456]),  # time stamps
        named("a.png", "b.png", "d.png"),
        named("first.png", "1.png", "2.png", "9.png"),
        named("a1.png", "a2.png", "b1.png", "b7.png"),  # numbers that do not rise throughout
        named("a12345.png"),
    ],
)
def test_what_is_evenly_spaced_or_not_counted_is_one_clip(files):
    (run,) = frame_runs(files)
    assert list(run.files) == files
    assert (run.span, run.note) == ("", "")


@given(st.sets(st.integers(0, 60), min_size=1, max_size=40), st.sampled_from([1, 3]))
def test_runs_hold_every_frame_and_are_evenly_spaced(numbers, step):
    files = numbered(sorted(step * number for number in numbers))
    runs = frame_runs(files)
    assert [file for run in runs for file in run.files] == files
    if len(runs) > 1:
        for run in runs:
            inside = [int(file.name[5:11]) for file in run.files]
            assert len(set(np.diff(inside))) <= 1
            assert run.span == f"{inside[0]:06}-{inside[-1]:06}"


def test_both_sides_of_a_gap_are_clips_of_the_store(tmp_path, write_files, frame_files, caplog):
    files = [file for file in frame_files({"cat/a": 12, "dog/b": 3}) if file[0] not in ("cat/a/0004.png", "cat/a/0005.png")]
    store = open_frame_store(write_files(tmp_path / "data", files), resolution=8, cache=tmp_path / "cache")
    assert store.names == ("cat/a[0000-0003]", "cat/a[0006-0011]", "dog/b")
    assert store.lengths.tolist() == [4, 6, 3]
    assert store.frames[:, -1, -1, 0].tolist() == [0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 0, 1, 2]
    assert store.class_names == ("cat", "cat", "dog")
    assert store.notes == (("cat/a[0006-0011]", "the numbering jumps from 0003 to 0006: the clip is cut there"),)
    assert "jumps from 0003 to 0006" in caplog.text


def test_a_damaged_frame_ends_the_clip_and_a_damaged_first_one_is_refused(tmp_path, write_files, frame_files, caplog):
    files = dict(frame_files({"a": 5}))
    folder = write_files(tmp_path, [*files.items(), ("a/0003.png", b"no picture")])
    (item,) = open_source(folder).items
    assert len(list(item.open().frames)) == 3
    assert "breaks off after 3 of 5 frames" in caplog.text
    (folder / "a" / "0000.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"0000\.png"):
        open_frames(item.files)


def test_real_frames_without_gaps_are_one_clip(shared_data, tmp_path):
    for frame in sorted((shared_data / "faces_as_frames" / "517600078").iterdir()):
        if not 10 <= int(frame.stem) < 20:
            (tmp_path / frame.name).symlink_to(frame)
    assert [item.name for item in open_source(shared_data / "faces_as_frames").items] == ["517600078"]
    names = [item.name.removeprefix(tmp_path.name) for item in open_source(tmp_path).items]
    assert names == ["[000000-000009]", "[000020-000079]"]
