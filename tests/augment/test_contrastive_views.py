"""Random views: what each of them may do to a picture, and what it leaves."""

import pytest
import torch

from latentreel.augment.contrastive_views import DRAWS, contrastive_view

N, SIZE = 200, 32
UNCHANGED, FLIPPED, COLOURED, MOVED = 0.2, 0.1, 0.5, 0.9  # the first draw


def view(images, kind, *, shift=True):
    draws = torch.rand(len(images), DRAWS, generator=torch.Generator().manual_seed(0))
    draws[:, 0] = kind
    if not shift:
        draws[:, 5:7] = 0.5
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
    assert torch.equal(plain[plain != 0], images[plain != 0])
    assert torch.equal(mirrored[mirrored != 0], images.flip(3)[mirrored != 0])


def test_colours_are_shifted_evenly_and_one_channel_more(images):
    cut = view(images, UNCHANGED)
    shift = (view(images, COLOURED) - cut).flatten(2)  # [N, 3, pixels]
    assert (shift.amax(dim=2) - shift.amin(dim=2) < 1e-5).all()
    level = shift.mean(dim=2)
    brightness = level.median(dim=1).values
    extra = level - brightness[:, None]
    assert ((extra.abs() > 1e-4).sum(dim=1) <= 1).all()
    for values in (brightness, extra[extra.abs() > 1e-4]):
        assert 0.45 < values.abs().max() <= 0.5 + 1e-4
        assert abs(values.mean()) < 0.06


def test_moving_keeps_distances_from_the_centre():
    """A dot at a known radius comes out at that radius, but for the scale, and then for the shift."""
    images = torch.zeros(N, 3, 64, 64)
    images[:, :, 30:34, 48:52] = 1  # 18 pixels right of the centre
    x, y = centres(view(images, MOVED, shift=False))
    radius = torch.hypot(x, y)
    assert ((radius > 17) & (radius < 19)).float().mean() > 0.8  # of the others the edge shows a second, reflected dot
    assert all(((x > 5).sum(), (x < -5).sum(), (y > 5).sum(), (y < -5).sum()))  # in all directions
    shifted_x, shifted_y = centres(view(images, MOVED))
    distance = torch.maximum((shifted_x - x).abs(), (shifted_y - y).abs())
    assert distance.quantile(0.8) <= 6.4 + 1
    assert distance.quantile(0.8) > 4


def centres(pictures):
    """Where the brightness of each picture lies, from its middle."""
    weight = pictures.mean(dim=1).clamp_min(1e-9)
    weight = weight / weight.sum(dim=(1, 2), keepdim=True)
    grid = torch.arange(64.0) - 31.5
    return (weight * grid).sum(dim=(1, 2)), (weight * grid[:, None]).sum(dim=(1, 2))


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
