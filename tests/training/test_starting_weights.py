"""Training from weights that are there: a released MoCoGAN-HD goes on learning; BigGAN serves as the frozen generator."""

import dataclasses
import json

import pytest
import torch
from accelerate import Accelerator

import latentreel as lr
from latentreel.checkpoints.bundle import read_tensors, save_image_generator, write_tensors
from latentreel.cli.train import build, start
from latentreel.core.config import load_yaml
from latentreel.core.errors import InputError
from latentreel.pipelines.mocogan_hd_pipeline import MoCoGANHDPipeline
from latentreel.training.motion_config import MotionTrainingConfig
from latentreel.training.presets import MOTION
from latentreel.training.starting_weights import resolve


@pytest.fixture
def release(fixtures_dir, tmp_path):
    """The released model as a bundle, and its discriminators' files."""
    folder = fixtures_dir / "mocogan_hd"
    pipe = lr.import_mocogan_hd(
        image_generator=folder / "image_generator_rosinality.pt",
        motion=folder / "modelR_epoch_0.pth",
        basis=folder,
        step_size=0.3,
    )
    pipe.save(tmp_path / "released", origin="a test", licence="a licence")
    return {
        "start_from": str(tmp_path / "released"),
        "video_discriminator": str(folder / "modelD_3d_in_domain.pth"),
        "image_discriminator": str(folder / "modelD_img_in_domain.pth"),
    }


def debug(tmp_path, **changes):
    return dataclasses.replace(MOTION["debug"], out=tmp_path / "run", device="cpu", **changes)


def test_a_released_model_is_trained_further(release, tmp_path):
    config = debug(tmp_path, **release)
    training = build(resolve(config), Accelerator(cpu=True))
    given = lr.VideoPipeline.load(release["start_from"])
    assert training.motion_generator.config == given.motion_generator.config
    found = training.motion_generator.state_dict()
    assert all(torch.equal(value, found[key]) for key, value in given.motion_generator.state_dict().items())
    judge = lr.load_discriminator(release["video_discriminator"])
    assert all(torch.equal(v, training.video_discriminator.state_dict()[k]) for k, v in judge.state_dict().items())

    start(config)
    written = load_yaml(MotionTrainingConfig, config.out / "config.yaml")
    assert (written.hidden_dim, written.num_components, written.step_size) == (24, 20, 0.3)
    trained = lr.VideoPipeline.load(config.out)
    moved = (
        trained.motion_generator.state_dict()["decoder.weight_ih"] - given.motion_generator.state_dict()["decoder.weight_ih"]
    )
    assert 0 < moved.abs().max() < 0.1
    assert torch.equal(trained.basis.components, given.basis.components[:20])
    card = json.loads((config.out / "bundle" / "card.json").read_text())
    assert card["licence"] == "a licence"
    assert card["origin"].endswith("from a test")
    start(dataclasses.replace(config, kclips=config.kclips + 0.002))  # resumes


def test_what_the_start_replaces_is_said_and_a_changed_basis_refused(release, tmp_path, caplog):
    config = resolve(debug(tmp_path, **release))
    assert config.image_generator == release["start_from"]
    assert "bring image_generator" in caplog.text
    assert "bring step_size 0.3; 0.2 is not used" in caplog.text
    start(config)
    path = config.out / "basis.safetensors"
    write_tensors({key: value * 2 for key, value in read_tensors(path).items()}, path)
    with pytest.raises(InputError, match="the latent basis has changed since the run"):
        start(dataclasses.replace(config, kclips=config.kclips + 0.002))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, None),
        ({"domain": "cross", "memory_bank_size": 8, "momentum": 0.9}, None),
        ({"memory_bank_size": 8}, "content_matching is pairs: memory_bank_size has no effect"),
        (
            {"domain": "cross", "contrastive_weight": 0.0, "own_entry": False, "momentum": 0.9},
            "contrastive_weight is 0: own_entry, momentum have no effect",
        ),
        (
            {"domain": "cross", "image_discriminator_weight": 0.0, "feature_matching_weight": 5.0},
            "image_discriminator_weight is 0: feature_matching_weight has no effect",
        ),
        ({"residual": "none", "step_size": 0.3}, "residual is none: step_size has no effect"),
    ],
)
def test_options_without_effect_are_named(changes, said, tmp_path, caplog):
    resolve(debug(tmp_path, **changes))
    assert [record.getMessage() for record in caplog.records] == ([said] if said else [])


def test_weights_to_start_from_must_be_of_the_right_kind(release, fixtures_dir, tmp_path):
    folder = fixtures_dir / "mocogan_hd"
    cases = {
        "start_from": ("nowhere", "nothing to start from; given: nowhere"),
        "video_discriminator": (str(folder / "modelD_3d_cross_domain.pth"), "VideoDiscriminator, cross domain; allowed"),
        "image_discriminator": (
            str(folder / "bigganD_cross_domain.pth"),
            "ContrastiveDiscriminator; allowed: PairDiscriminator",
        ),
    }
    for field, (value, problem) in cases.items():
        with pytest.raises(InputError, match=problem):
            resolve(debug(tmp_path, **(release | {field: value})))


@pytest.mark.parametrize("num_classes", [1, 3])
def test_biggan_serves_as_the_frozen_generator(num_classes, tmp_path, run_cli):
    generator = lr.build_image_generator("biggan", resolution=32, base_width=3, num_classes=num_classes, shared_dim=4, z_dim=16)
    save_image_generator(generator, tmp_path / "biggan", origin="a test")
    config = debug(tmp_path, image_generator=str(tmp_path / "biggan"))
    start(config)
    start(dataclasses.replace(config, kclips=config.kclips + 0.002))  # resumes
    frozen = lr.load_image_generator(config.out)
    assert all(torch.equal(value, frozen.state_dict()[key]) for key, value in generator.state_dict().items())
    words = ["generate", config.out, "--device", "cpu", "--out", tmp_path / "clips", "--frames", 3]
    assert run_cli(*words, "--seeds", 1, 2)[0] == 0
    code, _, errors = run_cli(*words, "--label", 3)
    problem = (
        "no such class; given: 3; allowed: 0 to 2" if num_classes > 1 else "labels were given to a network without classes"
    )
    assert code == 2
    assert problem in errors[0]


def test_the_seed_or_the_user_chooses_the_class(tmp_path):
    generator = lr.build_image_generator("biggan", resolution=32, base_width=3, num_classes=4, shared_dim=4, z_dim=16)
    basis = lr.LatentBasis.fit(generator, num_samples=100, num_components=4)
    motion = lr.MotionGenerator(basis=basis, latent_dim=16, hidden_dim=4)
    pipe = MoCoGANHDPipeline(image_generator=generator, basis=basis, motion_generator=motion)
    chosen = [pipe.generate(seed=5, num_frames=2, label=label).frames.tobytes() for label in range(4)]
    assert len(set(chosen)) == 4
    assert pipe.generate(seed=5, num_frames=2).frames.tobytes() in chosen
    assert len({chosen.index(pipe.generate(seed=5, num_frames=2).frames.tobytes()) for _ in range(3)}) == 1
