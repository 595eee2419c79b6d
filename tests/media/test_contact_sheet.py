"""Pictures of many clips show what they should."""

import numpy as np
import pytest

from latentreel.core.errors import InputError
from latentreel.media.contact_sheet import GAP_PIXELS, contact_sheet, save_image, video_grid
from latentreel.media.decode import load_image


def counting_clip(num_frames: int, size: int = 4) -> np.ndarray:
    """Every pixel of frame t is t."""
    return np.broadcast_to(np.arange(num_frames, dtype=np.uint8)[:, None, None, None], (num_frames, size, size, 3))


def test_a_sheet_shows_each_clip_from_its_first_to_its_last_frame():
    sheet = contact_sheet([counting_clip(16), counting_clip(3)], columns=4)
    step = 4 + GAP_PIXELS
    assert sheet.shape == (2 * step - GAP_PIXELS, 4 * step - GAP_PIXELS, 3)
    assert sheet[0, ::step, 0].tolist() == [0, 5, 10, 15]
    assert sheet[step, ::step, 0].tolist() == [0, 1, 2, 255]  # a short clip leaves room blank


def test_rows_have_their_names_beside_them():
    clips = [counting_clip(8, size=32), counting_clip(8, size=32)]
    plain, named = contact_sheet(clips), contact_sheet(clips, names=["a", "component 7"])
    margin = named.shape[1] - plain.shape[1]
    assert np.array_equal(named[:, margin:], plain)
    upper, lower = named[:33, :margin], named[33:, :margin]
    assert upper.min() < 100
    assert 0 < np.ptp(np.nonzero(upper < 100)[1]) * 4 < np.ptp(np.nonzero(lower < 100)[1])


@pytest.mark.parametrize(("scale", "size"), [(3, 12), (0.5, 2)])
def test_a_sheet_can_be_scaled(scale, size):
    assert contact_sheet([counting_clip(1)], scale=scale).shape == (size, size, 3)


def test_a_grid_plays_clips_side_by_side_and_holds_their_last_frame():
    grid = video_grid([counting_clip(5), counting_clip(2), counting_clip(5)], columns=2)
    step = 4 + GAP_PIXELS
    assert grid.shape == (5, 2 * step - GAP_PIXELS, 2 * step - GAP_PIXELS, 3)
    assert grid[:, 0, step, 0].tolist() == [0, 1, 1, 1, 1]
    assert grid[:, step, 0, 0].tolist() == [0, 1, 2, 3, 4]


def test_clips_of_different_sizes_are_refused():
    with pytest.raises(InputError, match=r"\[4, 4, 3\], uint8 \[8, 8, 3\]"):
        contact_sheet([counting_clip(2), counting_clip(2, size=8)])


def test_an_image_is_written_exactly(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    assert np.array_equal(load_image(save_image(tmp_path / "new" / "image.png", pixels)), pixels)
    with pytest.raises(InputError, match=r"\.png"):
        save_image(tmp_path / "image.jpg", pixels)
