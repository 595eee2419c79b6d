"""Spectral norm divides by the largest singular value, changes nothing that is stored, and never uses a stale value."""

import copy
import pickle

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from latentreel.nn.spectral_norm import NormedConv2d, NormedLinear, SpectralConv2d, SpectralLinear, largest_singular_value


@pytest.fixture
def layer():
    return SpectralLinear(5, 4).requires_grad_(False)


def plain(layer, x):
    """The layer without anything remembered."""
    return F.linear(x, layer.weight / largest_singular_value(layer.weight, layer.u0), layer.bias)


def test_one_power_iteration_is_what_the_formula_says():
    weight, u0 = torch.randn(4, 3, 3, 3), torch.randn(1, 4)
    matrix = weight.reshape(4, 27)
    v = u0 @ matrix / (u0 @ matrix).norm()
    u = v @ matrix.T / (v @ matrix.T).norm()
    assert torch.allclose(largest_singular_value(weight, u0), (v @ matrix.T @ u.T).squeeze())


def test_from_the_singular_vector_the_value_is_exact():
    weight = torch.randn(6, 8)
    left, values, _ = torch.linalg.svd(weight)
    assert torch.allclose(largest_singular_value(weight, left[:, :1].T), values[0])
    assert largest_singular_value(weight, torch.randn(1, 6)) <= values[0] + 1e-5


def test_layers_apply_the_divided_weight_and_their_bias(layer):
    x = torch.randn(2, 5)
    layer.bias.normal_()
    assert torch.allclose(layer(x), plain(layer, x))
    conv, x = SpectralConv2d(3, 4, 3, bias=False), torch.randn(2, 3, 6, 5)
    sigma = largest_singular_value(conv.weight, conv.u0)
    assert torch.allclose(conv(x), F.conv2d(x, conv.weight / sigma, padding=1), atol=1e-6)


def test_without_spectral_norm_the_weight_is_taken_as_it_is():
    layer, x = SpectralLinear(5, 4, bias=False, spectral=False), torch.randn(2, 5)
    assert set(layer.state_dict()) == {"weight"}
    assert torch.equal(layer(x), F.linear(x, layer.weight))


def test_nothing_stored_changes_not_even_in_training_mode(layer):
    before = copy.deepcopy(layer.state_dict())
    layer.train()
    first = layer(torch.ones(1, 5))
    assert torch.equal(layer(torch.ones(1, 5)), first)
    assert set(before) == {"weight", "bias", "u0", "sv0"}
    assert layer.state_dict().keys() == before.keys()
    assert all(torch.equal(layer.state_dict()[key], tensor) for key, tensor in before.items())


def write_in_place(layer):
    layer.weight.mul_(torch.arange(1.0, 6.0))


def write_u0_in_place(layer):
    layer.u0.copy_(F.normalize(torch.randn(1, 4)))


def load(layer):
    layer.load_state_dict(SpectralLinear(5, 4).state_dict())


def load_by_assignment(layer):
    layer.load_state_dict(SpectralLinear(5, 4).state_dict(), assign=True)


def replace(layer):
    layer.weight = torch.nn.Parameter(torch.randn(4, 5), requires_grad=False)


def round_to_half(layer):
    layer.weight.mul_(1e-7)  # too small for the half format: what comes back is another matrix
    layer(torch.ones(1, 5))
    layer.half().float()


@pytest.mark.parametrize("change", [write_in_place, write_u0_in_place, load, load_by_assignment, replace, round_to_half])
def test_a_changed_weight_is_measured_anew(layer, change):
    x = torch.randn(2, 5)
    before = layer(x)
    change(layer)
    assert torch.allclose(layer(x), plain(layer, x))
    assert not torch.allclose(layer(x), before)


@pytest.mark.parametrize("again", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
def test_a_copy_stands_on_its_own(layer, again):
    x = torch.randn(2, 5)
    before = layer(x)
    other = again(layer)
    assert torch.equal(other(x), before)
    other.weight.mul_(torch.arange(1.0, 6.0))
    assert torch.allclose(other(x), plain(other, x))
    assert torch.equal(layer(x), before)


def test_what_inference_mode_has_seen_serves_a_backward_pass(layer):
    with torch.inference_mode():
        layer(torch.randn(1, 5))
    x = torch.randn(2, 5, requires_grad=True)
    (gradient,) = torch.autograd.grad(layer(x).sum(), x)
    assert torch.allclose(gradient, layer.normalized_weight(torch.float32).sum(dim=0).expand(2, -1))


def test_a_layer_made_in_inference_mode_works():
    with torch.inference_mode():
        layer, x = SpectralLinear(5, 4), torch.randn(2, 5)
        assert torch.allclose(layer(x), plain(layer, x))


def test_the_gradient_reaches_a_weight_that_wants_it_with_u_and_v_held():
    layer, x = SpectralLinear(5, 4).requires_grad_(True), torch.randn(2, 5)
    with torch.no_grad():
        layer(x)  # what is remembered here must not cut the graph below
    layer(x).square().sum().backward()
    assert layer.weight.grad.abs().sum() > 0
    assert abs((layer.weight.grad * layer.weight).sum()) < 1e-4  # the result does not depend on the weight's length


def test_the_activations_decide_the_precision_and_sigma_is_found_in_float32(layer):
    x = torch.randn(2, 5)
    assert layer(x.bfloat16()).dtype == torch.bfloat16
    assert torch.allclose(layer(x.bfloat16()).float(), layer(x), atol=0.05)


def test_a_weight_of_zeros_stays_zero(layer):
    layer.weight.zero_()
    assert torch.equal(layer.normalized_weight(torch.float32), torch.zeros(4, 5))


@pytest.mark.parametrize("convolution", [True, False])
def test_normed_layers_learn_as_pytorchs_do(convolution):
    """Values, gradients and vectors over steps of training, then in evaluation; all in double precision."""
    if convolution:
        ours, theirs = NormedConv2d(3, 5, 3), spectral_norm(nn.Conv2d(3, 5, 3, padding=1))
    else:
        ours, theirs = NormedLinear(6, 5), spectral_norm(nn.Linear(6, 5))
    ours, theirs = ours.double(), theirs.double()
    norm = theirs.parametrizations.weight
    with torch.no_grad():
        for mine, other in ((norm.original, ours.weight), (theirs.bias, ours.bias), (norm[0]._u, ours.u), (norm[0]._v, ours.v)):
            mine.copy_(other)
    x = torch.randn(4, 3, 7, 7, dtype=torch.float64) if convolution else torch.randn(4, 6, dtype=torch.float64)
    optimizers = [torch.optim.SGD(layer.parameters(), lr=0.3) for layer in (ours, theirs)]
    for _ in range(4):
        values = [layer(x) for layer in (ours, theirs)]
        torch.testing.assert_close(*values)
        for value, optimizer in zip(values, optimizers, strict=True):
            optimizer.zero_grad()
            value.sin().sum().backward()
        torch.testing.assert_close(ours.weight.grad, norm.original.grad)
        for optimizer in optimizers:
            optimizer.step()
    torch.testing.assert_close(ours.u, norm[0]._u)
    before = ours.u.clone()
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(x))
    assert torch.equal(ours.u, before)
