"""Motion codes: the equations spelt out, continuity, and independence of what else is asked for."""

import math

import pytest
import torch
import torch.nn.functional as F

from latentreel.core.errors import InputError
from latentreel.stylegan_v.motion_codes import NoiseWindow, motion_noise

CHUNKS = [1, 2, 5, 40]


def codes_of(generator, seeds, t, labels=None):
    """Motion codes from no more noise than is needed."""
    window = generator.motion.window(t)
    noise = motion_noise(seeds, window, generator.config.motion_dim)
    return generator.motion_codes(noise, t, labels, first_anchor=window.first)


def test_the_equations_spelt_out(build):
    """One time of one clip, in plain arithmetic: convolutions, periods, phases, waves, aligners."""
    motion, t = build().motion, 37.25
    noise = torch.randn(1, 9, 6)
    left, fraction = 2, 37.25 / 16 - 2
    rows = noise[0]
    for layer in motion.layers:
        weight, bias = layer.weight * 0.01 / math.sqrt(layer.weight.shape[1] * 3), layer.bias * 0.01
        sums = [torch.einsum("oik,ki->o", weight, rows[i : i + 3]) + bias for i in range(len(rows) - 2)]
        rows = torch.stack([F.leaky_relu(row, 0.2) for row in sums])
    u_left, u_right = rows[left], rows[left + 1]
    encoding = motion.encoding
    frequency = 2 * math.pi / 64 * (64 / 16) ** (torch.arange(5) / 4)
    period = torch.tanh(u_left @ encoding.periods.weight.T / math.sqrt(7)) + 1
    phase = u_left @ encoding.phases.weight.T / math.sqrt(7)
    aligners = [u @ encoding.aligners.weight.T / math.sqrt(7) for u in (u_left, u_right)]

    def pe(time):
        raw = frequency * period * time + phase * 64 / (2 * math.pi / frequency)
        return torch.cat([raw.sin(), raw.cos()])

    line = (1 - fraction) * pe(32.0) + fraction * pe(48.0)
    expected = pe(t) - line + (1 - fraction) * aligners[0] + fraction * aligners[1]
    found = motion(noise, torch.tensor([[t]]))
    assert torch.allclose(found[0, 0], expected, atol=1e-5)


def test_motion_is_continuous_across_anchors_from_both_sides(build):
    generator = build()
    steps = 10.0 ** -torch.arange(0, 7, dtype=torch.float64)
    for anchor in (16.0, 32.0, 160.0, 16_000.0):
        at = codes_of(generator, [0, 1], torch.full([2, 1], anchor, dtype=torch.float64))
        for side in (-1, 1):
            near = codes_of(generator, [0, 1], (anchor + side * steps).expand(2, -1))
            gaps = (near - at).abs().amax(dim=(0, 2))
            assert (gaps <= 10 * steps + 2e-7).all(), (anchor, side, gaps)
        assert not torch.equal(at, codes_of(generator, [0, 1], torch.full([2, 1], anchor + 1)))


@pytest.mark.parametrize("start", [0.0, 90_000.0])
def test_a_time_has_one_code_whatever_else_is_asked_for(build, start):
    generator, seeds = build(), [3, 4]
    t = start + torch.rand(2, 40, dtype=torch.float64) * 100
    together = codes_of(generator, seeds, t)
    order = torch.randperm(40)
    assert torch.equal(codes_of(generator, seeds, t[:, order]), together[:, order])
    for chunk in CHUNKS:
        parts = torch.cat([codes_of(generator, seeds, some) for some in t.split(chunk, dim=1)], dim=1)
        assert (parts - together).abs().max() <= 1e-7  # in float64 inside: the same but where the last bit tips over
    assert torch.allclose(codes_of(generator, [4], t[1:]), together[1:], atol=1e-7)


def test_a_longer_video_begins_like_a_shorter_one():
    short, long = (motion_noise([0, 1], NoiseWindow(0, length), 6) for length in (5, 9))
    assert torch.equal(long[:, :5], short)
    assert torch.equal(motion_noise([1], NoiseWindow(3, 4), 6), long[1:, 3:7])
    assert not torch.equal(short[0], short[1])


def test_clips_may_begin_at_different_anchors(build):
    generator, t = build(), torch.tensor([[3.0, 20.0], [803.0, 820.0]])
    noise = torch.cat([motion_noise([seed], NoiseWindow(first, 7), 6) for seed, first in ((0, 0), (1, 50))])
    found = generator.motion_codes(noise, t, first_anchor=torch.tensor([0, 50]))
    assert torch.allclose(found[:1], codes_of(generator, [0], t[:1]), atol=1e-7)
    assert torch.allclose(found[1:], codes_of(generator, [1], t[1:]), atol=1e-7)


def test_motion_may_see_the_class(build):
    sizes = {"num_classes": 3, "motion_sees_class": True}
    generator, t = build(**sizes), torch.tensor([[5.0]]).expand(3, 1)
    one = codes_of(generator, [0, 0, 0], t, torch.tensor([0, 1, 1]))
    assert not torch.allclose(one[0], one[1], atol=1e-5)
    assert torch.equal(one[1], one[2])


@pytest.mark.parametrize(
    ("shape", "t", "problem"),
    [
        ([1, 9, 5], [[1.0]], "motion noise has the wrong shape"),
        ([2, 9, 6], [[1.0]], "t has the wrong shape"),
        ([1, 9, 6], [[-0.5]], "time is out of range; given: -0.5; allowed: numbers of frames from 0 on"),
        ([1, 9, 6], [[math.nan]], "time is out of range; given: nan"),
        ([1, 9, 6], [[math.inf]], "time is out of range; given: inf"),
        ([1, 9, 6], [[64.0]], "the motion noise does not reach all times; given: 9 vectors from 0 on"),
    ],
)
def test_what_does_not_fit_is_refused(build, shape, t, problem):
    generator = build()
    assert generator.motion_codes(torch.randn(1, 9, 6), torch.tensor([[63.9]])).shape == (1, 1, 10)
    with pytest.raises(InputError, match=problem):
        generator.motion_codes(torch.randn(shape), torch.tensor(t))
