"""The mapping network sees the direction of z, not its length."""

import torch

from latentreel.nn.mapping_network import MappingNetwork, normalize


def test_the_length_of_z_does_not_matter_but_its_direction_does():
    mapping, z = MappingNetwork(z_dim=8, w_dim=6, num_layers=3), torch.randn(4, 8)
    w = mapping(z)
    assert w.shape == (4, 6)
    assert torch.allclose(mapping(z * 3), w, atol=1e-5)
    assert not torch.allclose(mapping(-z), w, atol=1e-2)
    assert torch.allclose(normalize(z * 100).square().mean(dim=1), torch.ones(4))


def test_it_works_in_float32_whatever_comes_in():
    mapping = MappingNetwork(z_dim=8, w_dim=6, num_layers=3)
    assert mapping(torch.randn(2, 8, dtype=torch.float16)).dtype == torch.float32
    assert torch.isfinite(mapping(torch.zeros(1, 8))).all()
