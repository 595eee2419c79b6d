"""Small networks."""

from collections.abc import Callable

import pytest
import torch

from latentreel.stylegan_v.config import StyleGANVConfig, StyleGANVDiscriminatorConfig
from latentreel.stylegan_v.discriminator import StyleGANVDiscriminator
from latentreel.stylegan_v.generator import StyleGANVGenerator

FRAMES = {"resolution": 16, "channels": (8, 8, 6), "mapping_layers": 2}
TIME = {"motion_dim": 6, "code_dim": 7, "motion_kernel": 3, "num_frequencies": 5, "max_period": 64.0}


@pytest.fixture
def build() -> Callable[..., StyleGANVGenerator]:
    """Builds a generator, all of whose parameters have an effect, as after training."""

    def build(**changes) -> StyleGANVGenerator:
        generator = StyleGANVGenerator(StyleGANVConfig(**(FRAMES | TIME | {"z_dim": 12, "w_dim": 10} | changes)))
        for name, parameter in generator.named_parameters():
            if name.endswith("bias") and "affine" not in name:
                torch.nn.init.normal_(parameter)
        return generator

    return build


@pytest.fixture
def build_judge() -> Callable[..., StyleGANVDiscriminator]:
    """Builds a discriminator."""
    sizes = FRAMES | {"max_frames": 24, "difference_dim": 4}
    return lambda **changes: StyleGANVDiscriminator(StyleGANVDiscriminatorConfig(**(sizes | changes)))
