"""A seed is a content, whoever stands beside it."""

import pytest
import torch

from latentreel.core.errors import InputError
from latentreel.image_generators.build import build_image_generator
from latentreel.sampling.latents import content_latents


@pytest.fixture
def generator():
    generator = build_image_generator("stylegan2", resolution=8, channels=(4, 4), z_dim=7, w_dim=6, mapping_layers=2)
    generator.mean_latent.normal_()
    return generator


def test_a_latent_depends_on_its_seed_alone(generator):
    together = content_latents(generator, [3, 1, 3, 2**40])
    assert together.shape == (4, 6)
    torch.testing.assert_close(together[2], together[0])
    torch.testing.assert_close(content_latents(generator, [1]), together[1:2])
    assert torch.pdist(together[[0, 1, 3]]).min() > 0.01


def test_truncation_moves_it_along_the_line_to_the_mean(generator):
    (full,), (half,), (none,) = (content_latents(generator, [5], truncation=t) for t in (1.0, 0.5, 0.0))
    torch.testing.assert_close(none, generator.mean_latent)
    torch.testing.assert_close(half, (full + generator.mean_latent) / 2)


@pytest.mark.parametrize("truncation", [-0.01, 2.01, float("nan")])
def test_truncation_has_a_range(generator, truncation):
    with pytest.raises(InputError, match=r"truncation is out of range.*allowed: 0 to 2"):
        content_latents(generator, [0], truncation=truncation)
