"""A run takes the frames that it is told to take."""

import dataclasses

import numpy as np
import pytest

from latentreel.core.errors import InputError
from latentreel.core.video import Video
from latentreel.media.encode import save_video
from latentreel.training.presets import IMAGE
from latentreel.training.sources import hold_out, open_training_data


@pytest.fixture
def folder(tmp_path):
    """Two videos of each of five subjects, twice as wide as high: white in the middle, grey at the sides."""
    frames = np.full((2, 16, 32, 3), 90, np.uint8)
    frames[:, :, 8:24] = 255
    for subject in range(5):
        for take in "ab":
            save_video(Video(frames, 25), tmp_path / "videos" / f"subject{subject}_{take}.mp4")
    return tmp_path / "videos"


def test_frames_that_are_no_squares_are_cropped_or_padded(folder):
    config = dataclasses.replace(IMAGE["debug"], data=str(folder))
    cropped = open_training_data(config, resolution=16, expect="images").frames
    padded = open_training_data(dataclasses.replace(config, fit="pad"), resolution=16, expect="images").frames
    assert cropped.min() > 200
    assert padded[:, 0].max() == 0
    assert padded[:, 8, 0].mean() == pytest.approx(90, abs=10)


def test_what_is_held_out_is_the_same_for_every_run_and_parts_no_subject(folder):
    config = dataclasses.replace(IMAGE["debug"], data=str(folder), held_out=0.4, group_by="prefix")
    store = open_training_data(config, resolution=16, expect="images")
    seen, rest = hold_out(store, config)
    assert sorted((*seen.names, *rest)) == sorted(store.names)
    assert seen.names
    assert rest
    assert {name[:8] for name in seen.names}.isdisjoint(name[:8] for name in rest)
    assert hold_out(store, dataclasses.replace(config, seed=9))[1] == rest
    assert hold_out(store, dataclasses.replace(config, held_out=0.0)) == (store, [])
    with pytest.raises(InputError, match="has no group; given: grouped by 'speaker'"):
        hold_out(store, dataclasses.replace(config, group_by="speaker"))


def test_a_limit_on_files_can_be_set_and_raised(folder):
    config = dataclasses.replace(IMAGE["debug"], data=str(folder), max_frame_pixels=16 * 32 - 1)
    with pytest.raises(InputError, match=r"none of 10 items can be decoded.*declares too large a frame"):
        open_training_data(config, resolution=16, expect="images")
    allowed = dataclasses.replace(config, max_frame_pixels=16 * 32)
    assert len(open_training_data(allowed, resolution=16, expect="images").names) == 10


def test_a_run_lists_what_it_does_not_see(folder, tmp_path, run_cli):
    words = ["--data", folder, "--held-out", "0.4", "--group-by", "prefix", "--kimg", "0.004", "--out", tmp_path / "run"]
    code, output, errors = run_cli("train", "image", "debug", *words)
    assert (code, errors) == (0, [])
    listed = (tmp_path / "run" / "held_out.txt").read_text().split()
    assert f"{10 - len(listed)} items" in output
    assert f"{len(listed)} held out" in output
    assert run_cli("train", "image", "debug", *words[:2], "--held-out", "1")[0] == 2


def test_a_run_streams_shards_and_goes_on_where_it_stopped(folder, tmp_path, run_cli):
    import tarfile

    import torch

    for number in range(2):
        with tarfile.open(tmp_path / f"{number}.tar", "w") as archive:
            for video in sorted(folder.iterdir())[number::2]:
                archive.add(video, video.name)
    words = ["train", "image", "debug", "--data", tmp_path / "{0..1}.tar", "--stream", "--batch-size", "2"]
    for out, parts in (("whole", ["0.012"]), ("broken", ["0.006", "0.012"])):
        for kimg in parts:
            code, _, errors = run_cli(*words, "--kimg", kimg, "--out", tmp_path / out)
            assert (code, errors) == (0, [])
    whole, broken = (torch.load(tmp_path / out / "state" / "step-000000006.pt") for out in ("whole", "broken"))
    assert whole["positions"] == broken["positions"] != []
    for name, value in whole["modules"]["generator"].items():
        assert torch.equal(value, broken["modules"]["generator"][name])
    code, _, errors = run_cli(*words, "--score-kimg", "0.004", "--out", tmp_path / "scored")
    assert code == 2
    assert "needs the data on disk" in errors[-1]
