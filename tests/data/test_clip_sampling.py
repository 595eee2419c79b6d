"""Clips are where they should be, each as likely as it should be, and the same for every number of processes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentreel.core.errors import InputError
from latentreel.data.clip_sampling import ClipSampler
from latentreel.data.frame_store import FrameStore

LENGTHS = st.lists(st.integers(1, 30), min_size=1, max_size=8)


def labelled_store(lengths: list[int]) -> FrameStore:
    """Frames of two columns: the left says (video, frame, 0), the right (video, frame, 255)."""
    labels = [(video, t) for video, length in enumerate(lengths) for t in range(length)]
    frames = np.zeros((len(labels), 1, 2, 3), np.uint8)
    frames[..., :2] = np.array(labels, np.uint8)[:, None, None]
    frames[:, :, 1, 2] = 255
    counts = np.array(lengths, np.int64)
    names = tuple(map(str, range(len(lengths))))
    return FrameStore(frames, np.cumsum(counts) - counts, counts, names, (25.0,) * len(lengths))


@settings(max_examples=100)
@given(
    lengths=LENGTHS,
    num_frames=st.integers(1, 8),
    frame_step=st.integers(1, 4),
    seed=st.integers(0, 2**32),
    step=st.integers(0, 10**9),
    mirror=st.booleans(),
    weighting=st.sampled_from(["frames", "videos"]),
)
def test_a_clip_lies_within_one_video_and_keeps_its_step(lengths, num_frames, frame_step, seed, step, mirror, weighting):
    span = (num_frames - 1) * frame_step + 1
    options = {"num_frames": num_frames, "frame_step": frame_step, "seed": seed, "mirror": mirror, "weighting": weighting}
    if max(lengths) < span:
        with pytest.raises(InputError, match=f"{max(lengths)} frames in the longest.*{span} frames or more.*--frame-step"):
            ClipSampler(labelled_store(lengths), **options)
        return
    sampler = ClipSampler(labelled_store(lengths), **options)
    assert sampler.num_clips == sum(max(0, length - span + 1) for length in lengths)
    clips = sampler.batch(step, 16)
    assert clips.shape == (16, num_frames, 1, 2, 3)
    videos, times, side = clips[..., 0, 0, 0], clips[..., 0, 0, 1].astype(int), clips[..., 0, 0, 2]
    assert (videos == videos[:, :1]).all()
    assert (np.diff(times) == frame_step).all()
    assert (times < np.array(lengths)[videos]).all()
    assert (side == side[:, :1]).all()  # a clip is flipped as a whole
    assert mirror or not side.any()


@settings(max_examples=50)
@given(lengths=LENGTHS, size=st.integers(1, 6), world_size=st.integers(1, 5), step=st.integers(0, 1000))
def test_processes_share_the_batch_of_one(lengths, size, world_size, step):
    sampler = ClipSampler(labelled_store(lengths), num_frames=1, seed=3, mirror=True)
    shares = [sampler.batch(step, size, rank, world_size) for rank in range(world_size)]
    assert np.array_equal(np.concatenate(shares), sampler.batch(step, size * world_size))


def test_a_batch_depends_on_seed_and_step_alone():
    store = labelled_store([30, 30])
    first, second = (ClipSampler(store, num_frames=4, seed=1) for _ in range(2))
    second.batch(6, 8)
    assert np.array_equal(first.batch(7, 8), second.batch(7, 8))
    assert not np.array_equal(first.batch(7, 8), first.batch(8, 8))
    assert not np.array_equal(first.batch(7, 8), ClipSampler(store, num_frames=4, seed=2).batch(7, 8))


@pytest.mark.parametrize(("weighting", "expected"), [("frames", [1 / 4, 3 / 4]), ("videos", [1 / 2, 1 / 2])])
def test_videos_are_drawn_as_often_as_the_weighting_says(weighting, expected):
    sampler = ClipSampler(labelled_store([4, 2, 6]), num_frames=4, seed=0, mirror=True, weighting=weighting)
    clips = sampler.batch(0, 20_000)
    video, start, side = clips[:, 0, 0, 0, 0], clips[:, 0, 0, 0, 1], clips[:, 0, 0, 0, 2]
    shares = np.bincount(video, minlength=3) / len(clips)
    assert np.allclose(shares, [expected[0], 0, expected[1]], atol=0.02)  # video 1 is too short
    assert np.allclose(np.bincount(start[video == 2]) / (video == 2).sum(), 1 / 3, atol=0.02)
    assert np.mean(side == 255) == pytest.approx(0.5, abs=0.02)


def test_a_clip_can_be_asked_for():
    sampler = ClipSampler(labelled_store([3, 9]), num_frames=3, frame_step=2, seed=0, mirror=True)
    assert sampler.clip(1, 4)[:, 0, 0].tolist() == [[1, 4, 0], [1, 6, 0], [1, 8, 0]]
    with pytest.raises(InputError, match="start 5; allowed: 0 to 4"):
        sampler.clip(1, 5)
    with pytest.raises(InputError, match="allowed: none"):
        sampler.clip(0, 0)
