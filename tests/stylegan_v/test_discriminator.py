"""The discriminator: it sees every frame, their order, the times between them, and the class."""

import pytest
import torch

from latentreel.core.errors import InputError
from latentreel.losses.penalties import r1_penalty

T = torch.tensor([[0.0, 4.0, 9.0], [1.0, 3.0, 20.0]])


@pytest.mark.parametrize(
    "sizes",
    [
        {},
        {"discriminator_architecture": "orig", "join_divisor": 3, "num_classes": 2},
        {"resolution": 32, "channels": (4, 5, 6, 3), "join_resolution": 8, "clip_frames": 2},
    ],
)
def test_clips_are_judged_and_every_parameter_learns(build_judge, sizes, fp32):
    judge = build_judge(**sizes)
    config = judge.config
    labels = torch.tensor([0, 1]) if config.num_classes else None
    video = torch.randn(2, config.clip_frames, 3, config.resolution, config.resolution, requires_grad=True)
    logits = judge(video, T[:, : config.clip_frames], labels)
    assert logits.shape == (2,)
    assert logits.dtype == torch.float32
    (r1_penalty(logits, video) + logits.square().sum()).backward()
    idle = [name for name, p in judge.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]
    assert idle == []


def test_differences_of_time_matter_and_nothing_else_of_it(build_judge, fp32):
    judge, video = build_judge(), torch.randn(2, 3, 3, 16, 16)
    logits = judge(video, T)
    assert torch.allclose(judge(video, T + 100.5), logits, atol=1e-6)
    assert not torch.allclose(judge(video, T * 1.1), logits, atol=1e-5)
    assert not torch.allclose(judge(video[:, [1, 0, 2]], T), logits, atol=1e-5)
    for frame in range(3):
        changed = video.clone()
        changed[:, frame] += 1
        assert not torch.allclose(judge(changed, T), logits, atol=1e-5)


def test_the_class_matters(build_judge, fp32):
    judge, video = build_judge(num_classes=3), torch.randn(2, 3, 3, 16, 16)
    assert not torch.allclose(judge(video, T, torch.tensor([0, 1])), judge(video, T, torch.tensor([2, 1])), atol=1e-6)


def test_what_does_not_fit_is_refused(build_judge):
    judge, video = build_judge(), torch.randn(2, 3, 3, 16, 16)
    for times, problem in {(0.0, 3.0, 2.0): "given: -1.0", (0.0, 1.0, 25.0): "given: 24.0; allowed: 0 to 23 frames"}.items():
        with pytest.raises(InputError, match=f"out of range; {problem}"):
            judge(video, torch.tensor([times, times]))
    with pytest.raises(InputError, match=r"video has the wrong shape; given: \[2, 2, 3, 16, 16\]"):
        judge(video[:, :2], T)
    for changes, problem in {
        ("resolution", 8): "does not fit StyleGAN-V",
        ("join_resolution", 16): "cannot be joined at this size; given: 16; allowed: 8",
        ("join_divisor", 9): "too little of a frame",
        ("clip_frames", 1): "a clip has several frames",
        ("discriminator_architecture", "skip"): "no such variant",
    }.items():
        with pytest.raises(InputError, match=problem):
            build_judge(**dict([changes]) | ({"channels": (8, 8)} if changes[1] == 8 else {}))
