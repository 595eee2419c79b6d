"""The page of a run shows what lies in its folder, finished or not."""

import html
import shlex

import pytest

from latentreel.core.errors import InputError
from latentreel.report.page import markup
from latentreel.report.run_report import is_run, run_report


def test_a_run_that_is_not_finished_has_a_page(run_folder):
    assert is_run(run_folder)
    (run_folder / "best").mkdir()
    (run_folder / "best" / "card.json").write_text("{}")
    page = markup(run_report(run_folder))
    assert page.count("<img") == 3
    for shown in (
        "The run my run",
        "8,000 clips in 1 min 30 s",
        "After 0 kimg",
        "After 2 kimg",
        "Frechet distance",
        "world:faces",
        f"latentreel report {html.escape(shlex.quote(str(run_folder / 'best')))}",
    ):
        assert shown in page, shown
    assert "Line chart of Video over clips seen in training: G goes from" in page
    assert len(page) < 200_000  # however many entries its journal has


def test_a_run_without_samples_and_entries_says_so(run_folder):
    (run_folder / "journal.jsonl").write_text("")
    for path in (run_folder / "samples").iterdir():
        path.unlink()
    page = markup(run_report(run_folder))
    assert "has written no sample yet" in page
    assert "no entry yet" in page


def test_a_training_that_failed_has_a_page(run_folder):
    lines = [
        f'{{"step": {n}, "items": {n}, "seconds": 1, "G/x": {x}}}\n' for n, x in enumerate((1, 2, "1e308", "-1e308", "NaN"))
    ]
    (run_folder / "journal.jsonl").write_text("".join(lines))
    assert "G goes from 1 to 2" in markup(run_report(run_folder))


@pytest.mark.parametrize(
    ("file", "content", "problem"),
    [
        ("journal.jsonl", '{"step": 1}\n', "is no journal of a run"),
        ("journal.jsonl", '{"step": 1, "items": "x", "seconds": 1}\n', "is no journal of a run"),
        ("journal.jsonl", "[1]\n", "is no journal of a run"),
        ("journal.jsonl", '{"st\n{"step": 1, "items": 4, "seconds": 1}\n', 'is no journal of a run; given: line 1: {"st'),
        ("journal.jsonl", '{"step": 1, "items": Infinity, "seconds": 1}\n', "is no journal of a run"),
        ("journal.jsonl", '{"step": 1, "items": 4, "seconds": NaN}\n', "is no journal of a run"),
        ("journal.jsonl", f'{{"step": 1, "items": 4, "seconds": 1{"0" * 400}}}\n', "is no journal of a run"),
        ("config.yaml", "- a\n", "holds no fields"),
        ("config.yaml", "a: [", "not a YAML file"),
        ("config.yaml", "a: 2020-13-45", "not a YAML file: month must be in 1..12"),
        ("config.yaml", "a: &a [*a]", r"not a YAML file: the alias \*a must be written out"),
        ("config.yaml", f"a: {'[' * 5000}", "not a YAML file"),
        ("config.yaml", 'a: !!int ""', "not a YAML file"),
    ],
)
def test_a_damaged_folder_costs_one_line(run_folder, file, content, problem):
    (run_folder / file).write_text(content)
    with pytest.raises(InputError, match=problem):
        run_report(run_folder)
