"""Places of frames: within the video, in order, every distance and place alike; generated ones at the same distances."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from latentreel.core.errors import InputError
from latentreel.core.randomness import numpy_generator
from latentreel.stylegan_v.frame_sampling import FrameSampling, generated_times


@given(
    num_frames=st.integers(2, 5),
    extra=st.integers(0, 20),
    lengths=st.lists(st.integers(5, 60), max_size=8),
    pattern=st.sampled_from(["random", "uniform"]),
    seed=st.integers(0, 2**32),
)
def test_places_lie_in_the_video_in_order(num_frames, extra, lengths, pattern, seed):
    sampling = FrameSampling(num_frames=num_frames, max_distance=num_frames - 1 + extra, pattern=pattern)
    lengths = np.array(lengths, dtype=np.int64)
    places = sampling.draw(lengths, numpy_generator(seed))
    assert places.shape == (len(lengths), num_frames)
    distances = np.diff(places, axis=1)
    assert (distances >= 1).all()
    assert (places >= 0).all()
    assert (places[:, -1] <= lengths - 1).all()
    assert (places[:, -1] - places[:, 0] <= sampling.max_distance).all()
    if pattern == "uniform":
        assert (distances == distances[:, :1]).all()


def test_all_distances_and_places_come_alike_and_a_seed_gives_the_same():
    sampling, lengths = FrameSampling(num_frames=3, max_distance=4), np.full(30_000, 8)
    places = sampling.draw(lengths, numpy_generator(0, "frames"))
    spans, middles = places[:, 2] - places[:, 0], places[:, 1] - places[:, 0]
    assert np.allclose([(spans == span).mean() for span in (2, 3, 4)], 1 / 3, atol=0.02)
    assert np.allclose([(middles[spans == 4] == place).mean() for place in (1, 2, 3)], 1 / 3, atol=0.02)
    assert np.allclose([(places[spans == 4][:, 0] == place).mean() for place in range(4)], 1 / 4, atol=0.02)
    assert np.array_equal(places, sampling.draw(lengths, numpy_generator(0, "frames")))


def test_generated_clips_begin_between_frames_and_keep_the_distances_of_real_ones():
    distances = torch.tensor([[0, 3, 31], [0, 1, 2]]).repeat(1000, 1)
    times = generated_times(distances, torch.rand(2000), max_frames=1024)
    assert torch.equal(times - times[:, :1], distances.double())
    assert (times[:, 0] != times[:, 0].round()).double().mean() > 0.99
    assert 0 <= times.min() < 10
    assert 1013 < times.max() <= 1023


def test_what_cannot_be_sampled_is_refused():
    with pytest.raises(InputError, match="a video is too short; given: 2 frames; allowed: at least 3"):
        FrameSampling().draw(np.array([9, 2]), numpy_generator(0))
    for fields, problem in {
        ("num_frames", 1): "num_frames",
        ("max_distance", 1): "max_distance",
        ("pattern", "x"): "unknown",
    }.items():
        with pytest.raises(InputError, match=problem):
            FrameSampling(**dict([fields]))
