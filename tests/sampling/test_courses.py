"""More frames between the same latents; ends that meet beginnings."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import CubicHermiteSpline

from latentreel.core.errors import InputError
from latentreel.sampling.courses import closed, interpolated


def course(length: int) -> torch.Tensor:
    return torch.randn(length, 3, generator=torch.Generator().manual_seed(length)).double()


def denser(latents: torch.Tensor, factor: int, method: str, chunk: int = 4) -> torch.Tensor:
    return torch.cat(list(interpolated(iter(latents.split(3)), factor, method, chunk=chunk)))


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 9), st.integers(1, 5), st.sampled_from(["linear", "spline"]), st.integers(1, 7))
def test_the_latents_themselves_stay_whatever_the_chunks(length, factor, method, chunk):
    latents = course(length)
    pieces = list(interpolated(iter(latents.split(3)), factor, method, chunk=chunk))
    assert [len(piece) for piece in pieces[:-1]] == [chunk] * (len(pieces) - 1)
    assert len(torch.cat(pieces)) == (length - 1) * factor + 1
    torch.testing.assert_close(torch.cat(pieces)[::factor], latents)


def test_midpoints_lie_in_the_middle_as_released():
    latents = course(5)
    torch.testing.assert_close(denser(latents, 2, "linear")[1::2], (latents[1:] + latents[:-1]) / 2)


def test_the_spline_is_scipys_with_the_slopes_of_the_neighbours():
    latents = course(6)
    slopes = torch.cat([latents[1:2] - latents[:1], (latents[2:] - latents[:-2]) / 2, latents[-1:] - latents[-2:-1]])
    expected = CubicHermiteSpline(range(6), latents.numpy(), slopes.numpy())([i / 4 for i in range(21)])
    torch.testing.assert_close(denser(latents, 4, "spline"), torch.from_numpy(expected))


def test_the_spline_turns_more_smoothly_than_lines():
    latents = course(12)

    def sharpest_turn(method: str) -> float:
        return float(denser(latents, 8, method).diff(n=2, dim=0).norm(dim=1).max())

    assert sharpest_turn("spline") < sharpest_turn("linear") / 2


def test_a_closed_course_has_no_seam():
    walk = course(33).cumsum(dim=0)
    once = closed(walk)
    assert len(once) == 32
    torch.testing.assert_close(once[0], walk[0])
    steps, seam = once.diff(dim=0).norm(dim=1), (once[0] - once[-1]).norm()
    assert seam <= steps.max()
    assert seam < (walk[0] - walk[-2]).norm() / 2


@pytest.mark.parametrize("method", ["linear", "spline"])
def test_a_round_is_as_dense_across_its_seam_as_elsewhere(method):
    latents = course(6)
    once = torch.cat(list(interpolated(iter(latents.split(4)), 4, method, chunk=5, loop=True)))
    assert len(once) == 24
    turned = torch.cat(list(interpolated(iter(latents.roll(2, dims=0).split(4)), 4, method, chunk=5, loop=True)))
    torch.testing.assert_close(turned, once.roll(8, dims=0))  # no place of a round is its beginning
    torch.testing.assert_close(once[4:17], denser(latents, 4, method)[4:17])


@pytest.mark.parametrize(
    ("factor", "method", "problem"), [(0, "linear", "given: 0"), (2, "cubic", "given: cubic; allowed: linear")]
)
def test_other_interpolation_is_refused(factor, method, problem):
    with pytest.raises(InputError, match=problem):
        interpolated(iter([course(2)]), factor, method, chunk=1)
