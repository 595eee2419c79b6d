"""Which clips a protocol looks at."""

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentreel.core.errors import InputError
from latentreel.metrics.clip_choice import choose_clips
from latentreel.metrics.protocols import PROTOCOLS, Protocol, altered, protocol_named

LENGTHS = st.lists(st.integers(1, 60), min_size=1, max_size=20)
CHOICES = st.sampled_from(["balanced", "first_videos", "random_videos", "random_clips"])


def protocol(**changes):
    return Protocol(**({"name": "a test", "num_clips": 12, "num_frames": 5, "frame_step": 2} | changes))


def choose(protocol, lengths, **more):
    return choose_clips(protocol, lengths, classes=more.pop("classes", [""] * len(lengths)), **more)


@given(LENGTHS, CHOICES, st.integers(1, 30), st.integers(0, 3))
def test_clips_fit_their_videos_differ_and_are_drawn_again_alike(lengths, choice, count, repeat):
    told = protocol(choice=choice, num_clips=count)
    if max(lengths) < told.span:
        with pytest.raises(InputError, match="no video is long enough for a clip of this protocol"):
            choose(told, lengths)
        return
    chosen = choose(told, lengths, repeat=repeat)
    assert chosen == choose(told, lengths, repeat=repeat)
    assert 1 <= len(chosen) <= count
    assert len(set(chosen)) == len(chosen)
    assert all(0 <= start <= lengths[video] - told.span for video, start in chosen)


def test_balanced_gives_classes_and_videos_their_turns():
    lengths, classes = [90] * 3 + [18] * 1 + [40] * 8, ["a"] * 3 + ["b"] * 1 + ["c"] * 8
    chosen = choose(protocol(num_clips=9), lengths, classes=classes)
    assert Counter(classes[video] for video, _ in chosen) == {"a": 4, "b": 2, "c": 3}
    assert max(Counter(video for video, _ in chosen).values()) == 2
    every = choose(protocol(num_clips=1000), lengths, classes=classes)
    assert len(every) == 3 * 10 + 2 + 8 * 4
    for video in range(len(lengths)):
        starts = sorted(start for place, start in every if place == video)
        assert all(after - before >= 9 for before, after in itertools.pairwise(starts))


def test_generated_videos_are_taken_from_their_beginning_where_the_protocol_says_so():
    told = protocol(choice="first_videos", num_clips=3)
    assert choose(told, [50] * 5, generated=True) == [(0, 0), (1, 0), (2, 0)]
    assert any(start for _, start in choose(told, [50] * 5))
    assert [video for video, _ in choose(told, [50, 3, 50, 50, 50])] == [0, 2, 3]


def test_long_videos_come_more_often_only_where_every_clip_is_as_likely():
    lengths = [9 + 90] + [9] * 9
    by_clip = choose(protocol(choice="random_clips", num_clips=60), lengths)
    by_video = choose(protocol(choice="random_videos", num_clips=10), lengths)
    assert sum(video == 0 for video, _ in by_clip) > 45
    assert sum(video == 0 for video, _ in by_video) < 6


def test_another_number_makes_another_name():
    frozen = protocol_named("mocogan_hd_fvd")
    assert (frozen.num_clips, frozen.num_frames, frozen.frame_step, frozen.size, frozen.repeats) == (2048, 16, 2, 128, 10)
    assert altered(frozen, num_clips=2048, size=None) is frozen
    changed = altered(frozen, num_clips=64, size=32)
    assert changed.name == "mocogan_hd_fvd[num_clips=64,size=32]"
    assert (changed.num_clips, changed.size, changed.frame_step) == (64, 32, 2)
    with pytest.raises(InputError, match="there is no such protocol; given: fvd; allowed: latentreel, mocogan_hd_fvd"):
        protocol_named("fvd")
    with pytest.raises(InputError, match="num_frames is out of range; given: 0"):
        altered(frozen, num_frames=0)
    assert all(name == protocol.name for name, protocol in PROTOCOLS.items())
