"""A picture goes in, and the latent whose picture is nearest comes out."""

from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import nn

from latentreel.checkpoints.recordings import load_latent, save_latent
from latentreel.core.errors import InputError
from latentreel.core.pixels import to_uint8
from latentreel.image_generators.build import build_image_generator
from latentreel.image_generators.stylegan2.config import StyleGAN2Config
from latentreel.image_generators.stylegan2.discriminator import StyleGAN2Discriminator
from latentreel.losses.multi_scale import multi_scale_distance
from latentreel.metrics.perceptual_distance import PerceptualDistance
from latentreel.pipelines.driving import driving_motion
from latentreel.pipelines.inversion import InversionSettings, invert, picture_psnr
from latentreel.pipelines.picture_distance import PictureDistance
from latentreel.sampling.given_latent import GivenLatent
from latentreel.sampling.latents import StyleMix

QUICK = {"steps": 40, "starts": 2, "candidates": 8}
FREE = {"steps": 60, "starts": 2, "candidates": 8, "closeness": 0.0, "layer_closeness": 0.0}


@pytest.fixture
def styles():
    generator = build_image_generator("stylegan2", resolution=16, channels=(16, 16, 16), z_dim=8, w_dim=8, mapping_layers=2)
    with torch.no_grad():
        for block in generator.blocks:
            block.to_rgb.weight.mul_(0.2)  # so that pictures stay within the range of pixels
    return generator.eval().requires_grad_(False)


@pytest.fixture
def own_picture(styles) -> np.ndarray:
    """A picture that the generator can draw."""
    return to_uint8(styles.synthesize(styles.map(torch.randn(1, 8))))[0]


@pytest.mark.parametrize("space", ["w", "w+"])
def test_a_picture_of_the_generator_is_found_again(styles, own_picture, space):
    seen = []
    found = invert(styles, own_picture, InversionSettings(space=space, **FREE), progress=lambda *told: seen.append(told))
    assert found.latent.w.shape == ((8,) if space == "w" else (styles.num_layers, 8))
    assert picture_psnr(found.picture, own_picture) > 30
    start = picture_psnr(to_uint8(styles.synthesize(styles.mean_latent[None]))[0], own_picture)
    assert picture_psnr(found.picture, own_picture) > start + 5
    assert [done for done, _, _ in seen] == list(range(1, found.steps + 1))
    assert {total for _, total, _ in seen} == {FREE["steps"]}
    assert seen[-1][2].shape == own_picture.shape


def test_the_same_seed_finds_the_same(styles, own_picture):
    found, again = (invert(styles, own_picture, InversionSettings(**(QUICK | {"steps": 10}))) for _ in range(2))
    torch.testing.assert_close(again.latent.w, found.latent.w)


def test_more_layers_come_nearer_to_what_the_generator_does_not_know(styles):
    foreign = np.random.default_rng(0).integers(0, 256, [2, 2, 3], np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    reached = [invert(styles, foreign, InversionSettings(space=space, **QUICK)).distance for space in ("w", "w+")]
    assert reached[1] < reached[0]


class Watched(PictureDistance):
    """Keeps how many pictures it was shown at once, and how fine."""

    shown: ClassVar[list[tuple[int, int | None]]] = []

    def __call__(self, pictures: torch.Tensor, target: torch.Tensor, *, finest: int | None = None) -> torch.Tensor:
        self.shown.append((len(pictures), finest))
        return super().__call__(pictures, target, finest=finest)


def test_all_starts_go_on_coarse_pixels_and_then_one_on_all(styles, own_picture):
    invert(styles, own_picture, InversionSettings(steps=20, starts=3, candidates=7), distance=Watched())
    assert Watched.shown == [(8, 8)] + 4 * [(3, 8)] + 16 * [(1, None)]


def test_the_best_candidates_are_starts(styles):
    far = to_uint8(styles.synthesize(3 * styles.map(torch.randn(1, 8))))[0]
    settings = {"steps": 1, "space": "w"}
    mean, best = (
        invert(styles, far, InversionSettings(starts=starts, candidates=64, **settings)).distance for starts in (1, 2)
    )
    assert best < mean


def test_closeness_keeps_layers_together(styles):
    foreign = np.random.default_rng(0).integers(0, 256, [2, 2, 3], np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    free, held = (
        invert(styles, foreign, InversionSettings(layer_closeness=weight, **QUICK)).latent.layers.square().mean()
        for weight in (0.0, 0.3)
    )
    assert held < free / 3


def test_noise_maps_are_found_too_and_stay_noise(styles, own_picture):
    for layer in styles.styled_layers():
        nn.init.constant_(layer.noise_strength, 0.3)
    found = invert(styles, own_picture, InversionSettings(noise=True, **QUICK))
    assert [len(one) for one in found.latent.noise_maps] == [1] * len(styles.styled_layers())
    for noise in found.latent.noise_maps:
        assert noise.mean().abs() < 1e-4
        assert 0.99 < noise.square().mean() < 1.01


def test_the_search_ends_early_where_nothing_comes_nearer(styles, own_picture):
    settings = InversionSettings(steps=4000, starts=1, candidates=0, patience=3)
    assert invert(styles, own_picture, settings).steps < 4000


def test_a_biggan_is_searched_in_z_with_the_class(styles):
    sizes = {"channels": (8, 8, 8, 8), "z_dim": 16, "shared_dim": 4, "num_classes": 3, "attention": ()}
    generator = build_image_generator("biggan", resolution=32, **sizes)
    picture = np.zeros([32, 32, 3], np.uint8)
    found = invert(generator, picture, InversionSettings(space="w", **QUICK), label=2)
    assert (found.latent.w.shape, found.latent.label) == ((16,), 2)
    with pytest.raises(InputError, match=f"there is no such class; given: {10**25}; allowed: 0 to 2"):
        invert(generator, picture, InversionSettings(space="w"), label=10**25)
    with pytest.raises(InputError, match="has classes, and no label"):
        invert(generator, picture, InversionSettings(space="w"))
    with pytest.raises(InputError, match=r"w\+ needs an image generator with layers"):
        invert(generator, picture, label=2)
    with pytest.raises(InputError, match="noise maps need a StyleGAN2"):
        invert(generator, picture, InversionSettings(space="w", noise=True), label=2)


class Brightness(nn.Module):
    """A network that sees nothing but the mean."""

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return (a.mean(dim=(1, 2, 3)) - b.mean(dim=(1, 2, 3))).square()


def test_networks_count_beside_pixels(styles, own_picture, tmp_path):
    torch.jit.script(Brightness()).save(str(tmp_path / "lpips.pt"))
    discriminator = StyleGAN2Discriminator(StyleGAN2Config(resolution=16, channels=(8, 8, 8), w_dim=8)).eval()
    perceptual = PerceptualDistance(tmp_path / "lpips.pt")
    dark, bright = torch.zeros(2, 3, 16, 16), torch.ones(1, 3, 16, 16)
    pixels = PictureDistance()(dark, bright)
    assert torch.equal(pixels, multi_scale_distance(dark, bright))
    assert torch.allclose(PictureDistance(perceptual=perceptual, feature_weight=2.0)(dark, bright), pixels + 2)
    both = PictureDistance(perceptual=perceptual, discriminator=discriminator)
    assert both(bright, bright).item() < 1e-6
    assert (both(dark, bright) > pixels + 1).all()
    assert both.name == "pixels at several sizes + LPIPS of lpips.pt + features of a discriminator"
    assert invert(styles, own_picture, InversionSettings(**(QUICK | {"steps": 5})), distance=both).steps == 5
    with pytest.raises(InputError, match="features are taken of a StyleGAN2's discriminator"):
        PictureDistance(discriminator=nn.Linear(2, 2))


def test_a_search_that_finds_nothing_says_so(pipe, broken_distance):
    clip = pipe.generate(num_frames=2).frames
    first = GivenLatent.of(pipe.content(seed=1).w, pipe.image_generator)
    with pytest.raises(InputError, match="no picture of the search is at a finite distance"):
        invert(pipe.image_generator, clip[0], InversionSettings(**QUICK), distance=broken_distance)
    with pytest.raises(InputError, match="no picture of the search is at a finite distance"):
        driving_motion(pipe, clip, first, distance=broken_distance)
    with pytest.raises(InputError, match="steps is out of range; given: 0"):
        driving_motion(pipe, clip, first, steps=0)


def test_coarse_scales_see_what_is_near(styles):
    point, near, far = torch.zeros(3, 1, 3, 32, 32)
    point[..., 8, 8], near[..., 9, 9], far[..., 28, 28] = 1, 1, 1
    assert (point - near).square().mean() == (point - far).square().mean()
    assert multi_scale_distance(point, near) < multi_scale_distance(point, far)


def test_a_given_latent_is_a_content(pipe, tmp_path):
    generator = pipe.image_generator
    w = pipe.content(seed=5).w
    np.testing.assert_array_equal(
        pipe.generate(latent=w, motion_seed=2, num_frames=4).frames, pipe.generate(seed=5, motion_seed=2, num_frames=4).frames
    )
    layers = torch.cat([w, pipe.content(seed=6).w]).repeat_interleave(generator.num_layers // 2, dim=0)
    clip = pipe.generate(latent=layers, motion_seed=2, num_frames=4).frames
    np.testing.assert_array_equal(clip[0], to_uint8(generator.synthesize(layers[None]))[0])
    assert np.abs(clip[0].astype(int) - clip[-1]).mean() > 1
    mix = StyleMix(seed=6, first=generator.num_layers // 2, last=generator.num_layers - 1)
    mixed = pipe.generate(latent=w.expand(generator.num_layers, -1), style_mix=mix, num_frames=1).frames
    assert np.abs(mixed.astype(int) - clip[:1]).max() <= 1
    given = invert(generator, clip[0], InversionSettings(**(QUICK | {"steps": 3}))).latent
    save_latent(given, tmp_path / "latent.safetensors")
    again = load_latent(tmp_path / "latent.safetensors")
    np.testing.assert_array_equal(*(pipe.generate(latent=one, num_frames=2).frames for one in (given, again)))
    with torch.no_grad():
        generator.mean_latent.add_(1)
    with pytest.raises(InputError, match="latent belongs to another image generator"):
        pipe.generate(latent=given)
