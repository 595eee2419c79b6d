"""Small networks."""

from collections.abc import Callable

import pytest
import torch

from latentreel.image_generators.stylegan2.config import StyleGAN2Config
from latentreel.image_generators.stylegan2.generator import StyleGAN2Generator

SIZES = {"resolution": 16, "channels": (8, 8, 6), "z_dim": 12, "w_dim": 10, "mapping_layers": 2}


@pytest.fixture
def config() -> StyleGAN2Config:
    return StyleGAN2Config(**SIZES)


@pytest.fixture
def build() -> Callable[..., StyleGAN2Generator]:
    """Builds a generator, all of whose parameters have an effect, as after training."""

    def build(**changes) -> StyleGAN2Generator:
        generator = StyleGAN2Generator(StyleGAN2Config(**(SIZES | changes)))
        with torch.no_grad():
            for layer in generator.styled_layers():
                layer.noise_strength.fill_(0.3)
                layer.bias.normal_()
        return generator

    return build
