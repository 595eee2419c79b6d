"""What I3D promises whatever its weights are; its numbers are held to the fixture in tests/checkpoints/test_feature_networks.py."""

import pytest
import torch

from latentreel.core.digests import weights_digest
from latentreel.core.errors import InputError
from latentreel.metrics.extractors.i3d import I3D, MIN_FRAMES, I3DExtractor


@pytest.fixture(scope="module")
def extractor():
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return I3DExtractor(I3D().eval().requires_grad_(False))


@pytest.fixture(scope="module")
def clips():
    return torch.randint(0, 256, (2, MIN_FRAMES, 20, 28, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def test_the_features_of_a_clip_do_not_depend_on_its_batch(extractor, clips, fp32):
    together = extractor(clips)
    assert together.features.shape == (2, extractor.width) and together.features.dtype == torch.float32
    assert together.logits is None
    difference = (extractor(clips[1:]).features - together.features[1:]).abs().max().item()
    print(f"I3D, another batch: {difference:.2e} of {together.features.abs().max():.3g}")
    assert difference <= 1e-5 * together.features.abs().max()


def test_half_precision_sees_nearly_the_same(extractor, clips, set_precision):
    seen = []
    for precision in ("fp32", "bf16"):
        set_precision(precision)
        seen.append(extractor(clips[:1]).features)
    error = ((seen[1] - seen[0]).norm() / seen[0].norm()).item()
    print(f"I3D, bf16 against float32: {error:.2e} by norm")
    assert 0 < error < 0.05


def test_time_is_seen_in_eighths(fp32):
    with torch.device("meta"):
        network = I3D()
        steps = {frames: network(torch.empty(1, 3, frames, 224, 224)).shape for frames in (9, 16, 17, 128)}
    assert steps == {frames: (1, 400, count) for frames, count in ((9, 1), (16, 1), (17, 2), (128, 15))}


def test_a_clip_that_is_too_short_is_refused(extractor, clips):
    with pytest.raises(InputError, match="longer clips; given: 8 frames; allowed: 9 or more"):
        extractor(clips[:, : MIN_FRAMES - 1])


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda clips: clips[0], "clips has the wrong shape.*allowed: .N, T, H, W, 3."),
        (lambda clips: clips.movedim(-1, 2), "wrong shape"),
        (lambda clips: clips.float(), "number format; given: torch.float32; allowed: torch.uint8"),
        (lambda clips: clips[:0], "without a single pixel"),
    ],
)
def test_what_is_no_clip_is_refused(extractor, clips, change, problem):
    with pytest.raises(InputError, match=problem):
        extractor(change(clips))


def test_the_digest_is_of_the_weights(extractor):
    other = I3D()
    other.load_state_dict(extractor.network.state_dict())
    assert weights_digest(other.state_dict()) == extractor.digest
    other.conv_1a.bias.data[0] += 1e-6
    assert weights_digest(other.state_dict()) != extractor.digest
