"""Patch networks: the layers of Tab. 6, and gradients that can be trusted in bf16 too (see the comment on padding there)."""

import pytest
import torch
import torch.nn.functional as F

from latentreel.losses.penalties import mixture_gradient_penalty
from latentreel.nn.patch_network import MultiScalePatchDiscriminator, PatchNetwork, shrink_to

# D_V's inputs: in-domain 6 channels and T - 1 = 15 frames, cross-domain 3 and T = 16; then clips shorter than the kernel.
CLIPS = [(6, 15), (3, 16), (3, 3), (6, 2), (3, 1)]


def reference(network: PatchNetwork, x):
    """Tab. 6 with PyTorch's own padding; right in float32."""
    convolve = F.conv2d if network.axes == 2 else F.conv3d
    for index, layer in enumerate(network.layers):
        x = convolve(x, layer.weight, layer.bias, stride=(2, 2, 2, 1, 1)[index], padding=2)
        x = F.instance_norm(x) if index in (1, 2, 3) else x
        x = F.leaky_relu(x, 0.2) if index < 4 else x
    return x


@pytest.mark.usefixtures("fp32")
@pytest.mark.parametrize(("axes", "shape"), [(3, (2, 6, 15, 17, 32)), (3, (2, 3, 2, 16, 16)), (2, (2, 6, 32, 48))])
def test_it_is_table_6(assert_same_derivatives, axes, shape):
    network = PatchNetwork(axes=axes, in_channels=shape[1], base_width=4)
    assert [layer.weight.shape[0] for layer in network.layers] == [4, 8, 16, 32, 1]
    with torch.no_grad():
        for layer in network.layers:
            layer.weight *= 10  # so that nothing is lost beside the norm's epsilon
    # Order 1 here: second-order parity is a matter of float64, and the network computes in float32.
    assert_same_derivatives(network, lambda x: reference(network, x), torch.randn(shape), order=1)


@pytest.mark.parametrize("second_order", [False, True], ids=["first order", "gradient penalty"])
@pytest.mark.parametrize(("channels", "frames"), CLIPS)
@pytest.mark.parametrize(("base_width", "size"), [(8, 64), (64, 16)], ids=["narrow", "full width"])
def test_bf16_weight_gradients_are_right_in_every_layer(gradient_errors, base_width, size, channels, frames, second_order):
    """Where PyTorch's bf16 Conv3d goes wrong, errors are 0.8 and more (0.5 in the penalty); roundings come to 0.1 (0.3)."""
    network = PatchNetwork(axes=3, in_channels=channels, base_width=base_width)
    x = torch.randn(2, channels, frames, size, size)

    def penalty():
        return mixture_gradient_penalty(lambda mixture: [network(mixture)], x, x.flip(0), torch.tensor([0.3, 0.3]))

    def form():
        logits = network(x)
        return (logits * torch.randn(logits.shape, generator=torch.Generator().manual_seed(0))).sum()

    weights = [layer.weight for layer in network.layers]
    errors = gradient_errors(penalty if second_order else form, weights)
    assert max(errors) < (0.4 if second_order else 0.2), errors


@pytest.mark.parametrize("base_width", [8, 64])
def test_bf16_gradients_are_right_in_two_dimensions(gradient_errors, base_width):
    network = PatchNetwork(axes=2, in_channels=6, base_width=base_width)
    x = torch.randn(4, 6, 64, 64, requires_grad=True)
    inputs = [x, *(layer.weight for layer in network.layers)]
    assert max(gradient_errors(lambda: network(x).square().sum(), inputs)) < 0.2


@pytest.mark.usefixtures("fp32")
@pytest.mark.parametrize(("frames", "halved"), [(16, 16), (17, 9)])
def test_the_second_scale_sees_half_the_size_and_beyond_16_frames_half_the_time(frames, halved):
    discriminator = MultiScalePatchDiscriminator(axes=3, in_channels=3, base_width=2)
    x = torch.randn(1, 3, frames, 16, 16)
    assert discriminator.shrink(x).shape == (1, 3, halved, 8, 8)
    assert torch.allclose(discriminator.shrink(torch.ones_like(x)), torch.tensor(1.0))  # padding is not counted
    full, half = discriminator(x)
    assert torch.equal(full, discriminator.scales[0](x))
    assert torch.equal(half, discriminator.scales[1](discriminator.shrink(x)))


def test_only_what_is_larger_is_shrunk():
    x = torch.randn(2, 3, 5, 256, 256)
    assert torch.allclose(shrink_to(x, 128)[..., 0, 0], x[..., :2, :2].mean(dim=(-2, -1)), atol=1e-6)
    assert shrink_to(x, 128).shape == (2, 3, 5, 128, 128)
    assert shrink_to(x[..., :64, :64], 128).shape == (2, 3, 5, 64, 64)
