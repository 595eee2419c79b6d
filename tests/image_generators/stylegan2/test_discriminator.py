"""The discriminator: every variant judges and learns, R1 included."""

import itertools

import pytest
import torch

from latentreel.core.errors import InputError
from latentreel.image_generators.stylegan2.config import StyleGAN2Config
from latentreel.image_generators.stylegan2.discriminator import StyleGAN2Discriminator
from latentreel.losses.penalties import r1_penalty
from latentreel.nn.resample import downsample_reference

pytestmark = pytest.mark.usefixtures("fp32")
VARIANTS = ["skip", "resnet", "orig"]
SIZES = [(8, (4, 6)), (32, (8, 3, 7, 5))]


def build(architecture, resolution, channels):
    config = StyleGAN2Config(resolution=resolution, channels=channels, discriminator_architecture=architecture)
    return StyleGAN2Discriminator(config)


@pytest.mark.parametrize(("architecture", "size"), list(itertools.product(VARIANTS, SIZES)))
def test_every_variant_judges_and_every_parameter_learns(architecture, size):
    discriminator = build(architecture, *size)
    images = torch.randn(4, 3, size[0], size[0], requires_grad=True)
    logits = discriminator(images)
    assert logits.shape == (4, 1)
    assert logits.dtype == torch.float32
    (r1_penalty(logits, images) + logits.square().sum()).backward()
    idle = [name for name, p in discriminator.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]
    assert idle == []


def test_a_residual_block_is_the_plain_one_beside_its_shortcut():
    residual, plain = (build(architecture, 16, (4, 5, 6)).blocks[1] for architecture in ("resnet", "orig"))
    plain.load_state_dict({key: tensor for key, tensor in residual.state_dict().items() if not key.startswith("shortcut")})
    x = torch.randn(2, 5, 8, 8)
    small = downsample_reference(x)
    shortcut = torch.einsum("nihw,oi->nohw", small, residual.shortcut.weight[:, :, 0, 0] / 5**0.5)
    expected = (plain(x, x)[0] + shortcut) / 2**0.5
    assert torch.allclose(residual(x, x)[0], expected, atol=1e-5)


@pytest.mark.parametrize("architecture", VARIANTS)
def test_bf16_learns_the_same_r1_included(gradient_errors, architecture):
    discriminator = build(architecture, 32, (24, 24, 16, 16))
    images = torch.randn(8, 3, 32, 32, requires_grad=True)
    weights = [p for name, p in discriminator.named_parameters() if name.endswith("weight")]
    first = gradient_errors(lambda: discriminator(images).square().mean(), weights)
    second = gradient_errors(lambda: r1_penalty(discriminator(images), images), weights)
    assert max(first + second) < 0.3, (first, second)  # roundings come to 0.15, a wrong gradient to 1


def test_a_sample_is_judged_beside_its_group():
    discriminator, images = build("resnet", 8, (4, 6)), torch.randn(8, 3, 8, 8)
    before = discriminator(images)
    images[6] = images[6] * 3  # in a group with 0, 2 and 4: a quarter of the batch apart
    changed = ~torch.isclose(discriminator(images), before, atol=1e-6).flatten()
    assert changed.tolist() == [True, False] * 4


def test_images_of_another_size_are_refused():
    with pytest.raises(InputError, match=r"given: \[2, 3, 16, 16\]; allowed: \[N, 3, H=8, W=8\]"):
        build("resnet", 8, (4, 6))(torch.randn(2, 3, 16, 16))
