"""The demo's report says what happened, in numbers that were given to it."""

import dataclasses

import numpy as np
import pytest

from latentreel.core.errors import InputError
from latentreel.report.page import markup
from latentreel.report.training_report import DemoResults, in_words, training_report


@pytest.fixture
def results() -> DemoResults:
    def clips(*leading: int) -> np.ndarray:
        return np.random.default_rng(0).integers(0, 256, (*leading, 4, 16, 16, 3), np.uint8)

    journal = [
        {"step": 1, "items": 8, "seconds": 1.0, "G/adversarial": 1.0, "D_V/adversarial": 2.0, "D_V/augment": 0.0},
        {"step": 2, "items": 16, "seconds": 75.0, "G/adversarial": 0.5, "D_V/gradient_penalty": 0.1, "D_V/augment": 0.0},
    ]
    return DemoResults(
        headline=clips(8),
        real=clips(4),
        generated=clips(4),
        one_content=clips(2, 4),
        one_motion=clips(3, 4),
        shipped=clips(4),
        trained=clips(4),
        creatures=clips(8),
        skies=clips(8),
        made_by="the motion generator trained in this run",
        fps=25,
        journal=journal,
        timings={"training": 75.0, "making videos": 2.25},
        config={"data": "world:faces", "batch_size": 8, "minutes": None},
        versions={"torch": "2.13.0"},
        commands=["latentreel demo"],
        videos={"the grid at the top": "runs/demo/generated.mp4"},
    )


def test_the_report_holds_what_was_given(results):
    page = markup(training_report(results))
    assert page.count("<video") == 7
    for text in (
        "1 min 15 s",
        "2.2 s",
        "1 min 17 s",
        "world:faces",
        "batch size",
        "2.13.0",
        "latentreel demo",
        "generated.mp4",
    ):
        assert text in page
    assert "Line chart of Adversarial over clips seen in training: G goes from 1 to 0.5; D_V goes from 2 to 2." in page
    assert "Line chart of Gradient penalty" in page
    assert "D_V augment" in page


def test_a_run_too_short_for_a_journal_has_a_report(results):
    page = markup(training_report(dataclasses.replace(results, journal=[])))
    assert "too short" in page
    assert "<svg" not in page


def test_what_cannot_be_compared_is_refused(results):
    with pytest.raises(InputError, match="real"):
        dataclasses.replace(results, real=results.real[:3])


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.04, "0.0 s"), (9.96, "10.0 s"), (59.7, "1 min 0 s"), (161.2, "2 min 41 s"), (7260, "2 h 1 min")]
)
def test_durations_in_words(seconds, words):
    assert in_words(seconds) == words
