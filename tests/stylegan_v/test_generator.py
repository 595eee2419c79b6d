"""The generator: frames at any time, the same whatever else is drawn, and every parameter learns."""

import pytest
import torch

from latentreel.core.errors import InputError
from latentreel.stylegan_v.motion_codes import motion_noise

pytestmark = pytest.mark.usefixtures("fp32")


def draw(generator, w, seeds, t, **more):
    window = generator.motion.window(t)
    noise = motion_noise(seeds, window, generator.config.motion_dim)
    return generator.synthesize(w, motion_z=noise, t=t, first_anchor=window.first, **more)


@pytest.mark.parametrize(
    "sizes", [{}, {"architecture": "resnet", "conv_clamp": 256.0}, {"num_classes": 2, "motion_sees_class": True}]
)
def test_clips_are_drawn_and_every_parameter_learns(build, sizes):
    generator = build(**sizes)
    labels = torch.tensor([0, 1, 1]) if generator.num_classes else None
    video = generator(torch.randn(3, 12), torch.randn(3, 9, 6), torch.rand(3, 4) * 60, labels)
    assert video.shape == (3, 4, 3, 16, 16)
    assert video.dtype == torch.float32
    (video * torch.randn_like(video)).sum().backward()
    idle = [name for name, p in generator.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]
    assert idle == []


@torch.no_grad()
def test_a_frame_is_the_same_whatever_is_drawn_with_it(build):
    generator, w = build(), torch.randn(2, 10)
    t = torch.rand(2, 12, dtype=torch.float64) * 100
    together, grouped = draw(generator, w, [0, 1], t), draw(generator, w, [0, 1], t, frames_at_once=1)
    scale = together.abs().max()
    assert (grouped - together).abs().max() <= 3e-6 * scale
    for chunk in (1, 5):
        parts = [(w, some) for some in t.split(chunk, dim=1)]
        alone = torch.cat([draw(generator, w, [0, 1], some) for w, some in parts], dim=1)
        assert (alone - together).abs().max() <= 3e-6 * scale  # rounding, which depends on the size of a batch
        alone = torch.cat([draw(generator, w, [0, 1], some, frames_at_once=1) for w, some in parts], dim=1)
        assert torch.equal(alone, grouped)


def test_content_stays_and_motion_moves(build):
    generator, t = build(), torch.tensor([[0.0, 7.5]]).expand(3, 2)
    w = torch.randn(2, 10)[[0, 0, 1]]
    video = draw(generator, w, [0, 1, 0], t)
    assert not torch.allclose(video[0, 0], video[0, 1], atol=1e-3)
    assert not torch.allclose(video[0], video[1], atol=1e-3)
    assert not torch.allclose(video[0], video[2], atol=1e-3)
    per_layer = w[:, None].repeat(1, generator.num_layers, 1)
    assert torch.allclose(draw(generator, per_layer, [0, 1, 0], t), video, atol=1e-5)


def test_the_same_clip_at_two_frame_rates_agrees_at_shared_times(build):
    generator, w = build(), torch.randn(1, 10)
    slow, fast = (draw(generator, w, [0], torch.arange(0, 40, step)[None]) for step in (2.0, 0.5))
    assert torch.allclose(fast[:, ::4], slow, atol=1e-5)
    backwards = draw(generator, w, [0], torch.arange(0, 40, 2.0).flip(0)[None])
    assert torch.allclose(backwards.flip(1), slow, atol=1e-5)


def test_what_does_not_fit_is_refused(build):
    generator, t = build(), torch.zeros(2, 1)
    with pytest.raises(InputError, match="w has the wrong shape"):
        generator.synthesize(torch.randn(2, 9), motion_z=torch.randn(2, 7, 6), t=t)
    with pytest.raises(InputError, match="of different clips; given: 1 and 2"):
        generator.synthesize(torch.randn(1, 10), motion_z=torch.randn(2, 7, 6), t=t)
    with pytest.raises(InputError, match="frames_at_once is out of range; given: -1"):
        generator.synthesize(torch.randn(2, 10), motion_z=torch.randn(2, 7, 6), t=t, frames_at_once=-1)
    with pytest.raises(InputError, match="no times to draw"):
        generator.motion.window(t[:, :0])
    with pytest.raises(InputError, match="without classes"):
        generator.synthesize(torch.randn(2, 10), motion_z=torch.randn(2, 7, 6), t=t, labels=torch.zeros(2, dtype=torch.long))
    with pytest.raises(InputError, match="no label was given"):
        build(num_classes=2).synthesize(torch.randn(2, 10), motion_z=torch.randn(2, 7, 6), t=t)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"anchor_distance": 0}, "anchor_distance is out of range; given: 0"),
        ({"min_period": 65.0}, "no waves have such periods"),
        ({"fps": 0.0}, "fps is out of range"),
        ({"motion_sees_class": True}, "without classes"),
    ],
)
def test_sizes_that_cannot_be_are_refused(build, changes, problem):
    with pytest.raises(InputError, match=problem):
        build(**changes)
