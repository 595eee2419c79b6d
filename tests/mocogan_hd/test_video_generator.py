"""A clip is the image generator applied to each latent; its weights stay as they are, motion learns through it."""

import pytest
import torch

from latentreel.core.errors import InputError
from latentreel.image_generators.stylegan2.config import StyleGAN2Config
from latentreel.image_generators.stylegan2.generator import StyleGAN2Generator
from latentreel.mocogan_hd.video_generator import VideoGenerator, render

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
