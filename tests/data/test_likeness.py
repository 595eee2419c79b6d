"""Copies are told from clips that only look alike."""

import numpy as np
import pytest
from PIL import Image

from latentreel.data.likeness import MOMENTS, SignatureMaker, groups_alike


def scene(seed: int) -> np.ndarray:
    """A background of soft blobs, [96, 128, 3]."""
    small = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), np.uint8)
    return np.asarray(Image.fromarray(small).resize((128, 96), Image.Resampling.BICUBIC))


def clip(background: int, motion: int, num_frames: int = 40) -> np.ndarray:
    """A white square that wanders over a background."""
    frames = np.repeat(scene(background)[None], num_frames, axis=0)
    places = np.array([40, 50]) + np.random.default_rng(motion).normal(0, 6, (num_frames, 2)).cumsum(axis=0)
    for frame, (row, column) in zip(frames, places.clip(0, 80).astype(int), strict=True):
        frame[row : row + 24, column : column + 24] = 255
    return frames


def signature(frames):
    maker = SignatureMaker()
    for frame in frames:
        maker.see(frame)
    return maker.signature()


def resized(frames, width, height):
    return [np.asarray(Image.fromarray(frame).resize((width, height), Image.Resampling.BICUBIC)) for frame in frames]


def noisy(frames):
    noise = np.random.default_rng(9).normal(0, 8, frames.shape)
    return (frames + noise).clip(0, 255).astype(np.uint8)


def test_copies_are_found_and_others_are_not():
    original = clip(0, 0)
    found = groups_alike(
        {
            name: signature(frames)
            for name, frames in {
                "original": original,
                "smaller": resized(original, 64, 48),
                "noisy": noisy(original),
                "half the frames": original[::2],
                "other motion": clip(0, 1),
                "other scene": clip(1, 0),
                "still": [scene(2)],
                "still again": [scene(2)] * 9,
                "black": np.zeros((5, 16, 16, 3), np.uint8),
                "grey": np.full((5, 16, 16, 3), 2, np.uint8),
            }.items()
        }
    )
    assert found == [("original", "smaller", "noisy", "half the frames"), ("still", "still again")]


@pytest.mark.parametrize("num_frames", [1, 3, 64, 65, 1000])
def test_a_signature_costs_the_same_for_any_length(num_frames):
    maker = SignatureMaker()
    for t in range(num_frames):
        maker.see(np.full((8, 8, 3), t % 256, np.uint8))
    assert maker.signature().shape == (MOMENTS, 16, 16)
    assert len(maker._kept) <= 64
    middles = (np.arange(MOMENTS) + 0.5) / MOMENTS * num_frames
    if num_frames == 64:
        assert np.abs(maker.signature()[:, 0, 0] - middles).max() <= 1


def test_where_all_looks_alike_nothing_is_said(monkeypatch):
    monkeypatch.setattr("latentreel.data.likeness.MOST_PAIRS", 3)
    same = signature(clip(0, 0))
    assert groups_alike({str(number): same for number in range(6)}) is None
