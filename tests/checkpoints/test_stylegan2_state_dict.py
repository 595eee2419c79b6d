"""`g_ema` files: sizes are found, and what does not fit is named. Parity of the pictures: `tests/parity/`."""

import pytest
import torch

from latentreel.checkpoints.load import load_image_generator
from latentreel.checkpoints.stylegan2_state_dict import export_generator, import_generator, recognizes
from latentreel.core.errors import InputError
from latentreel.image_generators.stylegan2.config import StyleGAN2Config
from latentreel.image_generators.stylegan2.generator import StyleGAN2Generator

SIZES = {"resolution": 16, "channels": (6, 5, 4), "z_dim": 7, "w_dim": 8, "mapping_layers": 3}


def content(**changes):
    generator = StyleGAN2Generator(StyleGAN2Config(**(SIZES | changes)))
    generator.mean_latent.normal_()
    return export_generator(generator)


@pytest.mark.parametrize("changes", [{}, {"resolution": 32, "channels": (4, 4, 3, 2)}, {"mapping_layers": 8, "z_dim": 8}])
def test_sizes_are_found_and_every_tensor_returns(changes):
    foreign = content(**changes)
    assert recognizes(foreign)
    generator = import_generator(foreign, where="file")
    assert generator.config == StyleGAN2Config(**(SIZES | changes))
    assert not any(p.requires_grad for p in generator.parameters())
    assert not generator.training
    again = export_generator(generator)
    assert torch.equal(again["latent_avg"], foreign["latent_avg"])
    assert again["g_ema"].keys() == foreign["g_ema"].keys()
    assert all(torch.equal(again["g_ema"][key], tensor) for key, tensor in foreign["g_ema"].items())


def test_the_prefix_of_a_model_spread_over_devices_is_taken_off():
    foreign = content()
    spread = foreign | {"g_ema": {f"module.{key}": tensor for key, tensor in foreign["g_ema"].items()}}
    assert recognizes(spread)
    assert export_generator(import_generator(spread, where="file"))["g_ema"].keys() == foreign["g_ema"].keys()


def test_a_bare_state_dict_will_do_its_mean_latent_is_measured():
    foreign = content()["g_ema"]
    assert recognizes(foreign)
    generator = import_generator(foreign, where="file")
    latents = generator.map(torch.randn(20_000, 7))
    assert ((generator.mean_latent - latents.mean(dim=0)).abs() < 0.05 * latents.std(dim=0)).all()


@pytest.mark.parametrize("other", [None, 3, [], {}, {"g_ema": 3}, {"state_dict": {}}, {"g_ema": {"mapping.fc0.weight": 0}}])
def test_other_contents_are_not_recognized(other):
    assert not recognizes(other)


@pytest.mark.parametrize(
    "key", ["input.input", "conv1.conv.weight", "style.1.weight", "convs.3.conv.weight", "to_rgbs.1.bias", "noises.noise_2"]
)
def test_a_missing_key_is_named(key):
    foreign = content()
    del foreign["g_ema"][key]
    with pytest.raises(InputError, match=r"file: keys do not fit: .*missing|file: .*unexpected") as caught:
        import_generator(foreign, where="file")
    assert key in str(caught.value) or key == "to_rgbs.1.bias"  # without it the file looks like 8 px with too many keys


def test_a_left_over_key_is_named():
    foreign = content()
    foreign["g_ema"]["convs.9.conv.weight"] = torch.zeros(1)
    with pytest.raises(InputError, match=r"1 unexpected \(convs.9.conv.weight\)"):
        import_generator(foreign, where="file")


def test_shapes_that_contradict_each_other_are_named():
    foreign = content()
    foreign["g_ema"]["convs.1.conv.weight"] = torch.zeros(1, 5, 9, 3, 3)
    with pytest.raises(InputError, match=r"file: convs.1.conv.weight has the wrong shape.*\[1, 5, 9, 3, 3\]"):
        import_generator(foreign, where="file")
    foreign = content()
    foreign["latent_avg"] = torch.zeros(9)
    with pytest.raises(InputError, match="file: latent_avg is no latent"):
        import_generator(foreign, where="file")


def test_a_file_made_with_another_filter_is_refused():
    foreign = content()
    foreign["g_ema"]["to_rgbs.0.upsample.kernel"] = torch.ones(2, 2)
    with pytest.raises(InputError, match=r"to_rgbs.0.upsample.kernel is another filter.*\[1, 3, 3, 1\]"):
        import_generator(foreign, where="file")


@pytest.mark.parametrize("changes", [{"architecture": "resnet"}, {"conv_clamp": 256.0}])
def test_a_variant_that_the_format_cannot_hold_is_not_exported(changes):
    with pytest.raises(InputError, match="no place for the variant"):
        export_generator(StyleGAN2Generator(StyleGAN2Config(**SIZES, **changes)))


def test_a_file_that_lost_its_first_layer_is_known_and_the_key_named():
    foreign = content()
    del foreign["g_ema"]["conv1.conv.weight"]
    assert recognizes(foreign)
    with pytest.raises(InputError, match=r"file: keys do not fit: 1 missing \(conv1.conv.weight\)"):
        import_generator(foreign, where="file")


def test_what_is_no_tensor_is_named():
    foreign = content()
    foreign["g_ema"]["noises.noise_0"] = "text"
    with pytest.raises(InputError, match=r"file: keys do not fit: 1 unexpected \(noises.noise_0\)"):
        import_generator(foreign, where="file")


@pytest.mark.parametrize("form", [{}, {"_use_new_zipfile_serialization": False}])
def test_an_old_optimiser_beside_the_generator_is_no_hindrance(form, tmp_path):
    """PyTorch before 1.6 numbered parameters by their addresses."""
    state = {140234567890123 + i: {"step": 7, "exp_avg": torch.zeros(2)} for i in range(3)}
    torch.save(
        content() | {"g_optim": {"state": state, "param_groups": [{"params": list(state)}]}}, tmp_path / "550000.pt", **form
    )
    assert load_image_generator(tmp_path / "550000.pt").resolution == 16
