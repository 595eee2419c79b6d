"""The commands do what they say, and say where it is."""

import dataclasses
import json
import re

import numpy as np
import pytest

from latentreel.checkpoints.bundle import read_tensors
from latentreel.checkpoints.recordings import load_motion
from latentreel.cli.progress import counting
from latentreel.cli.train import parse_config
from latentreel.media.contact_sheet import save_image
from latentreel.media.decode import load_image, load_video, open_video
from latentreel.media.encode import save_video
from latentreel.mocogan_hd.latent_basis import LatentBasis
from latentreel.pipelines.video_pipeline import VideoPipeline
from latentreel.training.presets import IMAGE


def test_generate_prints_every_file_that_it_wrote(debug_runs, run_cli, tmp_path):
    folder = tmp_path / "[bold]clips[" / "] :smile:"
    words = ["generate", debug_runs / "motion", "--device", "cpu", "--frames", 5, "--fps", 10]
    code, output, errors = run_cli(*words, "--seeds", 1, 2, "--motion-seeds", 3, 4, 5, "--out", folder)
    assert (code, errors) == (0, [])
    written = sorted(folder.iterdir())
    assert [path.name for path in written] == [f"seed{s:04d}_motion{m:04d}.mp4" for s in (1, 2) for m in (3, 4, 5)]
    assert all(str(path) in output for path in written)
    video = load_video(written[0])
    assert (len(video), video.height, video.width, video.fps) == (5, 16, 16, 10)


def test_a_bar_bears_any_name(capfd):
    with counting("training in a[/b]") as progress:
        progress(1, 2)
    assert "training in a[/b]" in capfd.readouterr().out


def test_generate_keeps_its_word_on_seeds(debug_runs, run_cli, tmp_path):
    words = ["generate", debug_runs / "motion", "--device", "cpu", "--frames", 4, "--format", "frames"]
    for name, extra in {"one": [], "same": [], "other": ["--motion-seeds", 1], "fixed": ["--noise", "fixed"]}.items():
        assert run_cli(*words, *extra, "--out", tmp_path / name)[0] == 0
    frames = {path.name: [file.read_bytes() for file in sorted(path.rglob("*.png"))] for path in tmp_path.iterdir()}
    assert frames["one"] == frames["same"]
    assert frames["one"][0] == frames["other"][0]
    assert frames["one"][1:] != frames["other"][1:]


def test_a_motion_is_saved_and_moves_others(debug_runs, run_cli, tmp_path):
    words = [debug_runs / "motion", "--device", "cpu"]
    assert run_cli("transfer", "record", *words, "--frames", 5, "--seed", 1, "--out", tmp_path / "m.safetensors")[0] == 0
    code, _, errors = run_cli(
        "transfer",
        "apply",
        *words,
        "--motion",
        tmp_path / "m.safetensors",
        "--seeds",
        1,
        2,
        "--grid",
        "--out",
        tmp_path / "g.mp4",
    )
    assert (code, errors) == (0, [])
    assert len(load_video(tmp_path / "g.mp4")) == 5


def test_edit_draws_components_and_keeps_one(debug_runs, run_cli, tmp_path):
    words = ["edit", debug_runs / "motion", "--device", "cpu", "--steps", 3, "--components"]
    assert run_cli(*words, 0, 1, "--out", tmp_path / "sheet.png")[0] == 0
    assert run_cli(*words, 1, "--out", tmp_path / "walk.mp4", "--save", tmp_path / "one.safetensors")[0] == 0
    assert len(load_video(tmp_path / "walk.mp4")) == 3
    generate = ["generate", debug_runs / "motion", "--device", "cpu", "--frames", 2, "--format", "frames"]
    for name, strength in (("none", 0), ("some", 2)):
        extra = ["--directions", tmp_path / "one.safetensors", "--direction-strengths", strength, "--out", tmp_path / name]
        assert run_cli(*generate, *extra)[0] == 0
    none, some = (sorted((tmp_path / name).rglob("*.png"))[0].read_bytes() for name in ("none", "some"))
    assert none != some


def test_interpolate_puts_frames_between(debug_runs, run_cli, tmp_path):
    words = ["interpolate", debug_runs / "motion", "--device", "cpu", "--frames", 5, "--factor", 3, "--out", tmp_path / "i.mp4"]
    assert run_cli(*words)[0] == 0
    video, own = load_video(tmp_path / "i.mp4"), VideoPipeline.load(debug_runs / "motion").fps
    assert (len(video), video.fps) == (13, 3 * own)


@pytest.mark.parametrize(
    ("command", "words", "length", "fps"),
    [
        ("generate", ["--frames", 5], 5, 25),
        ("generate", ["--frames", 5, "--fps", 12.5, "--speed", -1, "--start-seconds", 2, "--to-seed", 3], 5, 12.5),
        ("generate", ["--frames", 16, "--loop", "--seeds", 1, 2, "--motion-seeds", 1, 2, "--grid"], 16, 25),
        ("interpolate", ["--frames", 5, "--factor", 3], 13, 75),
    ],
)
def test_a_stylegan_v_is_used_by_the_same_commands(debug_runs, run_cli, tmp_path, command, words, length, fps):
    code, output, errors = run_cli(
        command, debug_runs / "stylegan-v", "--device", "cpu", *words, "--out", tmp_path / "clip.mp4"
    )
    assert (code, errors) == (0, [])
    assert "clip.mp4" in output
    video = load_video(tmp_path / "clip.mp4")
    assert (len(video), video.fps) == (length, fps)


def test_basis_says_how_much_its_components_hold(debug_runs, run_cli, tmp_path):
    words = ["--samples", 2000, "--components", 5, "--out", tmp_path / "basis.safetensors"]
    code, output, _ = run_cli("basis", debug_runs / "image", *words)
    assert code == 0
    basis = LatentBasis.from_tensors(read_tensors(tmp_path / "basis.safetensors"), where="")
    assert basis.components.shape == (5, 16)
    shown = re.search(r"first +5 components: +([\d.]+) %", output)
    assert float(shown[1]) == pytest.approx(100 * float(basis.explained_variance_ratio.sum()), abs=0.06)


def test_make_world_says_what_it_made(run_cli, tmp_path):
    words = ["--videos", 2, "--frames", 3, "--resolution", 16, "--out", tmp_path / "world"]
    code, output, errors = run_cli("data", "make-world", "faces", *words)
    assert (code, errors) == (0, [])
    assert "2 videos" in output
    assert {path.name for path in (tmp_path / "world").iterdir()} == {"000000.mp4", "000001.mp4", "factors.npz"}


def test_flags_stand_above_the_file_and_the_file_above_the_preset(debug_runs):
    written = debug_runs / "image" / "config.yaml"
    config = parse_config(["image", "--config", str(written), "--kimg", "7", "--no-noise"])
    assert config == dataclasses.replace(IMAGE["debug"], out=debug_runs / "image", device="cpu", kimg=7, noise=False)


def test_what_train_writes_is_files_that_others_may_read(debug_runs):
    """As far as the umask lets them: colleagues on one machine share bundles."""
    modes = {path.suffix: path.stat().st_mode & 0o777 for path in (debug_runs / "motion").rglob("*") if path.is_file()}
    assert set(modes) >= {".safetensors", ".json", ".pt", ".yaml", ".mp4"}
    assert len(set(modes.values())) == 1


def test_a_picture_is_inverted_and_moves(debug_runs, run_cli, tmp_path):
    save_image(tmp_path / "wide.png", np.random.default_rng(0).integers(0, 256, [24, 40, 3], np.uint8))
    words = [debug_runs / "motion", "--device", "cpu", "--steps", 4, "--starts", 1, "--candidates", 0]
    code, output, errors = run_cli("invert", *words, "--image", tmp_path / "wide.png", "--out", tmp_path / "found")
    assert (code, errors) == (0, [])
    assert "40x24 is no square: the centre 24x24 is taken" in output.replace("\n", " ")
    assert "shrunk from 24x24 to 16x16" in output
    assert re.search(r"distance 0\.\d+ \(pixels at several sizes\), after 4 steps\nPSNR \d+", output)
    assert sorted(path.name for path in (tmp_path / "found").iterdir()) == ["latent.safetensors", "reached.png", "sheet.png"]
    moved = ["generate", debug_runs / "motion", "--device", "cpu", "--latent", tmp_path / "found" / "latent.safetensors"]
    assert run_cli(*moved, "--frames", 3, "--format", "frames", "--out", tmp_path / "clips")[0] == 0
    reached, first = (
        load_image(path) for path in (tmp_path / "found/reached.png", next((tmp_path / "clips").rglob("000000.png")))
    )
    assert np.abs(reached.astype(int) - first).max() <= 1


def test_a_clip_is_projected_and_its_content_moves_otherwise(debug_runs, run_cli, tmp_path):
    model = debug_runs / "stylegan-v"
    save_video(VideoPipeline.load(model).generate(num_frames=5), tmp_path / "clip.mp4")
    words = [model, "--video", tmp_path / "clip.mp4", "--device", "cpu", "--steps", 4, "--candidates", 2]
    code, output, errors = run_cli("project", *words, "--out", tmp_path / "found")
    assert (code, errors) == (0, [])
    assert "5 frames at the model's rate, fewer than 16" in output.replace("\n", " ")
    assert re.search(r"distance 0\.\d+ \(pixels at several sizes\), PSNR \d+", output)
    assert sorted(path.name for path in (tmp_path / "found").iterdir()) == [
        "latent.safetensors",
        "motion.safetensors",
        "reached.mp4",
        "sheet.png",
    ]
    applied = ["transfer", "apply", model, "--device", "cpu", "--motion", tmp_path / "found" / "motion.safetensors"]
    code, output, errors = run_cli(*applied, "--seeds", 4, "--out", tmp_path / "applied.mp4")
    assert (code, errors, len(list(open_video(tmp_path / "applied.mp4").frames))) == (0, [], 5)
    assert "belongs to a StyleGAN-V" in run_cli("transfer", "apply", debug_runs / "motion", *applied[3:])[2][0]
    moved = ["generate", model, "--device", "cpu", "--latent", tmp_path / "found" / "latent.safetensors"]
    assert run_cli(*moved, "--frames", 3, "--format", "frames", "--out", tmp_path / "clips")[0] == 0


def test_a_video_is_gone_on_from_and_drives(debug_runs, run_cli, tmp_path):
    words = [debug_runs / "motion", "--device", "cpu", "--steps", 4, "--starts", 1, "--candidates", 0]
    clip = VideoPipeline.load(debug_runs / "motion").generate(num_frames=5)
    save_video(clip, tmp_path / "clip.mp4")
    predicting = ["predict", *words, "--video", tmp_path / "clip.mp4", "--frames", 4, "--motion-seeds", 1, 2]
    code, output, errors = run_cli(*predicting, "--given-frames", 2, "--out", tmp_path / "ahead")
    assert (code, errors) == (0, [])
    (tmp_path / "ahead" / "motion0009.mp4").touch()
    (tmp_path / "ahead" / "mine.txt").touch()
    scores = json.loads((tmp_path / "ahead" / "scores.json").read_text())
    assert len(scores["psnr"]["prediction"]) == 2
    assert f"{scores['means']['linear extrapolation']['psnr']:.2f}" in output
    assert [len(load_video(tmp_path / "ahead" / f"motion000{seed}.mp4")) for seed in (1, 2)] == [4, 4]
    save_image(tmp_path / "still.png", clip.frames[0])
    onward = ["predict", *words, "--image", tmp_path / "still.png", "--frames", 3, "--motion-seeds", 5]
    assert run_cli(*onward, "--out", tmp_path / "ahead")[0] == 0
    written = sorted(path.name for path in (tmp_path / "ahead").iterdir())
    assert written == ["latent.safetensors", "mine.txt", "motion0005.mp4", "reached.png", "sheet.png"]
    driving = ["transfer", "drive", *words, "--video", tmp_path / "clip.mp4", "--frame-steps", 2]
    assert run_cli(*driving, "--out", tmp_path / "m.safetensors")[0] == 0
    assert len(load_motion(tmp_path / "m.safetensors").offsets) == 5
    apply = ["transfer", "apply", debug_runs / "motion", "--device", "cpu", "--motion", tmp_path / "m.safetensors"]
    assert run_cli(*apply, "--latent", tmp_path / "m.latent.safetensors", "--out", tmp_path / "again.mp4")[0] == 0
    assert len(load_video(tmp_path / "again.mp4")) == 5
