"""The page of a check: every file is in it, whatever its name."""

import numpy as np

from latentreel.data.inspection import Finding, Inspection
from latentreel.report.data_report import MOST_SHOWN, data_report, facts_of, summary
from latentreel.report.page import markup


def usable(name, **others):
    return Finding(
        **{
            "name": name,
            "verdict": "usable",
            "frames": 40,
            "width": 64,
            "height": 48,
            "fps": 25.0,
            "seconds": 1.6,
            "num_bytes": 2048,
            "thumbnail": b"\xff\xd8",
            **others,
        }
    )


def test_every_verdict_has_its_section_and_hostile_names_are_shown():
    findings = (
        usable("a/<b>&.mp4", label="a", cuts=(3,)),
        usable("line\nbreak \u202e\udcff.mp4"),
        Finding(name="bad.mp4", verdict="refused", reason="is empty"),
        usable("half.mp4", verdict="damaged", reason="breaks off after 40 of 50 frames"),
        Finding(name="note.txt", verdict="ignored", reason="no video"),
    )
    inspection = Inspection(root="videos", kind="videos", findings=findings, duplicates=(("x.mp4", "y.mp4"),), alike=None)
    text = markup(data_report(inspection))
    text.encode()  # can be written
    for shown in (
        "a/&lt;b&gt;&amp;.mp4",
        r"line\nbreak \u202e\udcff.mp4",
        "is empty",
        "Refused: 1",
        "Damaged: 1",
        "x.mp4, y.mp4",
    ):
        assert shown in text
    assert "3 files of 5 in videos can be used" in text
    assert summary(inspection)["Nearly the same"] == "not looked for: too much looks alike"
    assert facts_of(findings[0]) == "64x48, 40 frames, 25 fps, 1.6 s, 1 cut, class a, 2.0 KiB"


def test_of_many_files_some_are_shown_and_it_is_said():
    findings = tuple(usable(f"{number}.mp4") for number in np.arange(3 * MOST_SHOWN))
    text = markup(data_report(Inspection(root="many", kind="videos", findings=findings)))
    assert text.count("<img") == MOST_SHOWN
    assert "300 of 900, evenly spread" in text
