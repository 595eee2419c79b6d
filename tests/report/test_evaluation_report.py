"""The page of evaluations: every number with its interval, and all that it depends on."""

import copy
import json

import pytest

from latentreel.core.errors import InputError
from latentreel.report.evaluation_report import evaluation_report
from latentreel.report.page import markup


@pytest.fixture
def write(tmp_path):
    """Writes results, gives their paths."""

    def files(*results):
        paths = [tmp_path / f"{number}.json" for number in range(len(results))]
        for path, result in zip(paths, results, strict=True):
            path.write_text(json.dumps(result))
        return paths

    return files


def test_scores_stand_with_what_they_depend_on(write, result, two_folders):
    page = markup(evaluation_report(write(result), clips=[two_folders / "dark"]))
    for shown in (
        "Scores of &lt;mine&gt;",
        "12.5 [11, 14]",
        "3.5 (of 12 clips)",
        "24 clips are few",
        "c.mp4: is empty",
        "cd" * 32,
        "b.mp4 from frame 4",
        "Line chart of PSNR over frame",
        "2.13.0",
    ):
        assert shown in page, shown
    assert page.count("<video") == 1


def test_results_of_one_protocol_stand_side_by_side_and_others_do_not(write, result):
    other = copy.deepcopy(result)
    other["scores"]["Fréchet distance"] |= {"value": 20.0, "low": 18.0, "high": 22.0}
    page = markup(evaluation_report(write(result, other)))
    for shown in ("&lt;mine&gt; (1)", "&lt;mine&gt; (2)", "12.5 [11, 14]", "20 [18, 22]"):
        assert shown in page, shown
    other["protocol"]["num_clips"] = 48
    with pytest.raises(InputError, match="cannot be compared: protocols differ"):
        evaluation_report(write(result, other))
    with pytest.raises(InputError, match="1 results, 2 folders"):
        evaluation_report(write(result), clips=["a", "b"])


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("scores", {"x": 1}),
        ("scores/PSNR/value", "x"),
        ("scores/PSNR/high", 1.0),
        ("real", {"x": 1}),
        ("real/manifest", [1]),
        ("fake/left_out", [3]),
        ("protocol", {}),
        ("network", {}),
        ("clip_shape", [1]),
        ("warnings", None),
        ("variance", "x"),
        ("variance", {"1": "x"}),
        ("variance", {"1": 10**400}),
    ],
)
def test_what_is_no_result_costs_one_line(write, result, place, value):
    *parents, name = place.split("/")
    damaged = result
    for parent in parents:
        damaged = damaged[parent]
    damaged[name] = value
    with pytest.raises(InputError, match="no result of an evaluation"):
        evaluation_report(write(result))


def test_brackets_without_end_cost_one_line(tmp_path):
    (tmp_path / "deep.json").write_text("[" * 100_000)
    with pytest.raises(InputError, match="no result of an evaluation; given: no JSON"):
        evaluation_report([tmp_path / "deep.json"])
