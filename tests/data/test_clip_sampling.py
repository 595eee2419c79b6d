"""Clips are where they should be, each as likely as it should be, and the same for every number of processes."""

import dataclasses

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


def cut_store() -> FrameStore:
    """Two videos at 25 and 10 frames per second, the first with cuts before frames 4 and 20."""
    return dataclasses.replace(labelled_store([26, 30]), fps=(25.0, 10.0), cuts=((4, 20), ()))


@pytest.mark.parametrize("weighting", ["frames", "videos"])
def test_no_clip_spans_a_cut(weighting):
    sampler = ClipSampler(cut_store(), num_frames=3, frame_step=2, seed=0, weighting=weighting)
    assert sampler.num_clips == 12 + 2 + 26
    clips = sampler.batch(0, 4000)
    video, first, last = clips[:, 0, 0, 0, 0], clips[:, 0, 0, 0, 1], clips[:, -1, 0, 0, 1]
    assert set(first[video == 0].tolist()) == {*range(4, 16), 20, 21}
    assert (np.digitize(first, (4, 20)) == np.digitize(last, (4, 20)))[video == 0].all()
    assert np.mean(video == 0) == pytest.approx(0.5 if weighting == "videos" else 14 / 40, abs=0.03)
    assert np.mean(first[video == 0] < 16) == pytest.approx(12 / 14, abs=0.03)


def test_clips_of_one_duration_follow_the_rate_of_their_video():
    sampler = ClipSampler(cut_store(), num_frames=4, clip_seconds=0.4, seed=0)
    assert sampler.usual_step == 2  # of 25 frames per second, the middle one
    clips = sampler.batch(0, 200)
    video, times = clips[:, 0, 0, 0, 0], clips[:, :, 0, 0, 1].astype(int)
    assert (np.diff(times[video == 1]) == 1).all()  # 0.1 s at 10 frames per second
    assert (times[video == 0] - times[video == 0][:, :1] == [0, 3, 5, 8]).all()  # 2.5 frames at 25


class FirstAndLast:
    """Two frames: the ends of the scene."""

    num_frames = 2

    def draw(self, lengths, random):
        return np.stack([np.zeros_like(lengths), lengths - 1], axis=1)


def test_a_placement_puts_frames_anywhere_in_a_scene_and_no_other_is_read():
    store, read = cut_store(), []

    class Watched(np.ndarray):
        def __getitem__(self, key):
            read.append(key)
            return super().__getitem__(key)

    sampler = ClipSampler(store, num_frames=2, placement=FirstAndLast(), seed=0)
    sampler._frames = store.frames.view(Watched)
    clips, times = sampler.timed_batch(0, 200)
    ends = {tuple(pair) for pair in clips[:, :, 0, 0, :2].reshape(200, 4).tolist()}
    assert ends == {(0, 0, 0, 3), (0, 4, 0, 19), (0, 20, 0, 25), (1, 0, 1, 29)}
    assert set(map(tuple, times.tolist())) == {(0, 3), (0, 15), (0, 5), (0, 29)}
    assert [key.size for key in read if isinstance(key, np.ndarray)] == [400]
    assert np.array_equal(sampler.timed_batch(5, 4, 1, 2)[1], sampler.timed_batch(5, 8)[1][4:])


def test_it_is_known_which_video_a_clip_is_from():
    sampler = ClipSampler(cut_store(), num_frames=3, seed=0)
    assert np.array_equal(sampler.videos_of(9, 6, 1, 2), sampler.batch(9, 6, 1, 2)[:, 0, 0, 0, 0])


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"clip_seconds": 0}, "clip_seconds is out of range; given: 0"),
        ({"placement": FirstAndLast(), "frame_step": 2}, "frames can be placed in one way only"),
        ({"weighting": "length"}, "unknown weighting of videos; given: length"),
        ({"clip_seconds": 0.001}, "most frames of a clip would be the frame before again; given: clip_seconds=0.001"),
        ({"clip_seconds": 9}, r"26 frames in the longest without a cut|30 frames.*over 9 seconds"),
    ],
)
def test_what_cannot_be_sampled_is_refused(options, problem):
    with pytest.raises(InputError, match=problem):
        ClipSampler(cut_store(), num_frames=3, seed=0, **options)
