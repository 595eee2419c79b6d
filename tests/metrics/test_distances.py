"""Distances between sets of features, against closed forms and plain versions."""

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given
from hypothesis import strategies as st

from latentreel.core.errors import InputError
from latentreel.metrics import kernel_distance as kernels
from latentreel.metrics.bootstrap import intervals
from latentreel.metrics.content_distance import content_distances
from latentreel.metrics.frechet_distance import frechet_distance
from latentreel.metrics.inception_score import inception_score
from latentreel.metrics.kernel_distance import KernelDistance, kernel_distance
from latentreel.metrics.moments import Moments


def draws(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def gaussian(mean, covariance, count=1000):
    moments = Moments(len(mean))
    moments.count, moments.mean, moments.scatter = count, np.asarray(mean), np.asarray(covariance) * (count - 1)
    return moments


def plain_frechet(a, b):
    """Eq. 6 of Heusel et al. 2017 word by word, with scipy's root of a matrix."""
    root = scipy.linalg.sqrtm(a.covariance @ b.covariance).real
    return np.square(a.mean - b.mean).sum() + np.trace(a.covariance + b.covariance - 2 * root)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.integers(1, 12))
def test_moments_of_parts_are_those_of_the_whole(sizes, width):
    features = draws(sum(sizes), width) * 3 + 100
    gathered = Moments(width)
    for number, part in enumerate(np.split(features, np.cumsum(sizes)[:-1])):
        if number % 2:
            gathered.merge(Moments.of(part))
        else:
            gathered.add(part)
    assert gathered.count == len(features)
    np.testing.assert_allclose(gathered.mean, features.mean(axis=0), rtol=1e-12)
    if len(features) > 1:
        np.testing.assert_allclose(gathered.covariance, np.atleast_2d(np.cov(features.T)), rtol=1e-9, atol=1e-9)


def test_closed_forms():
    covariance = np.cov(draws(50, 8).T)
    base = gaussian(np.zeros(8), covariance)
    assert frechet_distance(base, base) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(base, gaussian(np.full(8, 0.5), covariance)) == pytest.approx(8 * 0.25)
    # scaled by s: tr C (1 - s)^2
    assert frechet_distance(base, gaussian(np.zeros(8), 9 * covariance)) == pytest.approx(4 * np.trace(covariance))


def test_scipys_root_gives_the_same():
    a, b = Moments.of(draws(300, 20)), Moments.of(draws(200, 20, seed=1) @ draws(20, 20, seed=2) + 1)
    assert frechet_distance(a, b) == pytest.approx(plain_frechet(a, b), rel=1e-9)


@pytest.mark.parametrize("clips", [(5, 9), (12, 12), (40, 6)])
def test_covariances_without_full_rank(clips):
    """Fewer clips than features: the root's trace is the sum of singular values of X^T Y, exactly."""
    x, y = draws(clips[0], 30), draws(clips[1], 30, seed=1) * 2 + 0.3
    centred = [(some - some.mean(axis=0)) / np.sqrt(len(some) - 1) for some in (x, y)]
    shared = np.linalg.svd(centred[0] @ centred[1].T, compute_uv=False).sum()
    exact = np.square(x.mean(axis=0) - y.mean(axis=0)).sum() + sum(np.square(c).sum() for c in centred) - 2 * shared
    assert frechet_distance(Moments.of(x), Moments.of(y)) == pytest.approx(exact, rel=1e-6)
    assert frechet_distance(Moments.of(x), Moments.of(x)) == pytest.approx(0, abs=1e-5)


@pytest.mark.filterwarnings("ignore:Metric")
def test_torchmetrics_agrees_with_a_network_of_ones_own():
    fid = pytest.importorskip("torchmetrics.image.fid")
    kid = pytest.importorskip("torchmetrics.image.kid")
    inception = pytest.importorskip("torchmetrics.image.inception")

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.randn(3 * 8 * 8, 16, generator=torch.Generator().manual_seed(0)) / 14)
            self.num_features = 16

        def forward(self, images):
            return images.flatten(1).to(self.weight.dtype) @ self.weight / 255

    network = Network()
    real = torch.randint(0, 256, (80, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    fake = (real.float() * 0.8 + 20).to(torch.uint8)[torch.randperm(80, generator=torch.Generator().manual_seed(2))]
    x, y = (network(some).detach().numpy() for some in (real, fake))
    ours = (frechet_distance(Moments.of(x), Moments.of(y)), kernel_distance(x, y), inception_score(y, splits=4)[0])
    frechet = fid.FrechetInceptionDistance(feature=network, input_img_size=(3, 8, 8)).set_dtype(torch.float64)
    kernel = kid.KernelInceptionDistance(feature=network, subsets=1, subset_size=80)
    for metric in (frechet, kernel):
        metric.update(real, real=True)
        metric.update(fake, real=False)
    theirs = (float(frechet.compute()), float(kernel.compute()[0]))
    metric = inception.InceptionScore(feature=network, splits=1)
    metric.update(fake)
    print(f"\nFréchet {ours[0]:.6f} {theirs[0]:.6f}, kernel {ours[1]:.6f} {theirs[1]:.6f}")
    assert ours[:2] == pytest.approx(theirs, rel=1e-4)
    assert inception_score(y, splits=1)[0] == pytest.approx(float(metric.compute()[0]), rel=1e-5)


def test_kernel_distance_is_the_plain_sum_over_pairs():
    x, y = draws(7, 5), draws(9, 5, seed=1) + 0.5

    def kernel(a, b):
        return (a @ b / 5 + 1) ** 3

    within = [np.mean([kernel(s[i], s[j]) for i in range(len(s)) for j in range(len(s)) if i != j]) for s in (x, y)]
    between = np.mean([kernel(a, b) for a in x for b in y])
    assert kernel_distance(x, y) == pytest.approx(sum(within) - 2 * between)
    assert abs(np.mean([kernel_distance(draws(30, 5, seed=s), draws(50, 5, seed=s + 99)) for s in range(200)])) < 0.02


def test_draws_of_clips_and_parts_of_large_sets(monkeypatch):
    x, y = draws(30, 5), draws(30, 5, seed=1) + 0.5
    drawn = np.random.default_rng(2).integers(30, size=(2, 30))
    twice = [[some[i] for i in places] for some, places in zip((x, y), drawn, strict=True)]

    def plain(a, b, number=None):
        pairs = [(i, j) for i in range(30) for j in range(30) if number is None or number[i] != number[j]]
        return np.mean([(a[i] @ b[j] / 5 + 1) ** 3 for i, j in pairs])

    expected = -2 * plain(*twice) + sum(plain(some, some, number) for some, number in zip(twice, drawn, strict=True))
    counts = [np.bincount(places, minlength=30) for places in drawn]
    assert KernelDistance(x[:, None], y[:, None])(*counts) == pytest.approx(expected)
    whole = kernel_distance(x, y)
    monkeypatch.setattr(kernels, "PART", 10)
    thirds = [kernel_distance(x[i : i + 10], y[i : i + 10]) for i in (0, 10, 20)]
    assert kernel_distance(x, y) == pytest.approx(np.mean(thirds))
    assert kernel_distance(x, y) == pytest.approx(whole, abs=1)


def test_the_inception_score_of_sharp_even_classes_is_their_number():
    logits = np.eye(7)[np.arange(140) % 7] * 50
    assert inception_score(logits, splits=10)[0] == pytest.approx(7)
    assert inception_score(np.zeros((20, 7)), splits=2) == (pytest.approx(1), 0)
    with pytest.raises(InputError, match="too few clips for the inception score; given: 9; allowed: 10"):
        inception_score(np.zeros((9, 7)))


def test_content_distance_is_the_mean_over_pairs_of_frames():
    clips = draws(3, 4, 6)
    plain = [np.linalg.norm(clip[i] - clip[j]) for clip in clips for i in range(4) for j in range(i)]
    assert content_distances(clips).mean() == pytest.approx(np.mean(plain))


def test_broken_features_are_refused():
    with pytest.raises(InputError, match="features are not finite"):
        Moments.of(np.array([[1.0, np.nan]]))
    with pytest.raises(InputError, match="at least two"):
        frechet_distance(Moments.of(draws(1, 3)), Moments.of(draws(5, 3)))


def test_frames_of_one_clip_are_no_pairs_of_the_kernel_distance():
    """Eight frames that are nearly alike are one clip, not eight: two draws of one kind stay near 0."""

    def clips(seed):
        return np.repeat(draws(40, 1, 6, seed=seed), 8, axis=1).reshape(-1, 6) + 0.1 * draws(320, 6, seed=seed + 500)

    apart = [kernel_distance(clips(2 * s), clips(2 * s + 1), rows=8) for s in range(40)]
    assert abs(np.mean(apart)) < 3 * np.std(apart) / np.sqrt(40)
    assert np.mean([kernel_distance(clips(2 * s), clips(2 * s + 1)) for s in range(40)]) > 0.05


def test_an_interval_is_as_wide_as_scores_of_other_clips_are_apart():
    def score(x, y):
        return frechet_distance(Moments.of(x), Moments.of(y))

    sides = [(draws(120, 20, seed=s), draws(120, 20, seed=s + 99) + 0.5) for s in range(30)]
    spread = np.std([score(x, y) for x, y in sides])
    x, y = sides[0]
    value = score(x, y)
    ((low, high),) = intervals(lambda some, others: [score(x[some], y[others])], 120, 120, values=[value])
    assert low < value < high
    assert 0.5 < (high - low) / (4 * spread) < 2
