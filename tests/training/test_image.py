"""Training an image generator: growing, and what its config turns into."""

import dataclasses

import pytest
import torch
from accelerate import Accelerator
from PIL import Image

from latentreel.checkpoints.load import load_image_generator
from latentreel.cli.train import build, start
from latentreel.core.errors import InputError
from latentreel.image_generators.stylegan2.config import StyleGAN2Config
from latentreel.image_generators.stylegan2.discriminator import StyleGAN2Discriminator
from latentreel.image_generators.stylegan2.generator import StyleGAN2Generator
from latentreel.nn.resample import upsample
from latentreel.training.image import grow
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


def test_the_discriminator_can_learn_faster_than_the_generator(tmp_path):
    config = dataclasses.replace(IMAGE["debug"], path_length_weight=0, out=tmp_path, learning_rate=1e-4)
    for given, expected in ((None, 1e-4), (1e-3, 1e-3)):
        family = build(dataclasses.replace(config, discriminator_learning_rate=given), Accelerator(cpu=True))
        generator, *judges = (phase.optimizer.param_groups[0]["lr"] for phase in family.phases)
        assert (generator, *judges) == pytest.approx((1e-4, expected * 16 / 17, expected * 16 / 17))


def test_a_grown_run_resumes_without_the_run_that_it_grew_from(debug_runs, tmp_path):
    source = tmp_path / "source"
    source.symlink_to(debug_runs / "image")
    config = dataclasses.replace(GROWN, out=tmp_path / "run", grow_from=source, sample_every=1000)
    start(dataclasses.replace(config, kimg=0.008))
    source.unlink()
    assert start(dataclasses.replace(config, kimg=0.012)).step == 3


def test_a_run_of_larger_pictures_cannot_be_grown_from(debug_runs):
    sizes = StyleGAN2Config(resolution=8, channels=(8, 8), z_dim=16, w_dim=16, mapping_layers=2)
    with pytest.raises(InputError, match="larger; given: 16 px; allowed: up to 8 px"):
        grow(StyleGAN2Generator(sizes), StyleGAN2Discriminator(sizes), debug_runs / "image")


def test_a_run_goes_on_with_other_settings_in_another_folder(debug_runs, tmp_path):
    config = dataclasses.replace(IMAGE["debug"], device="cpu", out=tmp_path, grow_from=debug_runs / "image", learning_rate=1e-4)
    family = build(config, Accelerator(cpu=True))
    trained = torch.load(debug_runs / "image" / "state" / "step-000000010.pt", weights_only=True)["modules"]
    for module, source in (("generator", "average"), ("average", "average"), ("discriminator", "discriminator")):
        new = getattr(family, module).state_dict()
        assert new.keys() == trained[source].keys()
        assert all(torch.equal(new[name], value) for name, value in trained[source].items())


@pytest.mark.parametrize(
    ("source", "changes", "problem"),
    [
        ("nowhere", {}, "no trained state to grow from.*allowed: the folder of a `train image` run"),
        ("motion", {}, "did not train an image generator"),
        ("image", {"channels": (8, 8, 9, 6)}, r"another width; given: \[8.*; allowed: \[9"),
        ("image", {"latent_dim": 12}, "another width"),
    ],
)
def test_a_run_that_cannot_be_grown_from_is_refused(source, changes, problem, debug_runs, tmp_path):
    config = dataclasses.replace(GROWN, out=tmp_path, grow_from=debug_runs / source, **changes)
    with pytest.raises(InputError, match=problem):
        build(config, Accelerator(cpu=True))


@pytest.fixture
def classes(tmp_path):
    """Red, green and blue stills in folders of those names, and twice as many red ones."""
    for name, colour, count in (("red", (255, 0, 0), 8), ("green", (0, 255, 0), 4), ("blue", (0, 0, 255), 4)):
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(count):
            Image.new("RGB", (16, 16), colour).save(tmp_path / "data" / name / f"{number}.png")
    return tmp_path / "data"


def test_folders_become_classes_that_both_networks_are_told(classes, tmp_path):
    config = dataclasses.replace(IMAGE["debug"], device="cpu", data=str(classes), conditional=True, out=tmp_path / "run")
    family = build(config, Accelerator(cpu=True))
    assert family.generator.num_classes == family.discriminator.config.num_classes == 3
    batch = family.batch(3)
    brightest = batch.real.mean(dim=(2, 3)).argmax(dim=1)  # 0 red, 1 green, 2 blue
    assert torch.equal(batch.labels, torch.tensor([2, 1, 0])[brightest])  # blue, green, red by name
    start(dataclasses.replace(config, kimg=0.008))
    assert start(dataclasses.replace(config, kimg=0.012)).step == 3
    assert load_image_generator(tmp_path / "run").num_classes == 3
    assert "classes: 0 blue, 1 green, 2 red" in (tmp_path / "run" / "bundle" / "card.json").read_text()


def test_stills_without_classes_cannot_be_trained_on_by_class(classes, tmp_path):
    Image.new("RGB", (16, 16)).save(classes / "stray.png")
    config = dataclasses.replace(IMAGE["debug"], device="cpu", conditional=True, out=tmp_path / "run")
    for data, problem in ((classes, r"given: stray\.png in no class"), (classes / "red", "in no class")):
        with pytest.raises(InputError, match=problem):
            build(dataclasses.replace(config, data=str(data)), Accelerator(cpu=True))
