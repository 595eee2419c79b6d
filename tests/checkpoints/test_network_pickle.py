"""Network pickles of every variant: sizes are found, outputs are those of the network that was written, oddities are named.

No program that writes them is at hand, so the tests write some of their own: our networks' tensors under their names, as objects
whose classes travel with their source text. Parity with a real one: `tests/parity/test_stylegan2_ada.py`.
"""

import pickle
import sys
import types

import pytest
import torch

from latentreel.checkpoints.key_table import export_state
from latentreel.checkpoints.load import load_discriminator, load_image_generator
from latentreel.checkpoints.network_pickle import discriminator_table, generator_table
from latentreel.core.errors import InputError
from latentreel.image_generators.stylegan2.config import StyleGAN2Config
from latentreel.image_generators.stylegan2.discriminator import StyleGAN2Discriminator
from latentreel.image_generators.stylegan2.generator import StyleGAN2Generator

VARIANTS = {
    "plain": {},
    "classes": {"num_classes": 3, "conv_clamp": 256.0},
    "resnet": {"architecture": "resnet", "discriminator_architecture": "orig"},
    "orig": {"architecture": "orig", "discriminator_architecture": "skip", "num_classes": 2, "conv_clamp": 0.5},
}
SIZES = {"resolution": 16, "channels": (6, 5, 4), "z_dim": 7, "w_dim": 6, "mapping_layers": 2}
TAPS = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8


class Persistent:
    """Pickles itself as those programs do: the name of a class, its source text, and its attributes."""

    def __init__(self, class_name, state):
        self.meta = {"type": "class", "version": 6, "module_src": "raise SystemExit", "class_name": class_name, "state": state}

    def __reduce__(self):
        return sys.modules["torch_utils.persistence"]._reconstruct_persistent_obj, (self.meta,)


def nested(class_name, tensors, attributes):
    """A module of modules from flat names."""
    children = sorted({key.split(".")[0] for key in [*tensors, *attributes] if "." in key})
    state = {key: value for key, value in attributes.items() if "." not in key} | {
        "_parameters": {key: torch.nn.Parameter(t, requires_grad=False) for key, t in tensors.items() if "." not in key},
        "_buffers": {"nothing": None},
        "_modules": {
            child: nested(
                "Layer",
                *(
                    {k.removeprefix(f"{child}."): v for k, v in part.items() if k.startswith(f"{child}.")}
                    for part in (tensors, attributes)
                ),
            )
            for child in children
        },
    }
    return Persistent(class_name, state)


def networks(**changes):
    config = StyleGAN2Config(**(SIZES | changes))
    generator, discriminator = StyleGAN2Generator(config), StyleGAN2Discriminator(config)
    generator.mean_latent.normal_()
    for module in (generator, discriminator):
        for name, parameter in module.named_parameters():
            torch.nn.init.normal_(parameter) if name.endswith(("noise_strength", "bias")) else None
    return generator.eval(), discriminator.eval()


def write(path, generator, discriminator, monkeypatch, *, change=lambda tensors: None, **more):
    """A file with all three networks; `change` may spoil the averaged generator's tensors."""
    persistence = types.ModuleType("torch_utils.persistence")

    def _reconstruct_persistent_obj(meta):
        raise AssertionError("run")

    _reconstruct_persistent_obj.__module__, _reconstruct_persistent_obj.__qualname__ = (
        "torch_utils.persistence",
        "_reconstruct_persistent_obj",
    )
    persistence._reconstruct_persistent_obj = _reconstruct_persistent_obj
    monkeypatch.setitem(sys.modules, "torch_utils", types.ModuleType("torch_utils"))
    monkeypatch.setitem(sys.modules, "torch_utils.persistence", persistence)
    config = generator.config
    g = export_state(generator_table(config), generator.state_dict()) | {
        "synthesis.b8.conv0.resample_filter": torch.outer(TAPS, TAPS)
    }
    d = export_state(discriminator_table(config), discriminator.state_dict())
    change(g)
    clamp = {"synthesis.b4.conv1.conv_clamp": config.conv_clamp, "b4.conv.conv_clamp": config.conv_clamp}
    objects = {name: nested("Generator", g, clamp) for name in ("G", "G_ema")} | {"D": nested("Discriminator", d, clamp)}
    path.write_bytes(pickle.dumps(objects | more))
    return path


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_draws_and_judges_as_the_network_that_was_written(name, monkeypatch, tmp_path, fp32):
    generator, discriminator = networks(**VARIANTS[name])
    path = write(tmp_path / "network.pkl", generator, discriminator, monkeypatch)
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


def test_each_class_is_another_picture_and_a_wrong_one_names_the_range(monkeypatch, tmp_path, fp32):
    generator = load_image_generator(write(tmp_path / "n.pkl", *networks(num_classes=3), monkeypatch))
    z = torch.randn(1, 7).repeat(3, 1)
    images = generator(z, torch.arange(3))
    assert len({image.sum().item() for image in images}) == 3
    for labels, problem in {(3, 0, 0): "no such class; given: 3; allowed: 0 to 2", None: "no label was given"}.items():
        with pytest.raises(InputError, match=problem):
            generator.map(z, None if labels is None else torch.tensor(labels))
    plain = load_image_generator(write(tmp_path / "plain.pkl", *networks(), monkeypatch))
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
def test_what_does_not_fit_is_named(name, monkeypatch, tmp_path):
    change, problem = SPOILED[name]
    path = write(tmp_path / "network.pkl", *networks(), monkeypatch, change=change)
    with pytest.raises(InputError, match=problem):
        load_image_generator(path)


def test_a_file_without_the_averaged_generator_gives_the_other(monkeypatch, tmp_path):
    path = write(tmp_path / "n.pkl", *networks(), monkeypatch, G_ema=None, D=None)
    assert load_image_generator(path).resolution == 16
    with pytest.raises(InputError, match=r"holds no D; given: G"):
        load_discriminator(path)
