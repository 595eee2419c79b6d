import numpy as np
import pytest

from latentreel.core.errors import InputError
from latentreel.metrics.factor_measures import (
    LAGS,
    follow,
    identity_drift,
    motion_diversity,
    motion_match,
    motion_statistics,
    motion_transfer,
)
from latentreel.worlds.head_motion import MOTION_FACTORS
from latentreel.worlds.registry import open_world
from latentreel.worlds.world import Factor

PLAIN = Factor(name="height", low=-2, high=2, meaning="any")
ROUND = Factor(name="bearing", low=0, high=360, meaning="degrees", circular=True)
FRAMES = np.arange(32)


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def world_motion(count, seed=0, num_frames=16):
    world = open_world("faces", num_frames=num_frames)
    return np.stack([world.sample_motion(np.random.default_rng([seed, clip])) for clip in range(count)])


class TestIdentityDrift:
    def test_somebody_who_stays_has_none(self):
        people = noise(12, 1, 5).repeat(8, axis=1)
        drift = identity_drift(people)
        assert drift.mean == 0 and np.array_equal(drift.curve, np.zeros(8))

    def test_somebody_else_in_every_frame_is_one_away(self):
        drift = identity_drift(noise(200, 8, 20))
        assert drift.curve[0] == 0
        assert drift.curve[1:] == pytest.approx(1, abs=0.03) and drift.mean == pytest.approx(1, abs=0.02)

    def test_two_people_who_change_places_are_exactly_one_away(self):
        a, b = noise(2, 5)
        assert identity_drift(np.stack([np.stack([a, b, a]), np.stack([b, a, b])])).curve == pytest.approx([0, 1, 0])

    def test_it_does_not_depend_on_the_unit_of_the_readings(self):
        people = noise(10, 6, 4)
        assert identity_drift(people).curve == pytest.approx(identity_drift(7 * people + 3).curve)

    def test_a_steady_way_to_another_person_is_a_straight_line(self):
        a, b = noise(2, 5)
        way = np.linspace(0, 1, 5)[:, None]
        assert identity_drift(np.stack([a + way * (b - a), b + way * (a - b)])).curve == pytest.approx(np.linspace(0, 1, 5))

    @pytest.mark.parametrize("shape", [(1, 8, 5), (8, 1, 5), (8, 5)])
    def test_too_few_are_refused(self, shape):
        with pytest.raises(InputError, match="N >= 2"):
            identity_drift(noise(*shape))

    def test_one_person_in_all_clips_is_refused(self):
        with pytest.raises(InputError, match="same person"):
            identity_drift(np.ones((4, 6, 3)))


class TestMotionStatistics:
    def test_of_a_straight_line(self):
        found = motion_statistics((0.1 * FRAMES)[None, :, None], (PLAIN,))
        assert found.speed == pytest.approx(0.1)
        assert found.spread == pytest.approx(0.1 * np.sqrt((32**2 - 1) / 12))

    @pytest.mark.parametrize("period", [4, 8, 16])
    def test_of_a_sinusoid(self, period):
        found = motion_statistics(np.cos(2 * np.pi * FRAMES / period)[None, :, None], (PLAIN,))
        assert found.spread == pytest.approx(np.sqrt(0.5))
        lags = np.arange(1, LAGS + 1)
        expected = [
            (np.cos(2 * np.pi * FRAMES[lag:] / period) * np.cos(2 * np.pi * FRAMES[:-lag] / period)).sum() for lag in lags
        ]
        assert found.autocorrelation[0, :, 0] == pytest.approx(np.array(expected) / 16)
        assert found.autocorrelation[0, period // 2 - 1, 0] == pytest.approx(-(32 - period // 2) / 32)

    def test_of_what_does_not_move_is_zero(self):
        found = motion_statistics(np.full((3, 16, 1), 0.7), (PLAIN,))
        for values in (found.speed, found.spread, found.autocorrelation):
            assert not values.any()

    def test_a_circle_is_followed_around(self):
        degrees = np.remainder(350 + 5.0 * FRAMES, 360)[None, :, None]
        found = motion_statistics(degrees, (ROUND,))
        assert found.speed == pytest.approx(5)
        assert found.spread == pytest.approx(5 * np.sqrt((32**2 - 1) / 12))

    def test_short_clips_and_wrong_factors_are_refused(self):
        with pytest.raises(InputError, match="T >= 9"):
            motion_statistics(noise(4, 8, 1), (PLAIN,))
        with pytest.raises(InputError, match="number of factors; given: 2; allowed: 1"):
            motion_statistics(noise(4, 16, 2), (PLAIN,))
        with pytest.raises(InputError, match="not finite"):
            motion_statistics(np.full((4, 16, 1), np.nan), (PLAIN,))


class TestMotionMatch:
    def test_clips_match_themselves_in_any_order(self):
        real = world_motion(20)
        match = motion_match(real[::-1], real, MOTION_FACTORS)
        assert match.mean == 0 and match.by_factor.shape == (len(MOTION_FACTORS),)

    def test_two_draws_of_a_world_match_better_than_half_the_speed(self):
        real, other = world_motion(200), world_motion(200, seed=1)
        slow = world_motion(200, seed=1, num_frames=8).repeat(2, axis=1)
        assert motion_match(other, real, MOTION_FACTORS).mean < 0.15
        assert motion_match(slow, real, MOTION_FACTORS).mean > 0.3
        assert motion_match(np.zeros_like(real), real, MOTION_FACTORS).mean > 1

    def test_a_known_distance(self):
        slopes = np.array([0.01, 0.03])
        real, fake = (s[:, None, None] * FRAMES[None, :, None] for s in (slopes, slopes + 0.02))
        match = motion_match(fake, real, (PLAIN,))
        assert match.speed == pytest.approx(2) and match.spread == pytest.approx(2)
        assert match.autocorrelation == pytest.approx(0, abs=1e-6)
        assert match.mean == pytest.approx(4 / 3)

    def test_what_rests_in_both_matches(self):
        assert motion_match(np.ones((3, 16, 1)), np.zeros((4, 16, 1)), (PLAIN,)).mean == 0

    def test_clips_of_other_lengths_are_refused(self):
        with pytest.raises(InputError, match="differ in frames"):
            motion_match(noise(4, 16, 1), noise(4, 32, 1), (PLAIN,))


class TestMotionDiversity:
    def test_known_deviations(self):
        real = np.array([[0.0, 2.0], [1.0, -1.0]])[..., None]  # both change by 2
        fake = np.array([[0.5, 1.5], [0.5, -1.5], [0.5, 1.5], [0.5, -1.5]])[..., None]
        assert motion_diversity(fake, real, (PLAIN,)) == pytest.approx(0.75)

    def test_one_motion_for_all_has_none(self):
        assert motion_diversity(world_motion(1).repeat(5, axis=0), world_motion(20), MOTION_FACTORS).max() < 1e-6

    def test_unrelated_ends_are_the_root_of_a_half(self):
        real = noise(4000, 2, 1)
        assert motion_diversity(noise(4000, 2, 1, seed=1), real, (PLAIN,)) == pytest.approx(np.sqrt(0.5), abs=0.03)

    def test_a_circle_has_no_seam(self):
        real = np.array([[[0.0], [20.0]]])
        fake = np.array([[[0.0], [350.0]], [[0.0], [10.0]]])
        assert motion_diversity(fake, real, (ROUND,)) == pytest.approx(0.5)

    def test_where_real_clips_rest(self):
        rest = np.zeros((3, 2, 1))
        assert motion_diversity(rest, rest, (PLAIN,)) == 0
        assert np.isinf(motion_diversity(noise(3, 2, 1), rest, (PLAIN,)))


class TestMotionTransfer:
    def test_the_same_change_on_every_content_is_one(self):
        course = world_motion(12)
        begin = noise(4, 1, 1, len(MOTION_FACTORS))  # every content begins elsewhere
        found = motion_transfer(course[None] + begin, MOTION_FACTORS)
        assert found.correlation == pytest.approx(1)
        assert np.abs(found.floor).max() < 0.3

    def test_unrelated_motion_is_at_the_floor(self):
        found = motion_transfer(noise(12, 12, 16, 1), (PLAIN,))
        assert found.correlation == pytest.approx(0, abs=0.05) and found.floor == pytest.approx(0, abs=0.02)

    def test_opposite_motion_is_minus_one(self):
        course = noise(1, 3, 16, 1)
        assert motion_transfer(np.concatenate([course, -course]), (PLAIN,)).correlation == pytest.approx(-1)

    def test_a_motion_that_is_always_the_same_does_not_stand_out(self):
        found = motion_transfer(np.tile(noise(1, 1, 16, 1), (3, 4, 1, 1)), (PLAIN,))
        assert found.correlation == pytest.approx(1) and found.floor == pytest.approx(1)

    def test_sinusoids_of_two_periods_have_nothing_in_common(self):
        waves = np.stack([np.sin(2 * np.pi * FRAMES / period) for period in (31, 31 / 2)])[None, ..., None]
        found = motion_transfer(np.concatenate([waves, 2 * waves]), (PLAIN,))
        assert found.correlation == pytest.approx(1) and found.floor == pytest.approx(0, abs=1e-9)

    def test_what_never_moves_has_no_correlation(self):
        found = motion_transfer(np.ones((3, 3, 8, 1)), (PLAIN,))
        assert found.correlation == 0 and found.floor == 0

    def test_one_content_is_refused(self):
        with pytest.raises(InputError, match="contents >= 2"):
            motion_transfer(noise(1, 4, 16, 1), (PLAIN,))


def test_a_course_around_the_circle_runs_on():
    course = np.array([350.0, 355, 5, 20, 0, 340])[:, None]
    assert follow(course, (ROUND,))[:, 0] == pytest.approx([350, 355, 365, 380, 360, 340])
