"""`latentreel weights`: says what files are, and carries them between formats."""

import pytest
import torch
from PIL import Image

from latentreel.checkpoints.load import load_discriminator, load_image_generator
from latentreel.pipelines.video_pipeline import VideoPipeline
from latentreel.training.state import read_state, saved_states

SHOWN = {
    "mocogan_hd/image_generator_rosinality.pt": ["StyleGAN2 g_ema", "60,515 parameters", "beside it, not read: g, d"],
    "mocogan_hd/modelR_epoch_0.pth": ["motion generator of the MoCoGAN-HD release", "14,260 parameters", "not in the file"],
    "mocogan_hd/modelD_3d_in_domain.pth": ["VideoDiscriminator", "in\n"],
    "mocogan_hd/bigganD_cross_domain.pth": ["ContrastiveDiscriminator", "64"],
    "stylegan2_ada/network-snapshot.pkl": ["network pickle", "G_ema: StyleGAN2Generator", "D: StyleGAN2Discriminator", "256.0"],
    "stylegan_v/network-snapshot.pkl": ["network pickle of StyleGAN-V", "StyleGANVGenerator", "StyleGANVDiscriminator", "64.0"],
    "biggan_pytorch/G_ema.pth": ["BigGAN", "num_classes                 5"],
}


@pytest.mark.parametrize("name", SHOWN)
def test_show_says_what_a_file_is(name, fixtures_dir, run_cli):
    code, output, errors = run_cli("weights", "show", fixtures_dir / name)
    assert (code, errors) == (0, [])
    assert [part for part in SHOWN[name] if part not in output] == []
    assert "licence     not stated" in output


def test_show_tells_the_licence_of_what_ships(run_cli):
    code, output, _ = run_cli("weights", "show", "faces")
    assert code == 0
    assert "Apache-2.0" in output
    assert "motion generator: MotionGenerator" in output


@pytest.mark.parametrize(("name", "rows"), [("stylegan2_ada/network-snapshot.pkl", 4), ("biggan_pytorch/G_ema.pth", 5)])
def test_the_sheet_has_a_row_for_each_class(name, rows, fixtures_dir, run_cli, tmp_path):
    code, output, _ = run_cli("weights", "show", fixtures_dir / name, "--sheet", tmp_path / "sheet.png")
    assert code == 0
    assert str(tmp_path / "sheet.png") in output
    assert Image.open(tmp_path / "sheet.png").size == (8 * 34 - 2, rows * 34 - 2)


def test_a_released_model_becomes_a_bundle_and_files_again(fixtures_dir, run_cli, tmp_path):
    folder, bundle, out = fixtures_dir / "mocogan_hd", tmp_path / "bundle", tmp_path / "out"
    words = ["--motion", folder / "modelR_epoch_0.pth", "--basis", folder, "--licence", "a licence", "--out", bundle]
    assert run_cli("weights", "import", folder / "image_generator_rosinality.pt", *words)[0] == 0
    assert "a licence" in run_cli("weights", "show", bundle)[1]
    assert len(VideoPipeline.load(bundle).generate(num_frames=3)) == 3
    code, output, _ = run_cli("weights", "export", bundle, "--out", out)
    assert code == 0
    assert all(str(path) in output for path in out.iterdir())


@pytest.mark.parametrize(
    ("name", "suffix"), [("mocogan_hd/image_generator_rosinality.pt", ".pt"), ("biggan_pytorch/G_ema.pth", ".pth")]
)
def test_an_image_generator_returns_bit_for_bit(name, suffix, fixtures_dir, run_cli, tmp_path):
    assert run_cli("weights", "import", fixtures_dir / name, "--out", tmp_path / "bundle")[0] == 0
    assert run_cli("weights", "export", tmp_path / "bundle", "--out", tmp_path / f"out{suffix}")[0] == 0
    one, other = (load_image_generator(path).state_dict() for path in (fixtures_dir / name, tmp_path / f"out{suffix}"))
    assert one.keys() == other.keys()
    assert all(torch.equal(value, other[key]) for key, value in one.items())


def test_a_variant_without_a_place_in_the_format_is_not_exported(fixtures_dir, run_cli, tmp_path):
    words = [fixtures_dir / "stylegan2_ada" / "network-snapshot.pkl", "--out", tmp_path / "out.pt"]
    code, _, errors = run_cli("weights", "export", *words)
    assert code == 2
    assert "this format has no place for the variant; given: skip, conv_clamp 256.0" in errors[0]
    assert list(tmp_path.iterdir()) == []
    assert run_cli("weights", "export", *words, "--drop-clamp")[0] == 0
    assert load_image_generator(tmp_path / "out.pt").config.conv_clamp is None


def test_terms_travel_with_the_weights(fixtures_dir, run_cli, tmp_path):
    folder, terms = fixtures_dir / "mocogan_hd", "CC BY-NC 4.0"
    words = ["--motion", folder / "modelR_epoch_0.pth", "--basis", folder, "--licence", terms, "--out", tmp_path / "whole"]
    assert run_cli("weights", "import", folder / "image_generator_rosinality.pt", *words)[0] == 0
    assert run_cli("weights", "import", tmp_path / "whole", "--out", tmp_path / "images")[0] == 0
    assert load_image_generator(tmp_path / "images").provenance["licence"] == terms


def test_the_other_generator_of_a_network_pickle_can_be_asked_for(fixtures_dir, run_cli, tmp_path):
    words = [fixtures_dir / "stylegan2_ada" / "network-snapshot.pkl", "--out", tmp_path / "bundle"]
    assert run_cli("weights", "import", *words, "--network", "G")[0] == 0
    assert "G of a network pickle" in run_cli("weights", "show", tmp_path / "bundle")[1]


def test_a_stylegan_v_becomes_a_bundle_that_says_what_it_is(fixtures_dir, run_cli, tmp_path):
    words = [fixtures_dir / "stylegan_v" / "network-snapshot.pkl", "--out", tmp_path / "bundle", "--licence", "a licence"]
    assert run_cli("weights", "import", *words)[0] == 0
    assert {path.name for path in (tmp_path / "bundle").iterdir()} == {"card.json", "stylegan_v.safetensors"}
    code, output, _ = run_cli("weights", "show", tmp_path / "bundle")
    assert code == 0
    for part in ("bundle of kind stylegan_v", "a licence", "G_ema of a network pickle of StyleGAN-V", "StyleGANVGenerator"):
        assert part in output
    assert run_cli("generate", tmp_path / "bundle", "--frames", "2", "--out", tmp_path / "video.mp4")[0] == 0
    assert (tmp_path / "video.mp4").exists()


def test_a_choice_where_there_is_none_is_refused(fixtures_dir, run_cli, tmp_path):
    for source in (fixtures_dir / "biggan_pytorch" / "G_ema.pth", "faces"):
        code, _, errors = run_cli("weights", "import", source, "--out", tmp_path / "bundle", "--network", "G")
        assert code == 2
        assert "holds one image generator, and no choice; given: G" in errors[0]


def test_what_is_no_image_generator_is_called_by_its_name(fixtures_dir, run_cli, tmp_path):
    words = ["weights", "import", fixtures_dir / "mocogan_hd" / "modelD_3d_in_domain.pth", "--out", tmp_path / "bundle"]
    assert "no image generator of a known format; given: a discriminator of the MoCoGAN-HD release" in run_cli(*words)[2][0]


@pytest.mark.parametrize("preset", ["debug", "debug-cross"])
def test_a_run_goes_out_with_its_discriminators_and_training_goes_on_from_them(preset, debug_runs, run_cli, tmp_path):
    words = ["train", "motion", preset, "--device", "cpu", "--kclips", "0.004"]
    assert run_cli(*words, "--image-generator", debug_runs / "image", "--out", tmp_path / "first")[0] == 0
    assert run_cli("weights", "export", tmp_path / "first", "--out", tmp_path / "out")[0] == 0
    video, image = (tmp_path / "out" / f"modelD_{kind}_epoch_0.pth" for kind in ("3d", "img"))
    assert (tmp_path / "out" / "modelR_epoch_0.pth").exists()
    state = read_state(saved_states(tmp_path / "first" / "state")[0])["modules"]
    for path, name in ((video, "video_discriminator"), (image, "image_discriminator")):
        again = load_discriminator(path).state_dict()
        assert again.keys() == state[name].keys()
        assert all(torch.equal(value, again[key]) for key, value in state[name].items())
    words += ["--start-from", tmp_path / "first", "--video-discriminator", video, "--image-discriminator", image]
    assert run_cli(*words, "--out", tmp_path / "second")[0] == 0


def test_a_discriminator_of_changes_stays_here(debug_runs, run_cli, tmp_path, caplog):
    words = ["train", "motion", "debug-cross", "--device", "cpu", "--kclips", "0.002", "--video-sees", "changes"]
    assert run_cli(*words, "--image-generator", debug_runs / "image", "--out", tmp_path / "run")[0] == 0
    assert run_cli("weights", "export", tmp_path / "run", "--out", tmp_path / "out")[0] == 0
    assert {path.name for path in (tmp_path / "out").glob("modelD*")} == {"modelD_img_epoch_0.pth"}
    assert "D_V of this run looks at changes" in caplog.text
