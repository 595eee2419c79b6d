"""Small networks."""

from collections.abc import Callable

import pytest

from latentreel.image_generators.biggan.config import BigGANConfig
from latentreel.image_generators.biggan.generator import BigGANGenerator, StoredNorm

SIZES = {"resolution": 32, "channels": (12, 10, 8, 8), "z_dim": 16, "num_classes": 3, "shared_dim": 6, "attention": (16,)}
VARIANTS = {
    "hierarchical": {},
    "flat": {"hierarchical": False, "z_dim": 7},
    "tables": {"hierarchical": False, "shared_dim": 0, "z_dim": 7},
    "without attention": {"attention": ()},
    "attention twice": {"attention": (8, 32)},
    "without spectral norm": {"spectral_norm": False},
    "one class": {"num_classes": 1},
    "flat, one class": {"hierarchical": False, "num_classes": 1},
}


@pytest.fixture
def build() -> Callable[..., BigGANGenerator]:
    """Builds a frozen generator, all of whose tensors have an effect, as after training."""

    def build(**changes) -> BigGANGenerator:
        generator = BigGANGenerator(BigGANConfig(**(SIZES | changes))).eval().requires_grad_(False)
        for module in generator.modules():
            if isinstance(module, StoredNorm):
                module.stored_mean.normal_()
                module.stored_var.uniform_(0.5, 1.5)
        for name, parameter in generator.named_parameters():
            if name.endswith(("bias", "gamma")) and "output_norm" not in name:
                parameter.normal_(std=0.3)
        return generator

    return build


@pytest.fixture(params=VARIANTS)
def variant(request) -> dict:
    """The fields by which each variant differs."""
    return VARIANTS[request.param]
