"""Adaptive augmentation: right maps, right shares, and a strength that follows the discriminator."""

import math

import pytest
import torch

from latentreel.augment import adaptive
from latentreel.augment.adaptive import AdaptiveAugment

SIZE = 16
GEOMETRY = [
    "flip",
    "quarters",
    "x",
    "y",
    "size",
    "angle",
    "stretch",
    "second angle",
    "fine x",
    "fine y",
]  # in the order in which they are drawn
COLOUR = ["brightness", "contrast", "luma flip", "hue", "saturation"]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def augment_with(strength):
    augment = AdaptiveAugment(target=0.6)
    augment.strength.fill_(strength)
    return augment


@pytest.fixture
def apply(monkeypatch):
    """Applies chosen transformations, all others neutral."""

    def run(images, **chosen):
        values = iter([chosen.pop(name.replace(" ", "_"), 0.0) for name in GEOMETRY + COLOUR])
        assert not chosen

        class Scripted(adaptive._Draws):
            def _sometimes(self, _values, _neutral, _probability=None):
                return torch.full((self.count,), next(values))

        monkeypatch.setattr(adaptive, "_Draws", Scripted)
        result = augment_with(1.0)(images, seeded())
        assert next(values, None) is None
        return result

    return run


def ramps():
    """Images whose first channel is x, second y, third 0: interpolation is exact on them, so maps can be read off."""
    line = torch.linspace(-1, 1, SIZE)
    return torch.stack([line.expand(SIZE, SIZE), line[:, None].expand(SIZE, SIZE), torch.zeros(SIZE, SIZE)])[None]


def test_flips_and_quarter_turns_move_pixels_onto_pixels(apply):
    images = torch.rand(2, 3, SIZE, SIZE) * 2 - 1
    assert torch.allclose(apply(images, flip=1.0), images.flip(-1), atol=1e-4)
    for quarters in (1.0, 2.0, 3.0):
        assert torch.allclose(apply(images, quarters=quarters), torch.rot90(images, -int(quarters), (-2, -1)), atol=1e-4)
    for angle in ("angle", "second_angle"):
        assert torch.allclose(apply(images, **{angle: math.pi / 2}), apply(images, quarters=1.0), atol=1e-4)


def test_shifts_are_in_shares_of_the_image_and_reflect_at_the_border(apply):
    images = torch.rand(2, 3, SIZE, SIZE)
    right = apply(images, x=0.125)  # 2 of 16 pixels
    assert torch.allclose(right[..., 2:], images[..., :-2], atol=1e-4)
    assert torch.allclose(right[..., :2], images[..., 1:3].flip(-1), atol=1e-4)
    assert torch.allclose(apply(images, y=0.125)[..., 2:, :], images[..., :-2, :], atol=1e-4)
    assert torch.allclose(
        apply(images, x=0.07), apply(images, fine_x=1 / 16), atol=1e-4
    )  # the coarse one keeps to whole pixels


def test_sizes_and_stretches_hold_the_centre(apply):
    assert torch.allclose(apply(ramps(), size=1.0), ramps() / 2, atol=1e-4)  # twice as large: half the ramp is left to see
    stretched = apply(ramps(), stretch=1.0)
    assert torch.allclose(stretched[:, 0], ramps()[:, 0] / 2, atol=1e-4)  # wide, and low: y leaves the image and is reflected
    assert torch.allclose(stretched[:, 1, SIZE // 4 : -SIZE // 4], 2 * ramps()[:, 1, SIZE // 4 : -SIZE // 4], atol=1e-4)


def test_wide_images_turn_about_their_centre(apply):
    images = torch.rand(1, 3, 8, 16)
    assert torch.allclose(apply(images, quarters=2.0), images.flip(-1, -2), atol=1e-4)
    assert apply(images, quarters=1.0).shape == images.shape


def test_colours_change_as_named(apply):
    images = torch.rand(2, 3, 4, 4) * 2 - 1
    grey = images.mean(dim=1, keepdim=True)
    assert torch.allclose(apply(images, brightness=0.3), images + 0.3, atol=1e-4)
    assert torch.allclose(apply(images, contrast=1.0), images * 2, atol=1e-4)
    assert torch.allclose(apply(images, luma_flip=1.0), images - 2 * grey, atol=1e-4)
    assert torch.allclose(apply(images, saturation=1.0), grey + (images - grey) * 2, atol=1e-4)
    third = apply(images, hue=2 * math.pi / 3)  # a third of a turn about grey carries each colour onto the next
    assert torch.allclose(third, images.roll(1, dims=1), atol=1e-4)
    assert torch.allclose(apply(images, hue=1.0).mean(dim=1, keepdim=True), grey, atol=1e-4)


def test_geometry_invents_no_values(monkeypatch):
    monkeypatch.setattr(adaptive, "_colour", lambda draws: torch.eye(4).expand(draws.count, 4, 4))
    images = torch.rand(64, 3, SIZE, SIZE)
    augmented = augment_with(1.0)(images, seeded())
    assert augmented.shape == images.shape
    assert augmented.amin() >= images.amin() - 1e-5
    assert augmented.amax() <= images.amax() + 1e-5
    assert augmented.mean() == pytest.approx(0.5, abs=0.02)


def test_strength_0_and_target_0_change_nothing():
    images = torch.rand(2, 3, SIZE, SIZE)
    assert augment_with(0.0)(images, seeded()) is images
    off = AdaptiveAugment(target=0.0)
    off.strength.fill_(1.0)
    assert off(images, seeded()) is images


def test_the_generator_decides_alone_and_images_go_their_own_ways():
    images = torch.rand(1, 3, SIZE, SIZE).expand(8, -1, -1, -1)
    first, again = (augment_with(0.8)(images, seeded(1)) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.allclose(first, augment_with(0.8)(images, seeded(2)))
    assert len({tuple(image.flatten()[:4].tolist()) for image in first}) == 8


@pytest.mark.parametrize("strength", [0.1, 0.3])
def test_each_transformation_comes_with_its_probability(strength):
    count, p, wide = 4000, strength, 64
    images = torch.rand(1, 3, 4, wide).expand(count, -1, -1, -1)
    same = torch.isclose(augment_with(p)(images, seeded()), images, atol=1e-3).all(dim=(1, 2, 3)).float().mean()
    # A drawn flip, luma flip or turn is neutral in 1/2, 1/2 and 1/4 of the cases; so are coarse shifts that round to 0 pixels:
    # always in 4 rows (at most 0.5 pixels), in 1/16 of the cases in 64 columns.
    neutral = [1 / 2, 1 / 4, 1 / 16, 1, *[0] * 5, 0, 0, 1 / 2, 0, 0]
    expected = math.prod(1 - p + p * share for share in neutral)
    assert same.item() == pytest.approx(expected, abs=4 * math.sqrt(expected / count))


def test_gradients_are_those_of_a_linear_map():
    augment, x, y = augment_with(1.0), torch.randn(4, 3, 8, 8, requires_grad=True), torch.randn(4, 3, 8, 8)
    probe = torch.randn(4, 3, 8, 8)
    (gradient,) = torch.autograd.grad((augment(x, seeded()) * probe).sum(), x)
    change = (augment(x + y, seeded()) - augment(x, seeded())).mul(probe).sum()
    assert change.item() == pytest.approx((gradient * y).sum().item(), rel=1e-3)


def test_the_strength_follows_the_discriminator_and_keeps_to_its_range():
    augment = AdaptiveAugment(target=0.6, kimg=1, interval=100)
    augment.observe(torch.tensor(1.0), num_images=99)
    assert augment.strength == 0  # not yet
    augment.observe(torch.tensor(1.0), num_images=1)
    assert augment.strength.item() == pytest.approx(0.1)  # 100 of 1000 images
    augment.observe(torch.tensor(0.6), num_images=100)
    assert augment.strength.item() == pytest.approx(0.1)
    for _ in range(20):
        augment.observe(torch.tensor(0.7), num_images=100)
    assert augment.strength == 1
    for _ in range(20):
        augment.observe(torch.tensor(0.5), num_images=100)
    assert augment.strength == 0
    off = AdaptiveAugment(target=0.0, interval=1)
    off.observe(torch.tensor(1.0), num_images=1)
    assert off.strength == 0


def test_a_resumed_run_goes_on_where_it_stood():
    first, resumed = (AdaptiveAugment(target=0.6, kimg=1, interval=100) for _ in range(2))
    first.observe(torch.tensor(1.0), num_images=150)
    first.observe(torch.tensor(1.0), num_images=50)  # half an interval, waiting
    resumed.load_state_dict(first.state_dict())
    assert resumed.strength.item() == pytest.approx(0.15)
    for augment in (first, resumed):
        augment.observe(torch.tensor(1.0), num_images=50)
    assert resumed.strength.item() == first.strength.item() == pytest.approx(0.25)


def test_all_frames_of_a_clip_are_transformed_alike():
    frames = torch.randn(2, 1, 3, SIZE, SIZE)
    augmented = augment_with(1.0)(frames.expand(-1, 4, -1, -1, -1), seeded())
    assert augmented.shape == (2, 4, 3, SIZE, SIZE)
    torch.testing.assert_close(augmented, augmented[:, :1].expand_as(augmented))
    torch.testing.assert_close(augmented[:, 0], augment_with(1.0)(frames[:, 0], seeded()))
