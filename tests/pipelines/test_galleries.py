"""Several clips at once."""

import itertools

import numpy as np
import pytest
from PIL import Image

from latentreel.core.errors import InputError
from latentreel.media.contact_sheet import GAP_PIXELS
from latentreel.media.decode import load_video
from latentreel.pipelines.galleries import clips_of, write_clips, write_grid

SIZE = 16


def png_frames(folder):
    return np.stack([np.asarray(Image.open(path)) for path in sorted(folder.glob("*.png"))])


def tiles(frames, rows, columns):
    step = SIZE + GAP_PIXELS
    assert frames.shape[1:3] == (rows * step - GAP_PIXELS, columns * step - GAP_PIXELS)
    corners = itertools.product(range(0, rows * step, step), range(0, columns * step, step))
    return [frames[:, y : y + SIZE, x : x + SIZE] for y, x in corners]


def test_one_file_each(pipe, tmp_path):
    told = []
    paths = write_clips(
        pipe,
        tmp_path,
        seeds=[1, 2],
        motion_seeds=[3, 4],
        format="frames",
        num_frames=10,
        progress=lambda done, total: told.append((done, total)),
    )
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    for path, (seed, motion) in zip(paths, itertools.product([1, 2], [3, 4]), strict=True):
        assert (f"{seed:04d}" in path.name) and (f"{motion:04d}" in path.name)
        np.testing.assert_array_equal(png_frames(path), pipe.generate(seed=seed, motion_seed=motion, num_frames=10).frames)
    assert told == sorted(told)
    assert told[-1] == (40, 40)


def test_a_grid_has_a_row_per_content_and_a_column_per_motion(pipe, tmp_path):
    (path,) = write_grid(pipe, tmp_path / "grid", seeds=[1, 2], motion_seeds=[3, 4, 5], format="frames", num_frames=10)
    expected = clips_of(pipe, list(itertools.product([1, 2], [3, 4, 5])), num_frames=10)
    np.testing.assert_array_equal(tiles(png_frames(path), rows=2, columns=3), expected)


def test_contents_of_one_motion_are_laid_out_in_a_square(pipe, tmp_path):
    (path,) = write_grid(pipe, tmp_path, seeds=[1, 2, 3, 4], motion_seeds=[0], format="frames", num_frames=2)
    expected = clips_of(pipe, [(seed, 0) for seed in (1, 2, 3, 4)], num_frames=2)
    np.testing.assert_array_equal(tiles(png_frames(path), rows=2, columns=2), expected)


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
@pytest.mark.parametrize("write", [write_clips, write_grid])
def test_the_suffix_says_the_format_and_the_rate_is_kept(pipe, tmp_path, write, suffix):
    out = tmp_path / f"clip{suffix}"
    assert write(pipe, out, seeds=[1], motion_seeds=[2], num_frames=9, fps=5) == [out]
    video = load_video(out)
    assert (len(video), video.fps) == (9, 5)
    frames = pipe.generate(seed=1, motion_seed=2, num_frames=9).frames
    assert np.abs(video.frames[:, :SIZE, :SIZE].astype(int) - frames).mean() < 12


def test_several_clips_do_not_fit_into_one_file(pipe, tmp_path):
    with pytest.raises(InputError, match=r"do not fit into one file; given: .*clip\.mp4; allowed: a folder; or add --grid"):
        write_clips(pipe, tmp_path / "clip.mp4", seeds=[1, 2], motion_seeds=[0], num_frames=2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("writer", [write_clips, write_grid])
@pytest.mark.parametrize("settings", [{}, {"interpolate": 3}, {"loop": True}, {"loop": True, "interpolate": 3}])
def test_progress_ends_where_it_says(pipe, tmp_path, writer, settings):
    told: list[tuple[int, int]] = []
    seen = {"progress": lambda *numbers: told.append(numbers), "num_frames": 5, **settings}
    writer(pipe, tmp_path / "clips.gif", seeds=[1], motion_seeds=[2], **seen)
    steps = 5 if "loop" in settings else 4
    assert told[-1][0] == told[-1][1] == (3 * steps + 5 - steps if "interpolate" in settings else 5)
