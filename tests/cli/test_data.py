"""`latentreel data check`, `prepare` and `recipes`, as a user meets them, with folders that nobody would wish on him."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from full_disk import files_of_at_most

from latentreel.core.video import Video
from latentreel.data.recipes import RECIPES
from latentreel.media.encode import save_video
from latentreel.training.presets import MOTION
from latentreel.training.sources import open_training_data


@pytest.fixture(scope="session")
def three_clips(tmp_path_factory):
    """Three small videos."""
    folder = tmp_path_factory.mktemp("clips")
    for number in range(3):
        frames = np.random.default_rng(number).integers(0, 255, (20, 32, 32, 3), np.uint8)
        save_video(Video(frames, 25.0), folder / f"clip{number}.mp4")
    return folder


@pytest.fixture
def videos(three_clips, tmp_path):
    """Two classes of three clips each."""
    for label in ("cats", "dogs"):
        shutil.copytree(three_clips, tmp_path / "videos" / label)
    return tmp_path / "videos"


def test_check_shows_everything_and_writes_what_it_found(videos, run_cli, tmp_path):
    words = ["--json", tmp_path / "found.json", "--html", tmp_path / "page.html"]
    code, output, errors = run_cli("data", "check", videos, *words)
    assert (code, errors) == (0, [])
    assert "6 usable" in output
    assert "3 groups of 6 files" in output
    found = json.loads((tmp_path / "found.json").read_text())
    assert [file["name"] for file in found["files"]][:2] == ["cats/clip0.mp4", "cats/clip1.mp4"]
    assert {"verdict": "usable", "width": 32, "frames": 20, "label": "cats"}.items() <= found["files"][0].items()
    assert ["cats/clip0.mp4", "dogs/clip0.mp4"] in found["duplicates"]
    assert (tmp_path / "page.html").read_text().count("<img") == 6


def test_check_tells_by_its_exit_code_what_it_found(videos, run_cli, tmp_path):
    (videos / "cats" / "empty.mp4").touch()
    code, output, errors = run_cli("data", "check", videos)
    assert (code, errors) == (1, [])
    assert "is empty" in output
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "bad.mp4").write_bytes(b"words")
    code, output, errors = run_cli("data", "check", tmp_path / "none")
    assert (code, len(errors)) == (2, 1)
    assert "bad.mp4" in output
    (tmp_path / "none" / "bad.mp4").unlink()
    code, output, errors = run_cli("data", "check", tmp_path / "none")
    assert (code, len(errors)) == (2, 1)
    assert "an empty folder" in errors[0]


def test_names_of_any_kind_are_shown_on_one_line(videos, run_cli, tmp_path):
    for name in ("-dash.mp4", "line\nbreak.mp4", "\u202eturned.mp4", "byte\udcff.mp4", "[red]brackets[b].mp4"):
        (videos / name).hardlink_to(videos / "cats" / "clip0.mp4")
    words = ["--json", tmp_path / "found.json", "--html", tmp_path / "page.html"]
    code, output, errors = run_cli("data", "check", videos, *words)
    assert (code, errors) == (0, [])
    for shown in ("-dash.mp4", r"line\nbreak.mp4", r"\u202eturned.mp4", r"byte\udcff.mp4", "[red]brackets[b].mp4"):
        assert shown in output.replace("\n ", "")
    assert run_cli("data", "prepare", videos, "--out", tmp_path / "packed", "--resolution", 16)[0] == 0


def test_prepare_says_where_what_is_and_training_takes_it(videos, run_cli, tmp_path):
    words = ["--resolution", 16, "--split", "train=0.5,test=0.5", "--group-by", "clip[0-9]", "--seed", 1]
    code, output, errors = run_cli("data", "prepare", videos, "--out", tmp_path / "packed", *words)
    assert (code, errors) == (0, [])
    assert f"{tmp_path / 'packed' / 'train'}: " in output
    assert f"train with: --data {tmp_path / 'packed'}  (its part train)" in output
    config = dataclasses.replace(MOTION["debug"], data=str(tmp_path / "packed"))
    store = open_training_data(config, resolution=16, expect="videos")
    assert Path(store.frames.filename) == tmp_path / "packed" / "train" / "frames.u8"


def test_a_full_disk_stops_prepare_and_the_same_command_goes_on(videos, run_cli, tmp_path):
    words = ["data", "prepare", videos, "--resolution", 16, "--out"]
    with files_of_at_most(50_000):
        code, _, errors = run_cli(*words, tmp_path / "packed")
    assert (code, len(errors)) == (2, 1)
    assert "File too large" in errors[0]
    assert "goes on where it stopped" in errors[0]
    assert run_cli(*words, tmp_path / "packed")[0] == run_cli(*words, tmp_path / "other")[0] == 0
    for name in ("manifest.json", "all/frames.u8"):
        assert (tmp_path / "packed" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--recipe", "nothing"], "there is no such recipe"),
        (["--recipe", "ucf101"], "is not laid out as UCF-101"),
        (["--resolution", 0], "resolution is out of range"),
        (["--split", "train=2"], "shares of a split are out of range"),
        (["--split", "train"], "the split is not written as it must be"),
        (["--split", "../up=1"], "a part becomes a folder"),
        (["--group-by", "[", "--split", "train=1"], "no regular expression"),
        (["--boxes", "missing.csv"], "cannot read missing.csv"),
        (["--boxes", "a", "--detector", "b:c"], "from a file or from a detector"),
        (["--margin", -1], "margin is out of range"),
        (["--classes", "cows"], "no clip is of these classes"),
    ],
)
def test_bad_choices_cost_one_line_and_leave_nothing(videos, run_cli, tmp_path, words, problem):
    code, _, errors = run_cli("data", "prepare", videos, "--out", tmp_path / "packed", *words)
    assert (code, len(errors)) == (2, 1), errors
    assert problem in errors[0]
    assert not (tmp_path / "packed").exists()


def test_recipes_are_listed_and_told(run_cli):
    code, output, errors = run_cli("data", "recipes")
    assert (code, errors) == (0, [])
    assert all(name in output for name in RECIPES)
    code, output, errors = run_cli("data", "recipes", "ucf101")
    assert code == 0
    assert "crcv.ucf.edu" in output
    assert "latentreel data prepare FOLDER --recipe ucf101" in output


def test_of_many_ignored_files_three_are_named(videos, run_cli):
    for number in range(12):
        (videos / f"still{number}.png").write_bytes(b"-")
    (videos / "note.txt").write_text("words")
    code, output, errors = run_cli("data", "check", videos)
    assert (code, errors) == (0, [])
    assert [f"still{number}.png" in output for number in range(12)] == [True] * 3 + [False] * 9
    assert "and 9 more" in output
    assert "note.txt" in output
    assert "12 ignored" not in output
    assert "13 ignored" in output


def test_packed_parts_are_not_dropped(videos, run_cli, tmp_path):
    words = ["--resolution", 16, "--split", "train=0.5,test=0.5", "--group-by", "clip[0-9]", "--seed", 1]
    assert run_cli("data", "prepare", videos, "--out", tmp_path / "packed", *words)[0] == 0
    code, _, errors = run_cli("data", "prepare", tmp_path / "packed", "--out", tmp_path / "again", "--resolution", 8)
    assert (code, len(errors)) == (2, 1)
    assert "in several parts; given: " in errors[0]
    assert not (tmp_path / "again").exists()
    assert run_cli("data", "prepare", tmp_path / "packed" / "test", "--out", tmp_path / "again", "--resolution", 8)[0] == 0


def test_what_is_left_out_is_told_once_and_a_refusal_leaves_no_folder(videos, run_cli, tmp_path):
    (videos / "bad.mp4").write_bytes(b"words")
    data = ["--data", videos, "--device", "cpu"]
    code, output, errors = run_cli("train", "image", "debug", *data, "--out", tmp_path / "run", "--kimg", 0.001)
    assert code == 0, errors
    assert (output + "\n".join(errors)).count("bad.mp4") == 1
    for words in (["train", "image", "debug", "--data", "missing"], ["evaluate", "--real", "missing", "--fake", "missing"]):
        out = tmp_path / "new" / ("run" if words[0] == "train" else "scores.json")
        code, _, errors = run_cli(*words, "--out", out)
        assert (code, len(errors)) == (2, 1), errors
        assert not (tmp_path / "new").exists()


def test_messages_name_flags_and_no_classes_of_python(videos, run_cli):
    code, output, _ = run_cli("data", "check", videos, "--max-frame-pixels", 100)
    assert code == 2
    assert "raise max_frame_pixels (training and data: --max-frame-pixels)" in " ".join(output.split())
    assert "DecodeLimits" not in output
