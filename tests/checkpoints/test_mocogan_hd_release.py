"""MoCoGAN-HD's released files: sizes are found, prefixes taken off, and what does not fit is named. Parity: `tests/parity/`."""

import pytest
import torch

from latentreel.checkpoints.mocogan_hd_release import (
    export_motion_generator,
    export_patch_discriminator,
    import_latent_basis,
    import_motion_generator,
    import_pair_discriminator,
    import_video_discriminator,
    recognizes_motion_generator,
)
from latentreel.core.errors import InputError
from latentreel.mocogan_hd.image_discriminator import PairDiscriminator
from latentreel.mocogan_hd.motion_generator import MotionGenerator
from latentreel.mocogan_hd.video_discriminator import VideoDiscriminator

D, K, HIDDEN = 10, 6, 8
BASIS = {"components": torch.eye(D), "stdev": torch.linspace(2, 0.1, D)}


def motion_file():
    basis = import_latent_basis(**BASIS, where="pca").truncated(K)
    return export_motion_generator(MotionGenerator(basis=basis, latent_dim=D, hidden_dim=HIDDEN))


def prefixed(state):
    return {f"module.{key}": tensor for key, tensor in state.items()}


def read_motion(state, **changes):
    return import_motion_generator(state, **({"step_size": 0.2, "where": "modelR.pth"} | BASIS | changes))


@pytest.mark.parametrize("wrap", [dict, prefixed])
def test_a_motion_generator_returns_with_its_sizes(wrap):
    foreign = motion_file()
    assert recognizes_motion_generator(wrap(foreign))
    motion = read_motion(wrap(foreign), step_size=0.5)
    config = motion.config
    assert (config.latent_dim, config.hidden_dim, config.num_components, config.step_size) == (D, HIDDEN, K, 0.5)
    assert torch.equal(
        motion.directions, BASIS["components"][:K] * BASIS["stdev"][:K, None]
    )  # the first K, times their deviations
    assert not motion.training
    assert not any(p.requires_grad for p in motion.parameters())
    again = export_motion_generator(motion)
    assert again.keys() == foreign.keys()
    assert all(torch.equal(again[key], tensor) for key, tensor in foreign.items())


@pytest.mark.parametrize(
    "form",
    [{"residual": "paper", "hidden_dim": K}, {"residual": "none", "hidden_dim": 8}, {"noise_from": "state", "hidden_dim": 8}],
)
def test_a_form_that_the_released_program_does_not_know_is_not_exported(form):
    motion = MotionGenerator(basis=import_latent_basis(**BASIS, where="pca").truncated(K), latent_dim=D, **form)
    with pytest.raises(InputError, match="the released program has no such motion generator; given: residual"):
        export_motion_generator(motion)


@pytest.mark.parametrize("wrap", [dict, prefixed])
@pytest.mark.parametrize(
    ("discriminator", "read"),
    [
        (VideoDiscriminator(domain="in", base_width=2), import_video_discriminator),
        (VideoDiscriminator(domain="cross", base_width=3), import_video_discriminator),
        (PairDiscriminator(base_width=2), import_pair_discriminator),
    ],
    ids=["D_V in", "D_V cross", "D_I in"],
)
def test_a_discriminator_returns_with_its_sizes(discriminator, read, wrap):
    foreign = export_patch_discriminator(discriminator)
    again = read(wrap(foreign), where="modelD.pth")
    assert getattr(again, "domain", None) == getattr(discriminator, "domain", None)
    assert again.state_dict().keys() == discriminator.state_dict().keys()
    assert all(torch.equal(again.state_dict()[key], tensor) for key, tensor in discriminator.state_dict().items())
    # Running statistics: of a fresh network when written, not looked at when read.
    assert torch.equal(foreign["netD.scale0_layer3.1.running_var"], torch.ones_like(foreign["netD.scale0_layer3.0.bias"]))
    without = {key: tensor for key, tensor in foreign.items() if ".1." not in key}
    assert len(without) == 20
    assert torch.equal(read(without, where="modelD.pth").scales[1].layers[2].weight, discriminator.scales[1].layers[2].weight)


def test_missing_and_left_over_keys_are_named():
    foreign = motion_file()
    with pytest.raises(InputError, match=r"modelR.pth: keys do not fit: 1 missing \(fc2.bias\) and 1 unexpected \(fc3.bias\)"):
        read_motion({key.replace("fc2.bias", "fc3.bias"): tensor for key, tensor in foreign.items()})
    with pytest.raises(InputError, match=r"unexpected \(module.w\)"):
        read_motion({("module.w" if key == "w" else key): tensor for key, tensor in foreign.items()})
    with pytest.raises(InputError, match=r"unexpected \(epoch\)"):
        read_motion(foreign | {"epoch": 3})
    foreign = export_patch_discriminator(PairDiscriminator(base_width=2))
    with pytest.raises(InputError, match=r"modelD.pth: keys do not fit: 2 missing \(netD.scale0_layer0"):
        import_pair_discriminator({k: t for k, t in foreign.items() if "scale0_layer0" not in k}, where="modelD.pth")


def test_shapes_that_contradict_each_other_are_named():
    foreign = motion_file()
    with pytest.raises(
        InputError, match=r"modelR.pth: cell.weight_ih has the wrong shape; given: \[32, 9\]; allowed: \[32, 10\]"
    ):
        read_motion(foreign | {"cell.weight_ih": torch.zeros(4 * HIDDEN, D - 1)})
    with pytest.raises(InputError, match=r"modelR.pth: w has the wrong shape"):
        read_motion(foreign | {"w": torch.zeros(K)})
    with pytest.raises(InputError, match=r"enc_cell.weight_ih has the wrong shape"):
        read_motion(foreign | {"enc_cell.weight_ih": torch.zeros(4)})
    image = export_patch_discriminator(PairDiscriminator(base_width=2))
    with pytest.raises(InputError, match=r"netD.scale1_layer0.0.weight has the wrong shape.*\[width, channels, kt, kh, kw\]"):
        import_video_discriminator(image, where="modelD.pth")


def test_a_basis_that_does_not_fit_is_refused():
    with pytest.raises(
        InputError, match=r"modelR.pth: the principal components do not fit; given: \[5, 10\]; allowed: \[6 or more, 10\]"
    ):
        read_motion(motion_file(), components=torch.eye(D)[:5], stdev=torch.ones(5))
    with pytest.raises(InputError, match="principal components do not fit"):
        read_motion(motion_file(), components=torch.eye(D + 1), stdev=torch.ones(D + 1))
    with pytest.raises(InputError, match=r"stdev has the wrong shape; given: \[9\]; allowed: \[K=10\]"):
        read_motion(motion_file(), stdev=torch.ones(9))
    with pytest.raises(InputError, match="positive numbers"):
        read_motion(motion_file(), step_size=-1.0)


def test_a_basis_of_all_components_knows_their_shares():
    basis = import_latent_basis(**BASIS, mean=torch.ones(D), where="pca")
    assert basis.explained_variance_ratio.sum().item() == pytest.approx(1)
    assert torch.allclose(basis.explained_variance_ratio, BASIS["stdev"].square() / BASIS["stdev"].square().sum())
    assert torch.equal(basis.mean, torch.ones(D))


def test_another_number_of_input_channels_is_no_domain():
    foreign = export_patch_discriminator(VideoDiscriminator(domain="in", base_width=2))
    for scale in (0, 1):
        foreign[f"netD.scale{scale}_layer0.0.weight"] = torch.zeros(2, 4, 4, 4, 4)
    with pytest.raises(InputError, match=r"given: 4; allowed: 6 \(in-domain\), 3 \(cross-domain\)"):
        import_video_discriminator(foreign, where="modelD.pth")
