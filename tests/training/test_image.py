"""Training an image generator: growing, and what its config turns into."""

import dataclasses

import pytest
import torch
from accelerate import Accelerator

from latentreel.checkpoints.load import load_image_generator
from latentreel.cli.train import build, start
from latentreel.core.errors import InputError
from latentreel.nn.resample import upsample
from latentreel.training.presets import IMAGE

GROWN = dataclasses.replace(IMAGE["debug"], device="cpu", resolution=32, channels=(8, 8, 8, 6))


def test_growing_begins_with_the_old_pictures_enlarged(debug_runs, tmp_path, fp32):
    family = build(dataclasses.replace(GROWN, out=tmp_path, grow_from=debug_runs / "image"), Accelerator(cpu=True))
    old = load_image_generator(debug_runs / "image")
    w = old.map(torch.randn(4, old.z_dim))
    maps = [torch.randn(1, 1, *layer.noise_map.shape) for layer in family.generator.styled_layers()]
    with torch.no_grad():
        expected = upsample(old.synthesize(w, noise=maps[:5]))
        for generator in (family.generator, family.average):
            torch.testing.assert_close(generator.synthesize(w, noise=maps), expected)
    assert expected.std() > 0.01
    trained = torch.load(debug_runs / "image" / "state" / "step-000000010.pt", weights_only=True)["modules"]["discriminator"]
    grown = family.discriminator.state_dict()
    assert all(torch.equal(grown[name], value) for name, value in trained.items() if not name.startswith("blocks."))
    assert torch.equal(grown["blocks.2.conv1.weight"], trained["blocks.1.conv1.weight"])
    assert torch.equal(grown["blocks.1.conv0.weight"], trained["blocks.0.conv0.weight"])


def test_a_grown_run_resumes_without_the_run_that_it_grew_from(debug_runs, tmp_path):
    source = tmp_path / "source"
    source.symlink_to(debug_runs / "image")
    config = dataclasses.replace(GROWN, out=tmp_path / "run", grow_from=source, sample_every=1000)
    start(dataclasses.replace(config, kimg=0.008))
    source.unlink()
    assert start(dataclasses.replace(config, kimg=0.012)).step == 3


@pytest.mark.parametrize(
    ("source", "changes", "problem"),
    [
        ("nowhere", {}, "no trained state to grow from.*allowed: the folder of a `train image` run"),
        ("motion", {}, "did not train an image generator"),
        ("image", {"resolution": 16, "channels": (8, 8, 8)}, "not smaller; given: 16 px; allowed: below 16 px"),
        ("image", {"channels": (8, 8, 9, 6)}, r"another width; given: \[8.*; allowed: \[9"),
        ("image", {"latent_dim": 12}, "another width"),
    ],
)
def test_a_run_that_cannot_be_grown_from_is_refused(source, changes, problem, debug_runs, tmp_path):
    config = dataclasses.replace(GROWN, out=tmp_path, grow_from=debug_runs / source, **changes)
    with pytest.raises(InputError, match=problem):
        build(config, Accelerator(cpu=True))
