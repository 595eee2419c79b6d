import numpy as np
import pytest

from latentreel.worlds.smooth_process import blink_process, gaussian_process, uniform_process

TIMES = np.arange(64) / 25.0


def draw(process, count=2000, **options):
    return np.stack([process(TIMES, generator=np.random.default_rng(seed), **options) for seed in range(count)])


def test_the_gaussian_process_is_standard_normal_at_every_time():
    values = draw(gaussian_process, time_scale=0.5)
    assert np.abs(values.mean(axis=0)).max() < 0.1
    assert np.abs(values.std(axis=0) - 1).max() < 0.1


@pytest.mark.parametrize("lag", [5, 12, 25])
def test_the_gaussian_process_forgets_as_documented(lag):
    values = draw(gaussian_process, time_scale=0.5)
    covariance = (values[:, 0] * values[:, lag]).mean()
    assert covariance == pytest.approx(np.exp(-0.5 * (lag / 25 / 0.5) ** 2), abs=0.07)


def test_the_uniform_process_is_even_over_its_range():
    shares, _ = np.histogram(draw(uniform_process, time_scale=0.5), bins=5, range=(0, 1))
    assert np.allclose(shares / shares.sum(), 0.2, atol=0.02)


def test_blinks_come_at_their_rate_from_the_first_frame_on():
    closed = draw(blink_process, interval_seconds=2.0) > 0.5
    starts = closed[:, 1:] & ~closed[:, :-1]
    assert starts.sum() / len(starts) / (63 / 25.0) == pytest.approx(1 / 2.0, rel=0.1)
    assert starts[:, :10].mean() == pytest.approx(starts[:, -10:].mean(), rel=0.3)
