"""`latentreel report` and `latentreel compare`, as a user meets them: with bad input, one line each and nothing left behind."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from latentreel.core.video import Video
from latentreel.media.encode import save_video
from latentreel.report.votes import FIELDS


@pytest.fixture
def sides(tmp_path):
    """Folders a (three clips), b (three), few (two of other names), words (no clip)."""
    for folder, names in {"a": "xyz", "b": "xyz", "few": "pq"}.items():
        for number, name in enumerate(names):
            save_video(Video(np.full((2, 16, 16, 3), 40 * number, np.uint8), 25), tmp_path / folder / f"{name}.mp4")
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "note.txt").write_text("words")
    return tmp_path


def test_a_folder_of_videos_has_a_page_and_flags_that_say_nothing_are_told(sides, run_cli):
    code, output, errors = run_cli("report", sides / "a", "--truncation", 0.5, "--out", sides / "page.html")
    assert (code, errors) == (0, [])
    assert "note: --truncation means nothing for a collection of videos" in output
    assert (sides / "page.html").read_text().count("<video") == 1


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([], "nothing to report on"),
        (["missing"], "no such file, folder or model to report on; given: missing"),
        (["words"], "nothing in words can be used"),
        (["words.json"], "no result of an evaluation"),
        (["a", "b"], "cannot stand on one page"),
        (["a", "--out", "page.pdf"], "needs another suffix"),
        (["missing", "--out", "/proc/x/page.html"], "cannot write to /proc/x"),
        (["faces", "--frames", 1000], "frames is out of range"),
    ],
)
def test_what_cannot_be_reported_on_costs_one_line(sides, run_cli, monkeypatch, words, problem):
    monkeypatch.chdir(sides)
    (sides / "words.json").write_text(json.dumps({"a": 1}))
    before = sorted(sides.iterdir())
    code, _, errors = run_cli("report", *words)
    assert (code, len(errors)) == (2, 1), errors
    assert problem in errors[0]
    assert sorted(sides.iterdir()) == before


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([], "two sides are needed"),
        (["a"], "two sides are needed"),
        (["a", "missing"], "nothing to compare; given: missing"),
        (["a", "words"], "nothing in words can be used"),
        (["a", "few"], "different numbers of clips; given: 3 and 2"),
        (["a", "a"], "A and B are the same"),
        (["a", "b", "--pairs", 4], "not so many pairs"),
        (["a", "b", "--questions", ""], "questions of one line"),
        (["a", "b", "--out", "other.csv"], "holds votes of another study"),
        (["a", "b", "--out", "words/note.txt"], "holds no vote"),
        (["a", "b", "--port", 70000], "cannot listen on port"),
        (["a", "missing", "--page", "/proc/x/page.html"], "cannot write to /proc/x"),
        (["--result", "missing.csv"], "cannot read the votes missing.csv"),
        (["--result", "words/note.txt"], "holds no vote; given: line 1"),
        (["a", "b", "--result", "other.csv"], "are two commands"),
    ],
)
def test_what_cannot_be_compared_costs_one_line(sides, run_cli, monkeypatch, words, problem):
    monkeypatch.chdir(sides)
    (sides / "other.csv").write_text("0123456789abcdef,a,b,Which?,Ann,x,a,b,\n")
    before = {path: path.read_bytes() for path in sides.rglob("*") if path.is_file()}
    code, _, errors = run_cli("compare", *words)
    assert (code, len(errors)) == (2, 1), errors
    assert problem in errors[0]
    assert before.items() <= {path: path.read_bytes() for path in sides.rglob("*") if path.is_file()}.items()
    assert not (sides / "runs" / "report.html").exists()


def test_flags_of_other_studies_are_told(sides, run_cli):
    words = ["--frames", 99, "--truncation", 0.1, "--port", 7, "--out", "zz.csv", "--page", sides / "page.html"]
    code, output, errors = run_cli("compare", sides / "a", sides / "b", *words)
    assert (code, errors) == (0, [])
    for flag in ("out", "port"):
        assert f"note: --{flag} means nothing for a page that is a file" in output
    for flag in ("frames", "truncation"):
        assert f"note: --{flag} means nothing for two collections of videos" in output


def test_a_result_is_told_with_its_interval_and_what_is_damaged(sides, run_cli):
    rows = [f"0123456789abcdef,mine,theirs,Which?,r{n % 2},p{n},{'ab'[n % 2]},{'b' if n < 2 else 'a'}," for n in range(10)]
    (sides / "votes.csv").write_text("\n".join([",".join(FIELDS), *rows, "torn,li"]))
    code, output, errors = run_cli("compare", "--result", sides / "votes.csv", "--pairs", 3)
    assert (code, errors) == (0, [])
    assert "note: --pairs means nothing for a result" in output
    assert "prefer A: 80.0 % (8 of 10), 95 % interval 49.0 to 94.3 % (Wilson), p = 0.109 (two-sided binomial test)" in output
    assert "10 votes by 2 raters on 10 pairs" in output
    assert "chose the left clip: 50.0 % (5 of 10)" in output
    assert "line 12: is no vote; given: 2 fields" in output


def test_a_result_without_a_vote_says_so(sides, run_cli):
    (sides / "votes.csv").write_text(",".join(FIELDS) + "\n")
    code, output, errors = run_cli("compare", "--result", sides / "votes.csv")
    assert (code, output.strip(), errors) == (0, "no vote was given", [])


def test_a_study_ends_with_its_result(sides):
    """In a process of its own, as Ctrl-C comes."""
    votes = sides / "votes.csv"
    words = [sys.executable, "-m", "latentreel.cli.main", "compare", "a", "b", "--out", str(votes), "--forced"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1", "COLUMNS": "200"}
    process = subprocess.Popen(
        words,
        cwd=sides,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.SIG_DFL
        ),  # a shell's background jobs ignore it, and so do theirs
    )
    try:
        lines = []
        while not lines or "Ctrl-C" not in lines[-1]:
            lines.append(process.stdout.readline())
            assert lines[-1], lines
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert any("http://127.0.0.1:" in line for line in lines)
    assert (process.returncode, "no vote was given" in rest) == (0, True)
