"""A written world is the world, with the truth about it."""

import numpy as np
import pytest

from latentreel.media.decode import load_video
from latentreel.pipelines.world_videos import write_world
from latentreel.worlds.registry import open_world


@pytest.mark.parametrize("format", ["mp4", "frames"])
def test_videos_and_factors_are_those_of_the_world(tmp_path, format):
    world = open_world("faces", resolution=32, num_frames=6, seed=3)
    path = write_world(world, tmp_path, num_videos=3, format=format)
    truth = np.load(path)
    assert truth["identity_names"].tolist() == list(world.identity_names)
    assert truth["motion_names"].tolist() == list(world.motion_names)
    again = open_world("faces", resolution=32, num_frames=6, seed=3)
    for index, name in enumerate(truth["videos"]):
        clip = again.video(index)
        np.testing.assert_array_equal(truth["identity"][index], clip.identity)
        np.testing.assert_array_equal(truth["motion"][index], clip.motion)
        written = load_video(tmp_path / str(name))
        tolerance = 0 if format == "frames" else 6  # grey levels; mp4 halves the colours' resolution
        assert written.frames.shape == clip.video.frames.shape
        assert np.abs(written.frames.astype(int) - clip.video.frames).mean() <= tolerance
        assert format == "frames" or written.fps == clip.video.fps
    assert len({frames.tobytes() for frames in truth["identity"]}) == 3
