"""Network pickles of every variant: sizes are found, outputs are those of the network that was written, oddities are named.

No program that writes them is at hand, so the tests write some of their own: our networks' tensors under their names, as objects
whose classes travel with their source text. Parity with a real one: `tests/parity/test_stylegan2_ada.py`.
"""

import pytest
import torch

from latentreel.checkpoints.load import load_discriminator, load_image_generator
from latentreel.core.errors import InputError
from latentreel.image_generators.stylegan2.config import StyleGAN2Config
from latentreel.image_generators.stylegan2.discriminator import StyleGAN2Discriminator
from latentreel.image_generators.stylegan2.generator import StyleGAN2Generator
from network_pickles import write_network_pickle

VARIANTS = {
    "plain": {},
    "classes": {"num_classes": 3, "conv_clamp": 256.0},
    "resnet": {"architecture": "resnet", "discriminator_architecture": "orig"},
    "orig": {"architecture": "orig", "discriminator_architecture": "skip", "num_classes": 2, "conv_clamp": 0.5},
}
SIZES = {"resolution": 16, "channels": (6, 5, 4), "z_dim": 7, "w_dim": 6, "mapping_layers": 2}


def networks(**changes):
    config = StyleGAN2Config(**(SIZES | changes))
    generator, discriminator = StyleGAN2Generator(config), StyleGAN2Discriminator(config)
    generator.mean_latent.normal_()
    for module in (generator, discriminator):
        for name, parameter in module.named_parameters():
            torch.nn.init.normal_(parameter) if name.endswith(("noise_strength", "bias")) else None
    return generator.eval(), discriminator.eval()


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_draws_and_judges_as_the_network_that_was_written(name, tmp_path, fp32):
    generator, discriminator = networks(**VARIANTS[name])
    path = write_network_pickle(tmp_path / "network.pkl", generator, discriminator)
    again, judge = load_image_generator(path), load_discriminator(path)
    assert again.config == StyleGAN2Config(**(SIZES | VARIANTS[name] | {"discriminator_architecture": "resnet"}))
    assert judge.config.discriminator_architecture == generator.config.discriminator_architecture
    labels = torch.tensor([0, 1, 1]) if generator.num_classes else None
    z = torch.randn(3, 7)
    with torch.no_grad():
        w = again.map(z, labels, truncation=0.7)
        assert torch.equal(w, generator.map(z, labels, truncation=0.7))
        images = generator.synthesize(w, noise="fixed")
        assert torch.equal(again.synthesize(w, labels, noise="fixed"), images)
        assert torch.equal(judge(images, labels), discriminator(images, labels))
    assert not any(parameter.requires_grad for module in (again, judge) for parameter in module.parameters())


def test_each_class_is_another_picture_and_a_wrong_one_names_the_range(tmp_path, fp32):
    generator = load_image_generator(write_network_pickle(tmp_path / "n.pkl", *networks(num_classes=3)))
    z = torch.randn(1, 7).repeat(3, 1)
    images = generator(z, torch.arange(3))
    assert len({image.sum().item() for image in images}) == 3
    for labels, problem in {(3, 0, 0): "no such class; given: 3; allowed: 0 to 2", None: "no label was given"}.items():
        with pytest.raises(InputError, match=problem):
            generator.map(z, None if labels is None else torch.tensor(labels))
    plain = load_image_generator(write_network_pickle(tmp_path / "plain.pkl", *networks()))
    assert plain(z).shape == (3, 3, 16, 16)
    with pytest.raises(InputError, match="labels were given to a network without classes"):
        plain.map(z, torch.arange(3))


SPOILED = {
    "missing": (lambda g: g.pop("synthesis.b8.conv0.affine.bias"), r"missing \(synthesis.b8.conv0.affine.bias\)"),
    "renamed": (
        lambda g: g.update({"mapping.fc0.b": g.pop("mapping.fc0.bias")}),
        r"missing \(mapping.fc0.bias\) and 1 unexpected",
    ),
    "added": (lambda g: g.update({"synthesis.b32.conv0.x": torch.zeros(1)}), r"unexpected \(synthesis.b32.conv0.x\)"),
    "shape": (lambda g: g.update({"synthesis.b4.const": torch.zeros(6, 5, 4)}), r"b4.const has the wrong shape.*\[6, 5, 4\]"),
    "type": (lambda g: g.update({"mapping.w_avg": torch.zeros(6).long()}), "w_avg has the wrong number format.*int64"),
    "filter": (
        lambda g: g.update({"synthesis.b8.conv0.resample_filter": torch.ones(6, 6)}),
        "resample_filter is another filter",
    ),
    "no network": (lambda g: g.clear(), "G_ema is another kind of generator"),
    "alias-free": (lambda g: (g.clear(), g.update({"synthesis.input.freqs": torch.ones(2)})), "given: an alias-free StyleGAN3"),
}


@pytest.mark.parametrize("name", SPOILED)
def test_what_does_not_fit_is_named(name, tmp_path):
    change, problem = SPOILED[name]
    path = write_network_pickle(tmp_path / "network.pkl", *networks(), change=change)
    with pytest.raises(InputError, match=problem):
        load_image_generator(path)


def test_a_file_without_the_averaged_generator_gives_the_other(tmp_path):
    path = write_network_pickle(tmp_path / "n.pkl", *networks(), G_ema=None, D=None)
    assert load_image_generator(path).provenance["origin"].startswith("n.pkl, G of a network pickle")
    with pytest.raises(InputError, match="holds no G_ema; given: G"):
        load_image_generator(path, network="G_ema")
    with pytest.raises(InputError, match=r"holds no D; given: G"):
        load_discriminator(path)
