"""Galleries show what a model makes, or what lies in a folder; small, whatever lies there."""

import html
import shlex

import numpy as np
import pytest

from latentreel.checkpoints.bundle import read_card
from latentreel.checkpoints.load import find_bundle
from latentreel.core.errors import InputError
from latentreel.core.video import Video
from latentreel.media.encode import save_video
from latentreel.pipelines.video_pipeline import VideoPipeline
from latentreel.report.clip_selection import MOST_CLIPS, MOST_FRAMES, MOST_PIXELS, select_clips
from latentreel.report.gallery_report import GalleryContents, folder_gallery, model_gallery
from latentreel.report.page import markup

COMMANDS = (
    "latentreel report faces --seeds 4 --frames 2 --long-frames 3 --truncation 0.8",
    "latentreel generate faces --seeds 4 --motion-seeds 4 --frames 2 --truncation 0.8",
)


def test_a_model_shows_contents_motions_length_and_directions():
    contents = GalleryContents(seeds=(4,), num_frames=2, long_frames=3, truncation=0.8)
    progress = []
    page = markup(
        model_gallery(
            VideoPipeline.load("faces"),
            "faces",
            contents,
            card=read_card(find_bundle("faces")),
            progress=lambda *done: progress.append(done),
        )
    )
    assert (page.count("<video"), page.count("<img")) == (4, 1)
    for shown in ("seed 4", "motion 3", "3 frames, 0.24 s", "first 8 components", "Apache-2.0", *COMMANDS):
        assert shown in page, shown
    done, total = progress[-1]
    assert done == total


@pytest.mark.parametrize("wrong", [{"num_frames": 65}, {"num_frames": 0}, {"long_frames": 513}, {"seeds": ()}])
def test_a_gallery_is_bounded(wrong):
    with pytest.raises(InputError, match="out of range"):
        GalleryContents(**({"seeds": (0,), "num_frames": 16, "long_frames": 0, "truncation": 1.0} | wrong))


def test_a_folder_shows_some_clips_small_and_short(tmp_path):
    folder = tmp_path / "v $(touch pwned)"
    for number in range(MOST_CLIPS + 3):
        frames = np.full((MOST_FRAMES + 6 if number == 0 else 4, 40, 300, 3), 10 * number, np.uint8)
        save_video(Video(frames, 25 if number % 2 else 12.5), folder / f"clip{number}.mp4")
    (folder / "clip14.mp4").write_bytes(b"words")
    found = select_clips(folder)
    assert (len(found.clips), found.total, found.fps) == (MOST_CLIPS - 1, MOST_CLIPS + 3, 12.5)
    assert {clip.shape[1:] for clip in found.clips} == {(MOST_PIXELS, MOST_PIXELS, 3)}
    assert max(map(len, found.clips)) == MOST_FRAMES
    page = markup(folder_gallery(folder))
    assert "clip14.mp4: is not a video that can be read" in page or "clip14.mp4 is not a video that can be read" in page
    assert f"latentreel data check {html.escape(shlex.quote(str(folder)))} --html" in page
