"""BigGAN's generator: every variant draws what its formulas say; labels, latents and noise are checked at the edge."""

import pytest
import torch
import torch.nn.functional as F

from latentreel.core.errors import InputError
from latentreel.core.image_generator import ImageGenerator
from latentreel.image_generators.biggan.config import BigGANConfig
from latentreel.nn.spectral_norm import largest_singular_value


def labels_for(generator, num_images):
    return torch.arange(num_images) % generator.num_classes if generator.num_classes else None


def reference(generator, z, labels):
    """METHODS 3, line by line, without a fold or a reordering."""
    config = generator.config

    def weight(layer):
        return layer.weight if layer.u0 is None else layer.weight / largest_singular_value(layer.weight, layer.u0)

    def conv(x, layer):
        return F.conv2d(x, weight(layer), layer.bias, padding=layer.weight.shape[-1] // 2)

    def norm(x, layer, gain, bias):
        x = F.batch_norm(x, layer.stored_mean, layer.stored_var, eps=1e-5)
        return F.relu(x * gain[..., None, None] + bias[..., None, None])

    def steer(layer, condition):
        return layer.weight[condition] if config.shared_dim == 0 else condition @ weight(layer).T

    def attend(x, layer):
        keys, values = (F.max_pool2d(conv(x, part), 2).flatten(2) for part in (layer.phi, layer.g))
        weights = torch.softmax(conv(x, layer.theta).flatten(2).transpose(1, 2) @ keys, dim=-1)
        return x + layer.gamma * conv((values @ weights.transpose(1, 2)).unflatten(2, x.shape[2:]), layer.o)

    labels = torch.zeros(len(z), dtype=torch.long) if labels is None else labels
    embedding = labels if config.shared_dim == 0 else generator.shared.weight[labels]
    parts = z.chunk(len(generator.blocks) + 1, dim=1) if config.hierarchical else [z]
    x = F.linear(parts[0], weight(generator.linear), generator.linear.bias).reshape(len(z), -1, 4, 4)
    for i, block in enumerate(generator.blocks):
        c = torch.cat([embedding, parts[i + 1]], dim=1) if config.hierarchical else embedding
        y = norm(x, block.norm1, 1 + steer(block.norm1.gain, c), steer(block.norm1.bias, c))
        y = conv(F.interpolate(y, scale_factor=2), block.conv1)
        y = norm(y, block.norm2, 1 + steer(block.norm2.gain, c), steer(block.norm2.bias, c))
        x = conv(y, block.conv2) + conv(F.interpolate(x, scale_factor=2), block.shortcut)
        x = x if block.attention is None else attend(x, block.attention)
    last = generator.output_norm
    return torch.tanh(conv(norm(x, last, last.gain, last.bias), generator.to_rgb))


@pytest.mark.usefixtures("fp32")
def test_every_variant_computes_its_formulas(build, variant):
    generator = build(**variant)
    z = torch.randn(4, generator.z_dim)
    labels = labels_for(generator, 4)
    found = generator(z, labels)
    assert found.shape == (4, 3, 32, 32)
    assert found.dtype == torch.float32
    assert found.std() > 0.01
    assert torch.allclose(found, reference(generator, z, labels), atol=1e-5)


@pytest.mark.usefixtures("fp32")
@pytest.mark.parametrize(("resolution", "num_blocks"), [(64, 4), (128, 5), (256, 6), (512, 7)])
def test_every_resolution_is_drawn(build, resolution, num_blocks):
    channels = (8,) * (num_blocks + 1)
    generator = build(resolution=resolution, channels=channels, z_dim=3 * (num_blocks + 1), attention=())
    assert len(generator.blocks) == num_blocks
    assert generator(torch.randn(1, generator.z_dim), torch.tensor([0])).shape == (1, 3, resolution, resolution)


def test_a_fresh_network_draws_something(set_precision):
    from latentreel.image_generators.build import build_image_generator

    set_precision("fp32")
    generator = build_image_generator("biggan", resolution=64, base_width=4, num_classes=2)
    images = generator(torch.randn(4, generator.z_dim), torch.tensor([0, 0, 1, 1]))
    assert images.std(dim=(2, 3)).min() > 0.01
    assert images.std(dim=0).mean() > 0.01


def test_it_is_an_image_generator_whose_latents_are_its_noise(build):
    generator, z = build(), torch.randn(2, 16)
    assert isinstance(generator, ImageGenerator)
    assert (generator.z_dim, generator.w_dim, generator.num_classes) == (16, 16, 3)
    assert torch.equal(generator.map(z), z)
    assert torch.equal(generator.map(z, truncation=0.5), z / 2)
    assert torch.equal(generator.truncate(z[:, None], 0.0), torch.zeros(2, 1, 16))


def test_each_class_is_drawn_differently(build, variant):
    generator = build(**variant)
    if generator.num_classes == 0:
        with pytest.raises(InputError, match="labels were given to a network without classes"):
            generator(torch.randn(1, generator.z_dim), torch.tensor([0]))
        return
    images = generator(torch.randn(1, generator.z_dim).expand(3, -1), torch.tensor([0, 1, 2]))
    assert min((images[i] - images[j]).abs().max() for i, j in [(0, 1), (0, 2), (1, 2)]) > 0.01


@pytest.mark.usefixtures("fp32")
def test_each_chunk_of_z_reaches_the_image(build):
    generator, z = build(), torch.randn(1, 16)
    for start in range(0, 16, 4):
        other = z.clone()
        other[:, start : start + 4] += 1
        assert (generator(other, torch.tensor([0])) - generator(z, torch.tensor([0]))).abs().max() > 1e-3


def test_a_network_with_one_class_takes_no_label(build):
    generator = build(num_classes=1)
    assert generator.num_classes == 0
    assert generator(torch.randn(2, 16)).shape == (2, 3, 32, 32)
    with pytest.raises(InputError, match="labels were given to a network without classes"):
        generator(torch.randn(2, 16), torch.tensor([0, 0]))
    with pytest.raises(InputError, match="labels were given to a network without classes"):
        generator.map(torch.randn(2, 16), torch.tensor([0, 0]))


@pytest.mark.parametrize("labels", [[0, 3], [-1, 0]])
def test_a_wrong_class_is_named_with_the_range(build, labels):
    with pytest.raises(InputError, match=r"no such class; given: (3|-1); allowed: 0 to 2"):
        build().synthesize(torch.randn(2, 16), torch.tensor(labels))


def test_a_network_with_classes_asks_for_one_label_per_image(build):
    with pytest.raises(InputError, match="has classes, and no label was given; allowed: 2 whole numbers from 0 to 2"):
        build()(torch.randn(2, 16))
    with pytest.raises(InputError, match="labels have the wrong form"):
        build()(torch.randn(2, 16), torch.tensor([0]))


def test_latents_of_another_shape_are_refused(build):
    generator, labels = build(), torch.tensor([0, 1])
    with pytest.raises(InputError, match=r"no style layers: .*\[2, 5, 16\]; allowed: \[N, D\]"):
        generator.synthesize(torch.randn(2, 5, 16), labels)
    with pytest.raises(InputError, match=r"w has the wrong shape; given: \[2, 15\]; allowed: \[N, D=16\]"):
        generator.synthesize(torch.randn(2, 15), labels)
    with pytest.raises(InputError, match=r"z has the wrong shape; given: \[2, 15\]; allowed: \[N, Z=16\]"):
        generator.map(torch.randn(2, 15))


def test_there_is_no_noise_whatever_the_mode(build):
    generator, w, labels = build(), torch.randn(2, 16), torch.tensor([0, 1])
    images = [generator.synthesize(w, labels, noise) for noise in ("none", "fixed", "random")]
    assert torch.equal(images[0], images[1])
    assert torch.equal(images[0], images[2])
    with pytest.raises(InputError, match="unknown noise; given: fresh; allowed: none, fixed, random"):
        generator.synthesize(w, labels, "fresh")
    with pytest.raises(InputError, match="noise maps were given to a BigGAN"):
        generator.synthesize(w, labels, [torch.zeros(1, 1, 4, 4)])


@pytest.mark.usefixtures("fp32")
def test_the_gradient_reaches_the_latents_and_nothing_stored_changes(build, variant):
    generator = build(**variant)
    before = {key: tensor.clone() for key, tensor in generator.state_dict().items()}
    w, target = torch.randn(2, generator.w_dim, requires_grad=True), torch.randn(2, 3, 32, 32)
    labels = labels_for(generator, 2)
    found, expected = (
        torch.autograd.grad((run(w, labels) * target).sum(), w)[0]
        for run in (generator.train().synthesize, lambda w, labels: reference(generator, w, labels))
    )
    assert found.abs().min(dim=0).values.max() > 0
    assert torch.allclose(found, expected, atol=1e-3 * expected.abs().max().item())
    assert all(torch.equal(generator.state_dict()[key], tensor) for key, tensor in before.items())


def test_bf16_is_close_to_fp32(build, variant, set_precision):
    generator = build(**variant)
    z = torch.randn(8, generator.z_dim)
    images = {}
    for precision in ("fp32", "bf16"):
        set_precision(precision)
        images[precision] = generator(z, labels_for(generator, 8))
    assert images["bf16"].dtype == torch.float32
    assert (images["bf16"] - images["fp32"]).abs().mean() < 0.02


def test_gradients_in_bf16_are_close_to_those_in_fp32(build, gradient_errors):
    generator, w, labels = build(), torch.randn(4, 16, requires_grad=True), torch.tensor([0, 1, 2, 0])
    assert gradient_errors(lambda: generator.synthesize(w, labels).square().mean(), [w])[0] < 0.1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"resolution": 48}, "resolution does not fit BigGAN; given: 48; allowed: 32, 64, 128, 256, 512"),
        ({"channels": (8, 8, 8)}, r"channels do not fit the resolution; given: \[8, 8, 8\]; allowed: 4 positive"),
        ({"channels": (8, 8, 8, 0)}, "channels do not fit"),
        ({"z_dim": 15}, "z_dim does not fit; given: 15; allowed: a positive multiple of 4"),
        ({"z_dim": -4}, "z_dim does not fit"),
        ({"num_classes": 0}, "num_classes is too small; given: 0"),
        ({"shared_dim": -1}, "shared_dim is too small"),
        ({"shared_dim": 0}, "chunks of z cannot join tables"),
        ({"attention": (4,)}, r"attention does not fit the resolution; given: \[4\]; allowed: some of 8, 16, 32"),
        ({"attention": (16, 8)}, "attention does not fit"),
        ({"channels": (8, 8, 7, 8)}, "too few channels for attention at 16 px; given: 7; allowed: at least 8"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(build, changes, message):
    with pytest.raises(InputError, match=message):
        build(**changes)


def test_a_config_goes_into_json_and_back():
    import json

    from latentreel.core.config import from_dict, to_dict

    config = BigGANConfig(resolution=128, attention=(64,))
    assert config.channels == (1536, 1536, 768, 384, 192, 96)
    assert config.z_dim == 120
    assert from_dict(BigGANConfig, json.loads(json.dumps(to_dict(config))), where="card") == config


@pytest.mark.parametrize("resolution", [32, 64, 128, 256, 512])
def test_the_resolution_alone_makes_a_config(resolution):
    assert BigGANConfig(resolution=resolution).sizes[-1] == resolution


def test_the_builder_takes_a_base_width_or_channels_not_both():
    from latentreel.image_generators.build import build_image_generator

    generator = build_image_generator("biggan", resolution=32, base_width=3)
    assert generator.config.channels == (12, 12, 12, 12)
    with pytest.raises(InputError, match=r"biggan has no such field: .*base_width"):
        build_image_generator("biggan", resolution=32, base_width=3, channels=(8, 8, 8, 8))
    with pytest.raises(InputError, match="resolution does not fit BigGAN"):
        build_image_generator("biggan", resolution=33, base_width=3)
