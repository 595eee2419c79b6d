"""A clip is the image generator applied to each latent; its weights stay as they are, motion learns through it."""

import pytest
import torch

from latentreel.core.errors import InputError
from latentreel.image_generators.build import build_image_generator
from latentreel.image_generators.stylegan2.config import StyleGAN2Config
from latentreel.image_generators.stylegan2.generator import StyleGAN2Generator
from latentreel.mocogan_hd.video_generator import VideoGenerator, graph_bytes, render

pytestmark = pytest.mark.usefixtures("fp32")
SIZES = {"resolution": 8, "channels": (6, 5), "z_dim": 4, "mapping_layers": 1}


@pytest.fixture
def image_generator():
    generator = StyleGAN2Generator(StyleGAN2Config(w_dim=10, **SIZES))
    for layer in generator.styled_layers():
        torch.nn.init.constant_(layer.noise_strength, 0.5)
    return generator


def test_every_frame_is_the_picture_of_its_latent(image_generator, motion):
    generator = VideoGenerator(image_generator, motion)
    w, noise = torch.randn(2, 10), torch.randn(2, 4, 10)
    for image_noise in ("none", "fixed"):
        clips, trajectory = generator(w, noise, image_noise)
        assert clips.shape == (2, 5, 3, 8, 8)
        for t in range(5):
            frames = image_generator.synthesize(trajectory.latents[:, t], noise=image_noise)
            assert torch.allclose(clips[:, t], frames, atol=1e-4)
    still = render(image_generator, w[:, None].expand(-1, 3, -1), "fixed")
    assert torch.allclose(still[:, :1].expand_as(still), still, atol=1e-5)  # nothing flickers


def test_motion_learns_and_the_image_generator_does_not(image_generator, motion):
    generator = VideoGenerator(image_generator, motion)
    clips, _ = generator(torch.randn(2, 10), torch.randn(2, 4, 10))
    clips[:, -1].square().sum().backward()
    assert all(p.grad is None for p in image_generator.parameters())
    assert motion.encoder.weight_ih.grad.abs().max() > 0


def test_a_motion_generator_of_other_latents_is_refused(motion):
    with pytest.raises(InputError, match=r"the basis has the wrong shape.*D=12"):
        VideoGenerator(StyleGAN2Generator(StyleGAN2Config(w_dim=12, **SIZES)), motion)


@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("frames_at_once", [1, 4, 7, 100])
@pytest.mark.parametrize("largest", [None, 4])
def test_frames_in_groups_have_the_values_and_gradients_of_frames_together(
    image_generator, motion, frames_at_once, largest, recompute
):
    generator = VideoGenerator(image_generator, motion)
    w, noise, pixels = torch.randn(2, 10), torch.randn(2, 4, 10), torch.randn(2, 5, 3, largest or 8, largest or 8)
    results = []
    for group in (0, frames_at_once):
        motion.zero_grad()
        image_generator.recompute = recompute and group > 0
        clips, _ = generator(w, noise, "fixed", frames_at_once=group, largest=largest)
        (clips * pixels).sum().backward()
        results.append((clips.detach(), {name: p.grad for name, p in motion.named_parameters() if p.grad is not None}))
    (together, expected), (grouped, found) = results
    assert grouped.shape == pixels.shape
    torch.testing.assert_close(grouped, together, rtol=1e-5, atol=1e-5)
    assert expected.keys() == found.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-4, atol=1e-5 * gradient.abs().max().item(), msg=name)


def test_the_graph_of_a_frame_is_weighed(image_generator):
    """Three frames keep three times as much as one, and the weights no more than once."""
    one = graph_bytes(image_generator)
    features = sum(2 * channels * size**2 for channels, size in zip(SIZES["channels"], (4, 8), strict=True))
    assert 4 * features < one < 40 * features  # float32, a few tensors a layer
    biggan = build_image_generator("biggan", resolution=32, base_width=4, num_classes=3, shared_dim=4, z_dim=16)
    assert graph_bytes(biggan) > 4 * 3 * 32 * 32
    whole = graph_bytes(image_generator)
    image_generator.recompute = True
    assert graph_bytes(image_generator) < whole / 2
