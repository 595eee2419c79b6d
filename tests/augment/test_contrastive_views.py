"""Random views: what each of them may do to a picture, and what it leaves."""

import pytest
import torch

from latentreel.augment.contrastive_views import DRAWS, contrastive_view

N, SIZE = 200, 32
UNCHANGED, FLIPPED, COLOURED, MOVED = 0.2, 0.1, 0.5, 0.9  # the first draw


def view(images, kind, seed=0):
    draws = torch.rand(len(images), DRAWS, generator=torch.Generator().manual_seed(seed))
    draws[:, 0] = kind
    return contrastive_view(images, draws)


@pytest.fixture
def images():
    return torch.rand(N, 3, SIZE, SIZE) * 2 - 1


def test_a_square_of_an_eighth_to_a_quarter_of_the_width_is_always_cut_out():
    holes = view(torch.ones(N, 3, SIZE, SIZE), UNCHANGED)[:, 0] == 0
    assert torch.equal(holes, holes.any(dim=2)[:, :, None] & holes.any(dim=1)[:, None])  # a rectangle
    rows, columns = holes.any(dim=2).sum(dim=1), holes.any(dim=1).sum(dim=1)
    assert torch.equal(rows, columns)
    assert set(rows.tolist()) == set(range(SIZE // 8, SIZE // 4 + 1))
    assert holes.any(dim=0)[3:-3, 3:-3].all(), "some place is never cut out"


def test_the_rest_stays_or_is_mirrored(images):
    plain, mirrored = view(images, UNCHANGED), view(images, FLIPPED)
    assert torch.allclose(plain[plain != 0], images[plain != 0], atol=1e-5)
    assert torch.allclose(mirrored[mirrored != 0], images.flip(3)[mirrored != 0], atol=1e-5)


def test_colours_are_shifted_evenly_and_one_channel_more(images):
    changed = view(images, COLOURED)
    shift = torch.where(changed == 0, torch.nan, changed - images).flatten(2)  # [N, 3, pixels]
    assert (shift.nan_to_num(-9).amax(dim=2) - shift.nan_to_num(9).amin(dim=2) < 1e-4).all()
    level = shift.nanmedian(dim=2).values
    brightness = level.median(dim=1).values
    extra = level - brightness[:, None]
    assert ((extra.abs() > 1e-4).sum(dim=1) <= 1).all()
    for values in (brightness, extra[extra.abs() > 1e-4]):
        assert 0.45 < values.abs().max() <= 0.5 + 1e-4
        assert abs(values.mean()) < 0.06


def test_moving_keeps_distances_from_the_centre():
    """A dot at a known radius comes out at that radius, but for the shift and the scale."""
    images = torch.zeros(N, 3, 64, 64)
    images[:, :, 30:34, 48:52] = 1  # 18 pixels right of the centre
    moved = view(images, MOVED).mean(dim=1)
    seen = moved.flatten(1).sum(dim=1) > 8
    grid = torch.arange(64.0) - 31.5
    weight = moved / moved.sum(dim=(1, 2), keepdim=True).clamp_min(1e-9)
    x, y = (weight * grid).sum(dim=(1, 2))[seen], (weight * grid[:, None]).sum(dim=(1, 2))[seen]
    radius = torch.hypot(x, y)
    assert seen.sum() > 150
    inside = (radius < 18 * 1.05 + 6.4 * 2**0.5 + 1).float().mean()
    assert inside > 0.9  # of the others the reflected edge shows a second dot
    assert radius.median() == pytest.approx(18, abs=2)
    assert all(((x > 5).sum(), (x < -5).sum(), (y > 5).sum(), (y < -5).sum()))  # in all directions


def test_the_draws_alone_decide_and_each_picture_has_its_own(images):
    draws = torch.rand(N, DRAWS)
    together = contrastive_view(images, draws)
    assert torch.equal(together, contrastive_view(images, draws))
    assert torch.allclose(together[3:5], contrastive_view(images[3:5], draws[3:5]), atol=1e-5)
    kinds = [(together[i] - images[i]).abs().mean().item() for i in range(N)]
    assert len({round(kind, 5) for kind in kinds}) > N / 2


def test_gradients_reach_the_picture(images):
    images.requires_grad_()
    contrastive_view(images, torch.rand(N, DRAWS)).square().sum().backward()
    assert (images.grad.abs().flatten(1).sum(dim=1) > 0).all()
