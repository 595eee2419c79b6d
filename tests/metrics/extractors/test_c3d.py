"""C3D against the plain form of the paper's figure, and how clips are prepared for it."""

import pytest
import torch
import torch.nn.functional as F

from latentreel.core.errors import InputError
from latentreel.metrics.extractors.c3d import C3D, C3DExtractor


@pytest.fixture(scope="module")
def extractor():
    """Random weights, large enough that every layer counts."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        network = C3D().eval().requires_grad_(False)
        for key, value in network.state_dict().items():
            if key.startswith("conv") and key.endswith("weight"):
                value.mul_(2.4)
    return C3DExtractor(network)


def plainly(state, x):
    """Fig. 3 of Tran et al., [N, 3, 16, 112, 112] to fc7 and fc8."""
    for names, depth in (("1a", 1), ("2a", 2), ("3a 3b", 2), ("4a 4b", 2), ("5a 5b", 2)):
        for name in names.split():
            x = F.conv3d(x, state[f"conv{name}.weight"], state[f"conv{name}.bias"], padding=1).relu()
        if x.shape[-1] % 2:
            x = F.pad(x, (0, 1, 0, 1))
        x = F.max_pool3d(x, (depth, 2, 2))
    x = x.reshape(len(x), -1)
    for name in ("fc6", "fc7"):
        x = (x @ state[f"{name}.weight"].T + state[f"{name}.bias"]).relu()
    return x, x @ state["fc8.weight"].T + state["fc8.bias"]


def test_it_is_the_network_of_the_paper_on_the_middle_of_blue_first_frames_less_the_mean(extractor, fp32):
    mean = torch.tensor([104.0, 117.0, 123.0])[:, None, None, None].expand(3, 16, 112, 112)
    extractor.network.mean.copy_(mean)
    clips = torch.randint(0, 256, (1, 16, 30, 40, 3), dtype=torch.uint8)
    seen = extractor(clips)
    wide = F.interpolate(clips[0].permute(0, 3, 1, 2).float(), size=(128, 171), mode="bilinear")
    prepared = wide[:, [2, 1, 0], 8:120, 29:141].transpose(0, 1)[None] - mean
    features, logits = plainly(extractor.network.state_dict(), prepared)
    differences = [(a - b).abs().max() / b.abs().max() for a, b in ((seen.features, features), (seen.logits, logits))]
    print(f"C3D against the plain form: {differences[0]:.2e} of fc7, {differences[1]:.2e} of fc8, relative")
    assert seen.features.shape == (1, extractor.width) and seen.logits.shape == (1, 101)
    assert max(differences) < 1e-4
    assert (features > 0).float().mean() > 0.2 and features.std() > 0.01


@pytest.mark.parametrize("frames", [15, 17])
def test_it_looks_at_16_frames(extractor, frames):
    with pytest.raises(InputError, match=f"given: {frames} frames; allowed: 16 frames"):
        extractor(torch.zeros(1, frames, 8, 8, 3, dtype=torch.uint8))
