"""`G_ema.pth` files: every variant is told from its tensors, and what does not fit is named. Parity: `tests/parity/`."""

import pytest
import torch

from latentreel.checkpoints.biggan_pytorch import export_generator, import_generator, recognizes
from latentreel.core.errors import InputError
from latentreel.image_generators.biggan.config import BigGANConfig, default_channels
from latentreel.image_generators.biggan.generator import BigGANGenerator

SIZES = {"resolution": 32, "channels": (12, 10, 8, 9), "z_dim": 16, "num_classes": 3, "shared_dim": 6, "attention": (16,)}
VARIANTS = {
    "hierarchical": {},
    "flat": {"hierarchical": False, "z_dim": 7},
    "tables": {"hierarchical": False, "shared_dim": 0, "z_dim": 7},
    "tables, no spectral norm": {"hierarchical": False, "shared_dim": 0, "spectral_norm": False},
    "tables, one class": {"hierarchical": False, "shared_dim": 0, "num_classes": 1},
    "no attention": {"attention": ()},
    "attention twice": {"attention": (8, 32)},
    "no spectral norm": {"spectral_norm": False},
    "one class": {"num_classes": 1},
    "64 px": {"resolution": 64, "channels": default_channels(64, base_width=2), "z_dim": 10, "attention": (16,)},
    "128 px": {"resolution": 128, "channels": default_channels(128, base_width=2), "z_dim": 120, "attention": ()},
    "256 px": {"resolution": 256, "channels": default_channels(256, base_width=2), "z_dim": 140, "attention": (64,)},
    "512 px": {"resolution": 512, "channels": default_channels(512, base_width=2), "z_dim": 128, "attention": (64,)},
}


def content(**changes):
    generator = BigGANGenerator(BigGANConfig(**(SIZES | changes)))
    for name, tensor in generator.state_dict().items():
        if "stored" in name:
            tensor.uniform_(0.5, 1.5)
    return export_generator(generator)


def deeper(foreign, *, counter):
    """The statistics one level down, as files of a network spread over devices have them."""
    state = {}
    for key, tensor in foreign.items():
        head, _, last = key.rpartition(".")
        if last in {"stored_mean", "stored_var"}:
            state[f"{head}.bn.{last}"] = tensor
            if counter:
                state[f"{head}.bn.accumulation_counter"] = torch.zeros(1)
        else:
            state[key] = tensor
    return state


def same(found, expected):
    return found.keys() == expected.keys() and all(torch.equal(found[key], tensor) for key, tensor in expected.items())


@pytest.mark.parametrize("name", VARIANTS)
def test_the_variant_is_found_and_every_tensor_returns(name):
    foreign = content(**VARIANTS[name])
    assert recognizes(foreign)
    generator = import_generator(foreign, where="file")
    assert generator.config == BigGANConfig(**(SIZES | VARIANTS[name]))
    assert not generator.training
    assert not any(p.requires_grad for p in generator.parameters())
    assert not any(t.is_meta for t in generator.state_dict().values())
    assert same(export_generator(generator), foreign)


def test_what_is_imported_draws_the_same_and_owns_its_tensors():
    original = BigGANGenerator(BigGANConfig(**SIZES))
    foreign = export_generator(original)
    z, labels = torch.randn(2, 16), torch.tensor([0, 2])
    generator = import_generator(foreign, where="file")
    assert torch.equal(generator(z, labels), original(z, labels))
    foreign["blocks.0.0.conv1.weight"].zero_()
    assert generator.blocks[0].conv1.weight.abs().max() > 0


def test_the_names_are_those_of_the_format():
    flat = set(content(attention=(8,)))
    assert {"shared.weight", "linear.u0", "blocks.2.0.conv_sc.sv0", "blocks.0.0.bn2.gain.weight", "blocks.0.1.gamma"} <= flat
    assert {"blocks.0.1.theta.u0", "output_layer.0.gain", "output_layer.0.stored_var", "output_layer.2.bias"} <= flat
    assert content(**VARIANTS["tables"])["blocks.0.0.bn1.gain.weight"].shape == (3, 12)


@pytest.mark.parametrize("counter", [False, True])
def test_statistics_one_level_deeper_are_found(counter):
    foreign = content()
    assert same(export_generator(import_generator(deeper(foreign, counter=counter), where="file")), foreign)


def test_the_whole_output_norm_may_lie_one_level_deeper():
    foreign = content()
    moved = {key.replace("output_layer.0.", "output_layer.0.bn."): tensor for key, tensor in foreign.items()}
    assert same(export_generator(import_generator(moved, where="file")), foreign)


def test_statistics_on_both_levels_are_refused():
    foreign = content()
    foreign["blocks.1.0.bn2.bn.stored_var"] = foreign["blocks.1.0.bn2.stored_var"]
    with pytest.raises(InputError, match=r"file: blocks.1.0.bn2.stored_var is there twice"):
        import_generator(foreign, where="file")


def test_the_prefix_of_a_model_spread_over_devices_is_taken_off():
    foreign = content()
    spread = {f"module.{key}": tensor for key, tensor in deeper(foreign, counter=True).items()}
    assert recognizes(spread)
    assert same(export_generator(import_generator(spread, where="file")), foreign)


def test_half_precision_becomes_float32():
    generator = import_generator({key: tensor.half() for key, tensor in content().items()}, where="file")
    assert {tensor.dtype for tensor in generator.state_dict().values()} == {torch.float32}


@pytest.mark.parametrize("other", [None, 3, [], {}, {3: 4}, {"linear.weight": 0, "blocks.0.0.conv1.weight": 0}])
def test_other_contents_are_not_recognized(other):
    assert not recognizes(other)


def test_the_discriminators_file_is_not_recognized(fixtures_dir):
    for file in sorted((fixtures_dir / "mocogan_hd").glob("*.p*")):
        if file.suffix in {".pt", ".pth"}:
            assert not recognizes(torch.load(file, weights_only=True))


def telling(foreign):
    """The keys outside the blocks and of one block: the others differ by their number alone."""
    return [key for key in foreign if not key.startswith(("blocks.0.", "blocks.2."))]


@pytest.mark.parametrize("name", ["hierarchical", "tables", "no spectral norm"])
def test_every_missing_key_is_named(name):
    foreign = content(**VARIANTS[name])
    for key in [*telling(foreign), "blocks.0.0.bn1.gain.weight", "blocks.0.0.conv1.weight"]:
        with pytest.raises(InputError, match=r"file: keys do not fit: .*missing") as caught:
            import_generator({other: tensor for other, tensor in foreign.items() if other != key}, where="file")
        assert key in str(caught.value)


@pytest.mark.parametrize("name", ["hierarchical", "tables"])
def test_a_tensor_with_other_axes_is_named(name):
    foreign = content(**VARIANTS[name])
    for key in telling(foreign):
        with pytest.raises(InputError, match=f"file: {key} has the wrong shape"):
            import_generator(foreign | {key: foreign[key][None]}, where="file")


@pytest.mark.parametrize("name", ["hierarchical", "tables"])
def test_a_tensor_of_another_size_ends_in_a_message(name):
    """Not always with its own name, for sizes are found from some of the tensors, and then another one does not fit."""
    foreign = content(**VARIANTS[name])
    free = {("shared.weight", 0)} if "hierarchical" not in VARIANTS[name] else {("shared.weight", 0), ("linear.weight", 1)}
    for key in telling(foreign):
        for axis in range(min(foreign[key].ndim, 2)):
            wrong = foreign | {key: foreign[key].repeat_interleave(2, dim=axis)}
            if (key, axis) in free:  # as many classes, or as wide a z, as one likes
                import_generator(wrong, where="file")
                continue
            with pytest.raises(InputError, match=r"^file: "):
                import_generator(wrong, where="file")


@pytest.mark.parametrize(
    "extra",
    ["linear.u1", "blocks.0.0.bn1.running_mean", "blocks.0.2.weight", "blocks.9999.0.conv1.weight", "optimizer", "x.bn.y"],
)
def test_a_left_over_key_is_named(extra):
    with pytest.raises(InputError, match=rf"file: keys do not fit: 1 unexpected \({extra}\)"):
        import_generator(content() | {extra: torch.zeros(1)}, where="file")


def test_what_is_no_tensor_of_real_numbers_is_named():
    with pytest.raises(InputError, match=r"file: keys do not fit: 1 unexpected \(linear.bias\)"):
        import_generator(content() | {"linear.bias": "text"}, where="file")
    foreign = content()
    with pytest.raises(InputError, match=r"file: linear.bias has the wrong number format; given: torch.int64"):
        import_generator(foreign | {"linear.bias": foreign["linear.bias"].long()}, where="file")


@pytest.mark.parametrize("index", [1, 8, 200])
def test_a_number_of_blocks_that_no_network_has_is_named(index):
    foreign = {key: tensor for key, tensor in content().items() if not key.startswith(("blocks.1.", "blocks.2."))}
    foreign[f"blocks.{index}.0.conv1.weight"] = torch.zeros(1, 1, 3, 3)
    with pytest.raises(
        InputError, match=rf"file: no BigGAN has this number of blocks; given: {index + 1}; allowed: 3 \(32 px\)"
    ):
        import_generator(foreign, where="file")


def test_sizes_beyond_any_memory_are_refused():
    foreign = content()
    foreign["blocks.0.0.conv1.weight"] = torch.zeros(2**31, 2**31, 0, 0)
    with pytest.raises(InputError, match="file: "):
        import_generator(foreign, where="file")
