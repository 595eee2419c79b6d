"""Frames are taken by time: what is asked for at t is what a viewer sees at t."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from latentreel.core.errors import InputError
from latentreel.media.video_stream import EARLY, VideoStream, at_rate, constant_rate, evenly, frame_at, usual_rate


def stream_at(times: list[float], fps: float) -> VideoStream:
    """A stream whose frame k has the value k and is shown at times[k]."""
    read: list[float] = []

    def frames():
        for index, time in enumerate(times):
            read.append(time)
            yield np.full((1, 1, 3), index, np.uint8)

    return VideoStream(frames(), fps, len(times), times[-1] + 1 / fps, read)


def shown_at(times: list[float], fps: float, seconds: float) -> int:
    """The plain definition: the last frame that began, a quarter of a frame early being in time."""
    return max(index for index, time in enumerate(times) if index == 0 or time - EARLY / fps <= seconds)


rising_times = st.lists(st.integers(1, 400), max_size=30).map(lambda steps: [0.0, *(np.cumsum(steps) / 100).tolist()])
rates = st.sampled_from([1.0, 10.0, 12.5, 25.0, 29.97, 60.0])


@example(times=[0.0, 3.25], own=25.0, fps=12.5)  # 3.28 seconds, of which 41 frames end a rounding before
@given(times=rising_times, own=rates, fps=rates)
def test_every_frame_of_a_new_rate_is_the_one_shown_then(times, own, fps):
    stream = at_rate(stream_at(times, own), fps)
    frames = [int(frame[0, 0, 0]) for frame in stream.frames]
    assert frames == [shown_at(times, own, k / fps) for k in range(len(frames))]
    assert len(frames) == stream.num_frames
    assert stream.times == [k / fps for k in range(len(frames))]
    assert abs(len(frames) / fps - (times[-1] + 1 / own)) <= 1 / fps + EARLY / own  # as long as before


@given(times=rising_times, fps=rates, part=st.floats(0, 1))
def test_a_frame_asked_for_by_time_is_the_one_shown_then(times, fps, part):
    seconds = part * times[-1]
    assert frame_at(stream_at(times, fps), seconds)[0, 0, 0] == shown_at(times, fps, seconds)


@pytest.mark.parametrize("seconds", [-0.1, 0.6, float("nan")])
def test_there_is_no_frame_outside_the_video(seconds):
    with pytest.raises(InputError, match="no frame is shown at this time"):
        frame_at(stream_at([0.0, 0.2, 0.4], 5), seconds)


@pytest.mark.parametrize("fps", [0, -1, 1000, float("nan"), float("inf")])
def test_impossible_rates_are_refused(fps):
    with pytest.raises(InputError, match="frame rate is out of range"):
        at_rate(stream_at([0.0], 25), fps)


@given(fps=rates, num_frames=st.integers(2, 60), data=st.data())
def test_rounded_times_are_of_a_constant_rate(fps, num_frames, data):
    errors = data.draw(st.lists(st.floats(-0.24, 0.24), min_size=num_frames - 1, max_size=num_frames - 1))
    times = np.array([0.0, *(k + error for k, error in enumerate(errors, 1))]) / fps
    assert constant_rate(np.sort(times), [fps]) == fps


def test_a_rate_that_its_container_declares_wrongly_is_measured():
    assert constant_rate(np.arange(500) / 30, [29.0]) == pytest.approx(30)
    assert constant_rate(np.arange(500) / 30, []) == pytest.approx(30)


@given(fps=rates, pauses=st.lists(st.integers(2, 50), min_size=1, max_size=5))
def test_pauses_do_not_change_the_usual_rate(fps, pauses):
    steps = [1] * 20
    for place, pause in enumerate(pauses):
        steps.insert(4 * place, pause)
    times = np.array([0, *np.cumsum(steps)]) / fps
    assert constant_rate(times, [fps]) is None
    assert usual_rate(np.round(times, 3)) == pytest.approx(fps, rel=0.02)


def test_frames_at_equal_intervals_need_no_times():
    stream = evenly(iter([np.zeros((1, 1, 3), np.uint8)] * 4), 8.0, 4)
    assert len(list(at_rate(stream, 4.0).frames)) == 2
    assert stream.times == [0.0, 0.125, 0.25, 0.375]
