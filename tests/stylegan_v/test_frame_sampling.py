"""Times of frames: within the video, in order, every distance and place alike, whole for real clips."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentreel.core.errors import InputError
from latentreel.core.randomness import numpy_generator
from latentreel.stylegan_v.frame_sampling import FrameSampling, draw_times


@given(
    num_frames=st.integers(2, 5),
    extra=st.integers(0, 20),
    lengths=st.lists(st.integers(5, 60), max_size=8),
    pattern=st.sampled_from(["random", "uniform"]),
    fractional=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_times_lie_in_the_video_in_order_at_whole_distances(num_frames, extra, lengths, pattern, fractional, seed):
    sampling = FrameSampling(num_frames=num_frames, max_distance=num_frames - 1 + extra, pattern=pattern)
    lengths = np.array(lengths, dtype=np.int64)
    times = draw_times(sampling, lengths, numpy_generator(seed), fractional=fractional)
    assert times.shape == (len(lengths), num_frames)
    distances = np.diff(times, axis=1)
    assert np.allclose(distances, distances.round(), atol=1e-9)
    assert (distances.round() >= 1).all()
    assert (times >= 0).all()
    assert (times[:, -1] <= lengths - 1).all()
    assert (times[:, -1] - times[:, 0] <= sampling.max_distance + 1e-9).all()
    if pattern == "uniform":
        assert np.allclose(distances, distances[:, :1])
    if not fractional:
        assert np.array_equal(times, times.round())


def test_all_distances_and_places_come_alike_and_a_seed_gives_the_same():
    sampling, lengths = FrameSampling(num_frames=3, max_distance=4), np.full(30_000, 8)
    times = draw_times(sampling, lengths, numpy_generator(0, "frames"), fractional=False)
    spans, middles = times[:, 2] - times[:, 0], times[:, 1] - times[:, 0]
    assert np.allclose([(spans == span).mean() for span in (2, 3, 4)], 1 / 3, atol=0.02)
    assert np.allclose([(middles[spans == 4] == place).mean() for place in (1, 2, 3)], 1 / 3, atol=0.02)
    assert np.allclose([(times[spans == 4][:, 0] == place).mean() for place in range(4)], 1 / 4, atol=0.02)
    assert np.array_equal(times, draw_times(sampling, lengths, numpy_generator(0, "frames"), fractional=False))
    begins = draw_times(sampling, lengths, numpy_generator(0), fractional=True)[:, 0]
    assert (begins != begins.round()).mean() > 0.99


def test_what_cannot_be_sampled_is_refused():
    with pytest.raises(InputError, match="a video is too short; given: 2 frames; allowed: at least 3"):
        draw_times(FrameSampling(), np.array([9, 2]), numpy_generator(0), fractional=False)
    for fields, problem in {
        ("num_frames", 1): "num_frames",
        ("max_distance", 1): "max_distance",
        ("pattern", "x"): "unknown",
    }.items():
        with pytest.raises(InputError, match=problem):
            FrameSampling(**dict([fields]))
