"""Pickles of StyleGAN-V's program: every variant's sizes are found, oddities are named, and config objects stay inert.

Written here as in `test_network_pickle`; parity with a real one: `tests/parity/test_stylegan_v.py`.
"""

import pytest
import torch
from hostile_pickles import FIXTURES, as_network, call, every_form, group, named, refusal, text

from latentreel.checkpoints.describe import describe
from latentreel.checkpoints.load import load_discriminator, load_image_generator, load_video_generator
from latentreel.checkpoints.plain_values import Record
from latentreel.checkpoints.torch_file import read_checkpoint
from latentreel.core.errors import InputError
from latentreel.stylegan_v.config import StyleGANVConfig, StyleGANVDiscriminatorConfig
from latentreel.stylegan_v.discriminator import StyleGANVDiscriminator
from latentreel.stylegan_v.generator import StyleGANVGenerator
from network_pickles import write_network_pickle

FILE = FIXTURES / "stylegan_v" / "network-snapshot.pkl"
FRAMES = {"resolution": 32, "channels": (6, 5, 8, 4), "mapping_layers": 2}
TIME = {"z_dim": 7, "w_dim": 6, "motion_dim": 4, "code_dim": 3, "motion_kernel": 3, "num_frequencies": 2, "max_period": 50.0}
JUDGE = {"max_frames": 20, "difference_dim": 3}
VARIANTS = {
    "plain": ({}, {}),
    "classes": ({"num_classes": 3, "conv_clamp": 256.0, "fps": 30.0}, {"num_classes": 3, "conv_clamp": 256.0}),
    "motion of a class": ({"num_classes": 2, "motion_sees_class": True, "architecture": "resnet"}, {"num_classes": 2}),
    "two halves": ({"anchor_distance": 8}, {"clip_frames": 2, "join_resolution": 8, "deviation_group": 2}),
}


def networks(of_generator=None, of_judge=None):
    generator = StyleGANVGenerator(StyleGANVConfig(**(FRAMES | TIME | (of_generator or {}))))
    judge = StyleGANVDiscriminator(StyleGANVDiscriminatorConfig(**(FRAMES | JUDGE | (of_judge or {}))))
    return generator.eval(), judge.eval()


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_draws_and_judges_as_the_network_that_was_written(name, tmp_path, fp32):
    generator, judge = networks(*VARIANTS[name])
    path = write_network_pickle(tmp_path / "network.pkl", generator, judge)
    again, judge_again = load_video_generator(path), load_discriminator(path)
    assert again.config == generator.config
    assert judge_again.config == judge.config
    labels = torch.tensor([0, 1]) if generator.num_classes else None
    z, noise, t = torch.randn(2, 7), torch.randn(2, 8, 4), torch.tensor([[0.0, 3.0, 9.0], [2.0, 5.0, 20.0]])
    t = t[:, : judge.config.clip_frames]
    with torch.no_grad():
        video = generator(z, noise, t, labels)
        assert torch.equal(again(z, noise, t, labels), video)
        assert torch.equal(judge_again(video, t, labels), judge(video, t, labels))
    assert not any(parameter.requires_grad for module in (again, judge_again) for parameter in module.parameters())


WAVES = "synthesis.motion_encoder.time_encoder"
SPOILED = {
    "missing": (lambda g: g.pop(f"{WAVES}.phase_predictor.weight"), r"missing \(.*phase_predictor.weight\)"),
    "added": (lambda g: g.update({f"{WAVES}.phase_predictor.bias": torch.zeros(2)}), r"unexpected \(.*phase_predictor.bias\)"),
    "noise": (lambda g: g.update({"synthesis.b8.conv0.noise_const": torch.zeros(8, 8)}), r"unexpected \(.*noise_const\)"),
    "shape": (lambda g: g.update({"synthesis.b4.input.input.const": torch.zeros(1, 6, 8, 8)}), "const has the wrong shape"),
    "frequencies": (lambda g: g[f"{WAVES}.freqs"].mul_(1.01), "freqs is not what its settings make it"),
    "no frequencies": (lambda g: g.pop(f"{WAVES}.freqs"), "time_encoder.freqs"),
    "scales": (lambda g: g[f"{WAVES}.phase_scales"].add_(1), "phase_scales is not what its settings make it"),
    "no motion": (lambda g: g.pop("synthesis.motion_encoder.conv.0.weight"), "motion_encoder.conv.0.weight"),
}


@pytest.mark.parametrize("name", SPOILED)
def test_what_does_not_fit_is_named(name, tmp_path):
    change, problem = SPOILED[name]
    path = write_network_pickle(tmp_path / "network.pkl", *networks(), change=change)
    with pytest.raises(InputError, match=problem):
        load_video_generator(path)


@pytest.mark.parametrize(
    ("setting", "value", "problem"),
    [
        ("motion.gen_strategy", "autoregressive", "not known here: motion.gen_strategy; given: autoregressive; allowed: conv"),
        ("time_enc.cond_type", "sum_const", "not known here: time_enc.cond_type"),
        ("use_noise", True, "not known here: use_noise; given: True"),
        ("motion.fourier", False, "not known here: motion.fourier"),
        ("motion.motion_z_distance", 16.5, "motion.motion_z_distance is no whole number; given: 16.5"),
        ("motion.motion_z_distance", None, "motion.motion_z_distance is out of range; given: None"),
        ("motion.motion_z_distance", "${a}", r"motion.motion_z_distance is out of range; given: \$\{a\}"),
        ("motion.z_dim", 5, "conv.0.weight has the wrong shape"),
        ("time_enc.max_period_len", 10**30, "time_enc.max_period_len is out of range"),
        ("time_enc.min_period_len", 51, "no waves have such periods"),
        ("sampling.fps", -1, "sampling.fps is out of range"),
    ],
)
def test_settings_that_are_not_known_or_cannot_be_are_named(setting, value, problem, tmp_path):
    path = write_network_pickle(tmp_path / "network.pkl", *networks(), settings={setting: value})
    with pytest.raises(InputError, match=problem):
        load_video_generator(path)


def test_kinds_of_models_are_not_taken_for_each_other(tmp_path):
    with pytest.raises(InputError, match=r"no image generator.*given: a StyleGAN-V, which generates videos"):
        load_image_generator(FILE)
    for other in (FIXTURES / "stylegan2_ada" / "network-snapshot.pkl", FIXTURES / "biggan_pytorch" / "G_ema.pth", "faces"):
        with pytest.raises(InputError, match="is no StyleGAN-V; given: an image generator"):
            load_video_generator(other)
    with pytest.raises(InputError, match="no such video generator; given: nowhere"):
        load_video_generator("nowhere")
    assert load_video_generator(FILE, network="G").provenance["origin"] == f"{FILE.name}, G of a network pickle of StyleGAN-V"


# --- what the program's own names in the file may do: nothing --------------------------------------------------------------

INERT = [
    *(f"omegaconf.{name}" for name in ("dictconfig.DictConfig", "listconfig.ListConfig", "nodes.AnyNode")),
    *(f"omegaconf.base.{name}" for name in ("ContainerMetadata", "Metadata")),
    *("training.layers.TemporalDifferenceEncoder", "src.training.layers.TemporalDifferenceEncoder"),
]


@every_form
@pytest.mark.parametrize("name", INERT)
def test_config_objects_are_records_whatever_they_are_made_of(name, form, write, canary):
    evil = call("os.system", text(f"touch {canary}"))
    body = b"}" + text("x") + call(name, text("${oc.env:HOME}"), b"}") + b"}" + text("_content") + text("${eval:1}") + b"sbs"
    record = read_checkpoint(write(form(body)))["x"]
    assert isinstance(record, Record)
    assert (record.kind, record.arguments, record.state) == (name, ("${oc.env:HOME}", {}), {"_content": "${eval:1}"})
    for hidden in (call(name, evil), call(name) + b"}" + text("_content") + evil + b"sb", named(name) + evil + b"R"):
        assert "os.system" in refusal(write(form(b"}" + text("x") + hidden + b"s")))


def test_what_else_these_packages_have_is_refused_by_name(write, canary):
    for name in (
        "omegaconf.OmegaConf.create",
        "omegaconf.resolvers.oc.env",
        "hydra.utils.instantiate",
        "training.layers.Other",
    ):
        assert name in refusal(write(as_network(named(name) + group(text("os")) + b"R")))


def test_config_objects_that_hold_themselves_or_anything_are_survived(write):
    data = FILE.read_bytes()
    for old, new in {
        b"motion_z_distance": b"motion_z_distancf",
        b"concat_const": b"concat_cunst",
        b"min_period_len": b"min_period_lem",
        b"_content": b"_contenu",
        b"motion_encoder": b"motion_encodes",
        b"const_embed": b"const_embex",
        b"fourier_coefs": b"fourier_coeft",
    }.items():
        assert old in data
        refusal(write(data.replace(old, new)))
    network = call(
        "torch_utils.persistence._reconstruct_persistent_obj",
        b"}(" + text("type") + text("class") + text("class_name") + text("Generator") + text("state") + b"}q\x02u",
    )
    settings = call("omegaconf.dictconfig.DictConfig") + b"q\x03}" + text("_content") + b"}" + text("motion") + b"h\x03ssb"
    parts = b"}" + text("synthesis") + call("types.SimpleNamespace") + b"}" + text("_modules") + b"}" + text("motion_encoder")
    parts += call("types.SimpleNamespace") + b"ss" + b"bs"
    body = (
        b"}q\x05" + text("G_ema") + network + b"s0h\x02" + text("cfg") + settings + b"s0h\x02" + text("_modules") + parts + b"s"
    )
    assert "synthesis.b4.conv1.weight" in refusal(write(as_network(body + b"0h\x05")), describe)
