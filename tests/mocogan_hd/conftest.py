"""A basis and a motion generator, small."""

import pytest
import torch

from latentreel.mocogan_hd.latent_basis import LatentBasis
from latentreel.mocogan_hd.motion_generator import MotionGenerator

D, K, HIDDEN = 10, 7, 8


@pytest.fixture
def basis() -> LatentBasis:
    components = torch.linalg.qr(torch.randn(D, K))[0].T
    stdev = torch.linspace(3, 0.1, K)
    return LatentBasis(components, stdev, torch.randn(D), stdev.square() / stdev.square().sum())


@pytest.fixture
def motion(basis) -> MotionGenerator:
    """With coefficients far from zero, as after training."""
    motion = MotionGenerator(basis=basis, latent_dim=D, hidden_dim=HIDDEN, step_size=0.3)
    torch.nn.init.normal_(motion.to_components.weight, std=3)
    return motion
