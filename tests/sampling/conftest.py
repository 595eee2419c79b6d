"""A motion generator, small, whose steps can be seen."""

import pytest
import torch

from latentreel.mocogan_hd.latent_basis import LatentBasis
from latentreel.mocogan_hd.motion_generator import MotionGenerator


@pytest.fixture
def motion() -> MotionGenerator:
    basis = LatentBasis(torch.linalg.qr(torch.randn(6, 4))[0].T, torch.rand(4) + 1, torch.randn(6), torch.rand(4))
    motion = MotionGenerator(basis=basis, latent_dim=6, hidden_dim=5, step_size=0.5)
    torch.nn.init.normal_(motion.to_components.weight, std=3)
    return motion
