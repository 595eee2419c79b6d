"""Self-attention: the same as its formula written out, and nothing at all where gamma is 0."""

import pytest
import torch
import torch.nn.functional as F

from latentreel.nn.attention import SelfAttention


@pytest.fixture
def attention():
    block = SelfAttention(16).requires_grad_(False)
    block.gamma.fill_(0.7)
    return block


def reference(block, x):
    """SAGAN, Eq. 1-3, one position at a time in the open."""
    queries, keys, values = block.theta(x), F.max_pool2d(block.phi(x), 2), F.max_pool2d(block.g(x), 2)
    weights = torch.einsum("nchw,ncij->nhwij", queries, keys).flatten(3).softmax(dim=3)
    mixed = torch.einsum("nhwk,nck->nchw", weights, values.flatten(2))
    return block.gamma * block.o(mixed) + x


@pytest.mark.parametrize("shape", [(2, 16, 8, 8), (1, 16, 6, 4)])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_it_computes_the_formula(attention, shape, memory_format):
    x = torch.randn(shape).to(memory_format=memory_format)
    found = attention(x)
    assert torch.allclose(found, reference(attention, x), atol=1e-5)
    assert (found - x).abs().max() > 0.01


def test_gradients_are_those_of_the_formula(attention):
    x, weights = torch.randn(2, 16, 8, 8, requires_grad=True), torch.randn(2, 16, 8, 8)
    found, expected = (torch.autograd.grad((run * weights).sum(), x)[0] for run in (attention(x), reference(attention, x)))
    assert torch.allclose(found, expected, atol=1e-5)


def test_a_fresh_block_changes_nothing():
    x = torch.randn(2, 16, 8, 8)
    assert torch.equal(SelfAttention(16)(x), x)


def test_half_precision_is_kept_and_close(attention):
    x = torch.randn(2, 16, 8, 8)
    found = attention(x.bfloat16())
    assert found.dtype == torch.bfloat16
    assert (found.float() - attention(x)).abs().max() < 0.05


def test_channels_are_an_eighth_for_queries_and_keys_and_half_for_values(attention):
    shapes = {name: tuple(layer.weight.shape[:2]) for name, layer in attention.named_children()}
    assert shapes == {"theta": (2, 16), "phi": (2, 16), "g": (8, 16), "o": (16, 8)}
