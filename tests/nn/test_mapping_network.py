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


def test_labels_stand_beside_z_each_of_unit_length():
    """StyleGAN2-ADA's conditional mapping, spelt out: both halves normalised, then layers of gain 0.01 / sqrt(fan in)."""
    mapping, z = MappingNetwork(z_dim=8, w_dim=6, num_layers=2, condition_dim=3), torch.randn(4, 8)
    labels = torch.nn.functional.one_hot(torch.tensor([0, 2, 1, 2]), 3).float()
    torch.nn.init.normal_(mapping.embed.bias)
    x = labels @ mapping.embed.weight.T / 3**0.5 + mapping.embed.bias
    x = torch.cat([part / part.square().mean(dim=1, keepdim=True).sqrt() for part in (z, x)], dim=1)
    for layer in mapping.layers:
        x = torch.nn.functional.leaky_relu(x @ layer.weight.T * 0.01 / x.shape[1] ** 0.5 + layer.bias * 0.01, 0.2) * 2**0.5
    assert torch.allclose(mapping(z, labels), x, atol=1e-5)
    alone = MappingNetwork(z_dim=0, w_dim=6, num_layers=2, condition_dim=3)(None, labels)
    assert torch.equal(alone[1], alone[3])
