"""The generator: every variant draws and learns; latents, noise and truncation do what they say."""

import pytest
import torch

from latentreel.core.errors import InputError
from latentreel.core.image_generator import ImageGenerator
from latentreel.nn.resample import upsample_reference

pytestmark = pytest.mark.usefixtures("fp32")
VARIANTS = ["skip", "resnet", "orig"]


@pytest.mark.parametrize("architecture", VARIANTS)
@pytest.mark.parametrize(
    "sizes",
    [{"resolution": 8, "channels": (4, 6)}, {"resolution": 32, "channels": (8, 3, 7, 5), "z_dim": 5, "w_dim": 9}],
    ids=["8px", "32px"],
)
@pytest.mark.parametrize("conv_clamp", [None, 256.0])
def test_every_variant_draws_and_every_parameter_learns(build, architecture, sizes, conv_clamp):
    generator = build(architecture=architecture, conv_clamp=conv_clamp, **sizes)
    assert isinstance(generator, ImageGenerator)
    images = generator.synthesize(generator.map(torch.randn(3, generator.z_dim)), noise="random")
    assert images.shape == (3, 3, sizes["resolution"], sizes["resolution"])
    assert images.dtype == torch.float32
    (images * torch.randn_like(images)).sum().backward()
    idle = [name for name, p in generator.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]
    assert idle == []


@pytest.mark.parametrize("architecture", VARIANTS)
def test_bf16_draws_the_same_pictures_and_learns_the_same(build, gradient_errors, set_precision, architecture):
    generator = build(architecture=architecture, resolution=32, channels=(24, 24, 16, 16))
    w, weights = torch.randn(8, generator.w_dim), [layer.weight for layer in generator.styled_layers()]
    set_precision("bf16")
    half = generator.synthesize(w)
    set_precision("fp32")
    full = generator.synthesize(w)
    assert half.dtype == torch.float32
    assert 0 < (half - full).norm() / full.norm() < 0.03
    probe = torch.randn_like(full)
    errors = gradient_errors(lambda: (generator.synthesize(w) * probe).sum(), weights)
    assert max(errors) < 0.4, errors  # roundings through all layers and back come to 0.25, a wrong gradient to 1


def test_a_residual_block_is_the_plain_one_beside_its_shortcut(build):
    residual, plain = (build(architecture=architecture).blocks[1] for architecture in ("resnet", "orig"))
    plain.load_state_dict({key: tensor for key, tensor in residual.state_dict().items() if key != "shortcut"})
    x, w = torch.randn(2, 8, 4, 4), torch.randn(2, 3, 10)
    shortcut = upsample_reference(torch.einsum("nihw,oi->nohw", x, residual.shortcut[:, :, 0, 0] / 8**0.5))
    expected = (plain(x, None, w, [None, None])[0] + shortcut) / 2**0.5
    assert torch.allclose(residual(x, None, w, [None, None])[0], expected, atol=1e-5)


def test_the_clamp_bounds_the_image(build):
    generator = build(conv_clamp=0.01, architecture="orig")
    assert generator.synthesize(torch.randn(4, 10)).abs().max().item() == pytest.approx(0.01)


# --- latents ---------------------------------------------------------------------------------------------------------------


def trace(generator, w):
    """Features and colours after each block."""
    seen = []
    hooks = [block.register_forward_hook(lambda _module, _inputs, outputs: seen.append(outputs)) for block in generator.blocks]
    generator.synthesize(w)
    for hook in hooks:
        hook.remove()
    return seen


def test_one_latent_means_the_same_one_for_every_layer(build):
    generator, w = build(), torch.randn(2, 10)
    per_layer = w[:, None].repeat(1, generator.num_layers, 1)
    assert torch.allclose(generator.synthesize(w), generator.synthesize(per_layer), atol=1e-5)


def test_mixing_changes_layers_from_the_crossover_on_and_those_alone(build):
    generator = build(resolution=32, channels=(8, 8, 8, 8))
    layers = generator.num_layers
    assert layers == 8
    w, other = torch.randn(2, layers, 10), torch.randn(2, layers, 10)
    before = trace(generator, w)
    for crossover in range(layers):
        mixed = torch.where(torch.arange(layers)[None, :, None] >= crossover, other, w)
        for level, (now, then) in enumerate(zip(trace(generator, mixed), before, strict=True)):
            # Block b ends with layer 2 b, and draws its colours with the latent of layer 2 b + 1.
            assert torch.equal(now[0], then[0]) == (crossover > 2 * level)
            assert torch.equal(now[1], then[1]) == (crossover > 2 * level + 1)


def test_samples_do_not_see_each_other(build):
    generator, w = build(), torch.randn(3, 10)
    alone = torch.cat([generator.synthesize(one, noise="fixed") for one in w.split(1)])
    assert torch.allclose(generator.synthesize(w, noise="fixed"), alone, atol=1e-5)


# --- noise -----------------------------------------------------------------------------------------------------------------


def test_noise_is_absent_fixed_fresh_or_given(build):
    generator, w = build(), torch.randn(1, 10).expand(2, -1)
    none, fixed = generator.synthesize(w), generator.synthesize(w, noise="fixed")
    torch.manual_seed(0)
    fresh = generator.synthesize(w, noise="random")
    assert torch.allclose(none[0], none[1], atol=1e-4)
    assert torch.allclose(fixed[0], fixed[1], atol=1e-4)  # the same maps for every frame: nothing flickers
    assert not torch.allclose(fresh[0], fresh[1], atol=1e-2)
    assert not torch.allclose(fixed, none, atol=1e-2)
    maps = [layer.noise_map[None, None] for layer in generator.styled_layers()]
    assert torch.equal(generator.synthesize(w, noise=maps), fixed)
    assert torch.allclose(generator.synthesize(w, noise=[0 * m for m in maps]), none, atol=1e-4)
    torch.manual_seed(0)
    drawn = [torch.randn(2, 1, *m.shape[2:]) for m in maps]
    assert torch.equal(generator.synthesize(w, noise=drawn), fresh)


@pytest.mark.parametrize("change", ["fewer", "larger", "other batch", "flat"])
def test_noise_maps_that_do_not_fit_are_refused(build, change):
    generator = build()
    maps = [layer.noise_map[None, None] for layer in generator.styled_layers()]
    wrong = {
        "fewer": maps[:-1],
        "larger": [*maps[:-1], torch.zeros(1, 1, 32, 32)],
        "other batch": [m.repeat(3, 1, 1, 1) for m in maps],
        "flat": [m[0, 0] for m in maps],
    }[change]
    with pytest.raises(InputError, match=r"noise map.*given.*allowed"):
        generator.synthesize(torch.randn(2, 10), noise=wrong)


# --- truncation ------------------------------------------------------------------------------------------------------------


def test_truncation_moves_latents_toward_their_mean(build):
    generator, z = build(), torch.randn(4, 12)
    generator.estimate_mean_latent(num_samples=20_000)
    mean, w = generator.mean_latent, generator.map(z)
    assert torch.equal(generator.map(z, truncation=1.0), w)
    assert torch.equal(generator.map(z, truncation=0.0), mean.expand(4, -1))
    assert torch.allclose(generator.map(z, truncation=0.7), mean + 0.7 * (w - mean), atol=1e-6)
    assert torch.allclose(generator.truncate(w[:, None].repeat(1, 6, 1), 0.7)[:, 5], generator.map(z, truncation=0.7))
    fresh = generator.map(torch.randn(20_000, 12))
    assert ((fresh.mean(dim=0) - mean).abs() < 5 * fresh.std(dim=0) * (2 / 20_000) ** 0.5).all()
    again = mean.clone()
    generator.estimate_mean_latent(num_samples=20_000)
    assert torch.equal(generator.mean_latent, again)


# --- what is refused -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(2, 9), (2, 5, 10), (2, 6, 9), (10,), (1, 2, 6, 10)])
def test_latents_of_another_shape_are_refused(build, shape):
    with pytest.raises(InputError, match=rf"w has the wrong shape; given: \[{', '.join(map(str, shape))}\]"):
        build().synthesize(torch.randn(shape))


def test_other_misuse_is_refused(build):
    generator = build()
    with pytest.raises(InputError, match=r"z has the wrong shape.*Z=12"):
        generator.map(torch.randn(2, 10))
    labels = torch.zeros(2, dtype=torch.long)
    with pytest.raises(InputError, match="without classes"):
        generator.map(torch.randn(2, 12), labels)
    with pytest.raises(InputError, match="without classes"):
        generator.synthesize(torch.randn(2, 10), labels)
    with pytest.raises(InputError, match=r"unknown noise; given: loud"):
        generator.synthesize(torch.randn(2, 10), noise="loud")
