"""The networks that ship: every clip by itself, and what spoils clips costs."""

import json

import numpy as np
import pytest
import torch

from latentreel.core.errors import InputError
from latentreel.metrics.extractors.worlds import SHIPPED, WEIGHTS, ClipNetwork, open_worlds_clips, open_worlds_frames
from latentreel.metrics.frechet_distance import frechet_distance
from latentreel.metrics.moments import Moments
from latentreel.worlds.registry import open_world


@pytest.fixture(scope="module")
def clips():
    world = open_world("faces", resolution=64, num_frames=16, seed=99)
    return torch.from_numpy(np.stack([world.video(index).video.frames for index in range(48)]))


@pytest.mark.parametrize("open_extractor", [open_worlds_clips, open_worlds_frames])
def test_a_clip_is_seen_by_itself(open_extractor, clips):
    extractor = open_extractor()
    together, alone = extractor(clips[:3]).features, extractor(clips[1:2]).features
    torch.testing.assert_close(together.chunk(3)[1], alone, rtol=1e-3, atol=1e-3)
    assert together.shape[0] == (3 if extractor.looks_at == "clips" else 48)
    with pytest.raises(InputError, match="clips have the wrong number format"):
        extractor(clips.float())


def test_spoiled_clips_are_further_from_real_ones(clips):
    extractor, real, other = open_worlds_clips(), clips[:24], clips[24:]
    noise = torch.randint(-60, 61, other.shape, generator=torch.Generator().manual_seed(0))
    order = torch.randperm(16, generator=torch.Generator().manual_seed(1))
    kinds = {
        "other": other,
        "frozen": other[:, :1].expand_as(other),
        "held": other[:, torch.arange(16) // 4 * 4],
        "order": other[:, order],
        "noise": (other + noise).clamp(0, 255).to(torch.uint8),
        "dealt": torch.stack([other[(first + torch.arange(16)) % 24, torch.arange(16)] for first in range(24)]),
    }
    seen = Moments.of(extractor(real).features.numpy())
    apart = {kind: frechet_distance(seen, Moments.of(extractor(some).features.numpy())) for kind, some in kinds.items()}
    print(f"\n{apart}")
    assert 2 * apart.pop("other") < min(apart.values())


def test_standardized_features_have_like_variances_and_the_same_outputs():
    torch.manual_seed(0)
    network, clips = ClipNetwork(5).eval(), torch.rand(96, 4, 3, 64, 64) * torch.rand(96, 1, 3, 1, 1) * 2 - 1
    with torch.no_grad():
        seen, before = Moments.of(network.features(clips).numpy()), network(clips)
        network.standardize(torch.from_numpy(seen.mean).float(), torch.from_numpy(seen.covariance).float())
        after, moments = network(clips), Moments.of(network.features(clips).numpy())
    torch.testing.assert_close(after, before, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(moments.mean, 0, atol=1e-2)
    variances = np.linalg.eigvalsh(moments.covariance)
    assert 0.5 < variances.max() <= 1.01
    assert np.abs(moments.covariance - np.diag(np.diag(moments.covariance))).max() < 0.05


def test_damaged_weights_are_named(tmp_path):
    for path in SHIPPED.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / WEIGHTS).write_bytes(b"nothing")
    with pytest.raises(InputError, match="is damaged"):
        open_worlds_clips(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        open_worlds_clips(tmp_path / "nowhere")
    assert json.loads((SHIPPED / "clip_network.json").read_text())["licence"] == "Apache-2.0"
