"""What a user gets wrong costs one line that says what to do, exit code 2, and leaves no file behind."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

IMAGE = ["train", "image", "debug", "--device", "cpu"]
MOTION = ["train", "motion", "debug", "--device", "cpu", "--image-generator"]
INVERT = ["invert", "runs/motion", "--device", "cpu", "--out", "found", "--image"]
PREDICT = ["predict", "runs/motion", "--device", "cpu", "--out", "found"]
DRIVE = ["transfer", "drive", "runs/motion", "--device", "cpu", "--out", "m.safetensors", "--video"]
GENERATE = ["generate", "runs/motion", "--device", "cpu", "--out", "clips"]
TIMES = ["generate", "runs/stylegan-v", "--device", "cpu", "--out", "clips"]
WORLD = ["data", "make-world", "faces", "--out", "world", "--resolution", "16", "--videos", "1", "--frames", "2"]

CASES = {
    # data
    "no folder": ([*IMAGE, "--data", "nowhere"], "cannot read nowhere: No such file.*name a folder of videos"),
    "empty folder": ([*IMAGE, "--data", "empty"], "nothing in empty can be used.*an empty folder.*allowed: videos"),
    "no videos": ([*IMAGE, "--data", "texts"], r"nothing in texts can be used; given: 1 \.txt"),
    "broken videos": ([*IMAGE, "--data", "noise"], r"none of 1 items can be decoded.*a\.mp4 is not a video"),
    "short videos": ([*MOTION, "runs/image", "--data", "short"], "no video is long enough.*5 frames.*7 frames or more.*lower"),
    "no such world": ([*IMAGE, "--data", "world:moon"], "no such world; given: moon; allowed: faces"),
    "no data": (["train", "image", "small"], "brings no data; give --data FOLDER"),
    # presets and fields
    "no such command": (["trains", "image"], "no such command; given: trains; allowed: demo, train"),
    "no such family": (["train", "images"], "no such thing to train; given: images; allowed: image, motion"),
    "no preset": (["train", "image"], "a preset is missing; allowed: debug, small.*for example"),
    "no such preset": (["train", "image", "huge"], "no such preset; given: huge; allowed: debug, small"),
    "unknown field": ([*IMAGE, "--batchsize", "3"], "--batchsize.*perhaps you meant --batch-size"),
    "no number": ([*IMAGE, "--batch-size", "many"], "--batch-size.*'many'"),
    "no value": ([*IMAGE, "--kimg"], "Missing value.*--kimg"),
    "no choice": ([*IMAGE, "--architecture", "deep"], "'deep'.*--architecture.*'skip', 'resnet', 'orig'"),
    "too small": ([*IMAGE, "--batch-size", "0"], r"error: batch_size is out of range; given: 0; allowed: at least 1"),
    "endless": ([*IMAGE, "--kimg", "inf"], "kimg is out of range; given: inf"),
    "huge seed": ([*IMAGE, "--seed", str(2**64)], "seed is out of range"),
    "resolution": ([*IMAGE, "--resolution", "48"], "resolution does not fit StyleGAN2; given: 48; allowed: a power of two"),
    "channels": ([*IMAGE, "--channels", "8", "8"], r"channels do not fit the resolution; given: \[8, 8\]; allowed: 3"),
    "pairs across": (
        [*MOTION, "faces", "--domain", "cross", "--content-matching", "pairs"],
        "cannot be compared across domains; given: domain cross.*use --content-matching contrastive",
    ),
    "unequal widths": (
        [*MOTION, "faces", "--residual", "paper", "--hidden-dim", "9"],
        "hidden_dim.*given: 9.*as num_components",
    ),
    "momentum": ([*MOTION, "faces", "--momentum", "1"], "momentum is out of range; given: 1.0; allowed: 0 to below 1"),
    "no memory": ([*MOTION, "faces", "--drawing-gb", "0"], "drawing_gb is out of range; given: 0"),
    "no bank": ([*MOTION, "faces", "--memory-bank-size", "0"], "memory_bank_size is out of range; given: 0"),
    # config files
    "no config": (["train", "image", "--config"], "--config needs a file"),
    "config missing": (["train", "image", "--config", "nowhere.yaml"], "cannot read the config nowhere.yaml: No such file"),
    "config broken": (["train", "image", "--config", "broken.yaml"], "broken.yaml is not a YAML file"),
    "config binary": (["train", "image", "--config", "noise/a.mp4"], "is not a YAML file"),
    "config unknown": (
        ["train", "image", "--config", "unknown.yaml"],
        "unknown field; given: batchsize.*did you mean batch_size",
    ),
    "config value": (
        ["train", "image", "--config", "value.yaml"],
        "architecture has a wrong value; given: 'deep'; allowed: skip,",
    ),
    "config range": (["train", "image", "--config", "range.yaml"], "batch_size is out of range; given: 0"),
    # outputs
    "out in /proc": ([*IMAGE, "--out", "/proc/run"], "cannot write to /proc/run.*choose another output folder"),
    "out in a file": ([*IMAGE, "--out", "texts/a.txt/run"], "cannot write to texts/a.txt/run: Not a directory"),
    "clip in a file": ([*GENERATE[:-1], "texts/a.txt/clip.mp4"], "cannot write to texts/a.txt"),
    "world in a file": ([*WORLD, "--out", "texts/a.txt"], "cannot write to texts/a.txt"),
    "basis in /proc": (["basis", "runs/image", "--samples", "99", "--out", "/proc/b.safetensors"], "cannot write"),
    "another run": ([*IMAGE, "--out", "runs/image", "--seed", "4"], "another seed; given: 4; allowed: 0; use another --out"),
    "another kind": ([*MOTION, "runs/image", "--out", "runs/image"], "runs/image holds a run of another kind.*use another"),
    "damaged state": ([*IMAGE, "--out", "runs/damaged"], r"step-000000010\.pt is damaged; delete it to resume"),
    # image generators
    "no generator": ([*MOTION, "nowhere"], "no such image generator; given: nowhere; allowed: a bundle folder"),
    "generator empty": ([*MOTION, "empty"], "empty holds no bundle.*wait until it has saved"),
    "generator text": ([*MOTION, "texts/a.txt"], "texts/a.txt is damaged, or no checkpoint"),
    "generator evil": ([*MOTION, "evil.pt"], r"asks for code to be run, and is not loaded; given: posix\.system"),
    "keys missing": ([*MOTION, "missing.pt"], r"missing\.pt: keys do not fit: 1 missing \(convs\.0\.conv\.weight\)"),
    "keys extra": ([*MOTION, "extra.pt"], r"extra\.pt: keys do not fit: 1 unexpected \(more\)"),
    "bundle keys missing": ([*MOTION, "bundles/missing"], r"keys do not fit: 1 missing \(mean_latent\)"),
    "bundle keys extra": ([*MOTION, "bundles/extra"], r"keys do not fit: 1 unexpected \(more\)"),
    "bundle changed": ([*MOTION, "bundles/changed"], "is not the file that its card describes"),
    "bundle without weights": ([*MOTION, "bundles/empty"], "cannot read .*image_generator.safetensors"),
    "card broken": ([*MOTION, "bundles/card"], "card.json is damaged"),
    "grown from nothing": ([*IMAGE, "--grow-from", "empty"], "no trained state to grow from; given: empty"),
    # generating
    "no model": ([*GENERATE[:1], "nowhere"], "no such bundle; given: nowhere"),
    "model without motion": (
        [*GENERATE[:1], "runs/image"],
        "holds no motion generator.*train one: latentreel train motion PRESET --image-generator",
    ),
    "negative frames": ([*GENERATE, "--frames", "-1"], "frames is out of range; given: -1; allowed: at least 1"),
    "truncation": ([*GENERATE, "--truncation", "7"], "truncation is out of range; given: 7.0; allowed: 0 to 2"),
    "no frame rate": ([*GENERATE, "--fps", "0"], "fps is out of range; given: 0"),
    "no seeds": ([*GENERATE, "--seeds"], "a seed is missing"),
    "one file": ([*GENERATE, "--seeds", "1", "2", "--out", "c.mp4"], "several videos do not fit into one file.*--grid"),
    "suffix": ([*GENERATE, "--out", "clip.avi"], r"unknown video suffix; given: \.avi; allowed: \.mp4"),
    "hold": ([*GENERATE, "--hold", "2"], "hold is out of range; given: 2.0"),
    "no direction": ([*GENERATE, "--directions", "nowhere"], "cannot read nowhere"),
    "strengths": (
        [*GENERATE, "--directions", "a", "--direction-strengths", "1", "2"],
        "not every direction has a strength; given: 1 directions, 2 strengths",
    ),
    "no motion": (["transfer", "apply", *GENERATE[1:], "--motion", "nowhere"], "cannot read nowhere"),
    "motion text": (["transfer", "apply", *GENERATE[1:], "--motion", "texts/a.txt"], "texts/a.txt is damaged or no motion"),
    "motion of another kind": (
        ["transfer", "apply", *GENERATE[1:], "--motion", "runs/motion/bundle/basis.safetensors"],
        "holds no motion; given: other tensors",
    ),
    "motion of another model": (
        ["transfer", "apply", *GENERATE[1:], "--motion", "motion.safetensors"],
        "belongs to a model with another latent basis.*record it anew",
    ),
    "rate of a recording": (["transfer", "record", *GENERATE[1:4], "--fps", "50"], "--fps"),
    "goal of a recording": (["transfer", "record", *GENERATE[1:4], "--to-seed", "3"], "--to-seed"),
    "frames of a mimicry": (["transfer", "mimic", *GENERATE[1:4], "--video", "a", "--frames", "3"], "--frames"),
    "frames of a motion": (["transfer", "apply", *GENERATE[1:4], "--motion", "a", "--frames", "3"], "--frames"),
    "seed of a motion": (["transfer", "apply", *GENERATE[1:4], "--motion", "a", "--motion-seeds", "3"], "--motion-seeds"),
    "latent and a seed": (
        ["transfer", "record", *GENERATE[1:4], "--latent", "a", "--seed", "2"],
        "one from a seed exclude each other; given: a, 2; drop --seed",
    ),
    "layers of no style": (
        [*GENERATE, "--style-layers", "2", "5"],
        "layers follow no other content; given: layers 2 to 5; add",
    ),
    "no steps between": (["interpolate", *GENERATE[1:], "--factor", "0"], "factor is out of range; given: 0"),
    "no component": (["edit", "runs/motion", "--components", "99", "--device", "cpu"], "no such component; given: 99"),
    "two directions": (["edit", "runs/motion", "--save", "a"], "needs one component; given: 10 components"),
    "speed of steps": ([*GENERATE, "--speed", "0.5"], "speed means nothing to a MoCoGAN-HD; given: 0.5; leave it out"),
    "start of steps": ([*GENERATE, "--start-seconds", "1"], "start_seconds means nothing to a MoCoGAN-HD; given: 1.0"),
    "nowhere to go": ([*GENERATE, "--loop", "--to-seed", "1"], "a loop ends where it begins; given: to_seed 1"),
    "hold of any time": ([*TIMES, "--hold", "0.5"], "hold means nothing to a StyleGAN-V; given: 0.5; leave it out"),
    "strength of any time": ([*TIMES, "--strength", "2"], "strength means nothing to a StyleGAN-V; given: 2.0; leave it out"),
    "noise of any time": ([*TIMES, "--noise", "fixed"], "noise means nothing to a StyleGAN-V; given: fixed"),
    "motion of any time": (
        ["transfer", "apply", *TIMES[1:], "--motion", "motion.safetensors"],
        "this motion belongs to a MoCoGAN-HD; give other contents the same motion seed",
    ),
    "class of a latent": ([*GENERATE, "--latent", "many.safetensors"], "the class is no number; given: 1111"),
    "motion recorded of any time": (
        ["transfer", "record", *TIMES[1:], "--out", "m.safetensors"],
        "stylegan-v is a StyleGAN-V.*allowed: a MoCoGAN-HD",
    ),
    "method of any time": (
        ["interpolate", *TIMES[1:], "--method", "linear"],
        "interpolation means nothing to a StyleGAN-V; given: linear",
    ),
    "before time": ([*TIMES, "--start-seconds", "-1"], "nothing before time 0; given: frames from time -25 to -10"),
    "loop of any time": ([*TIMES, "--loop", "--frames", "20"], "does not close; given: 20 frames; allowed: a multiple of 16"),
    "components of any time": (
        ["edit", "runs/stylegan-v", "--device", "cpu"],
        "stylegan-v is a StyleGAN-V.*allowed: a MoCoGAN-HD",
    ),
    "export of any time": (
        ["weights", "export", "runs/stylegan-v", "--out", "released"],
        "stylegan-v is a StyleGAN-V.*a MoCoGAN-HD",
    ),
    "no video model": ([*GENERATE[:1], "missing.pt"], "missing.pt.*keys do not fit"),
    "flags of several": (["bench", "--", "runs/stylegan-v"], "flags behind -- are for one benchmark; given: 0 names"),
    # inverting, predicting, driving
    "no picture": ([*INVERT, "nowhere.png"], r"cannot read nowhere\.png: No such file"),
    "picture text": ([*INVERT, "texts/a.txt"], r"cannot read the image texts/a\.txt"),
    "invert nothing": (INVERT[:-1], "--image"),
    "no such space": ([*INVERT, "still.png", "--space", "z"], "'z'.*--space.*'w', 'w\\+'"),
    "no steps": ([*INVERT, "still.png", "--steps", "0"], "steps is out of range; given: 0; allowed: at least 1"),
    "label without classes": ([*INVERT, "still.png", "--label", "1"], "labels were given to a network without classes"),
    "no lpips": ([*INVERT, "still.png", "--perceptual", "nowhere.pt"], "no such file of LPIPS; given: nowhere.pt"),
    "discriminator": ([*INVERT, "still.png", "--discriminator", "texts/a.txt"], "texts/a.txt is damaged, or no checkpoint"),
    "inverted by no model": (["invert", "nowhere", "--image", "still.png"], "no such bundle; given: nowhere"),
    "nothing to go on from": (PREDICT, "goes on from one thing; allowed: either --image or --video"),
    "two to go on from": ([*PREDICT, "--image", "a", "--video", "b"], "goes on from one thing"),
    "given of a picture": ([*PREDICT, "--image", "still.png", "--given-frames", "2"], "given_frames.*allowed: 1 for a picture"),
    "hold of a prediction": ([*PREDICT, "--image", "still.png", "--hold", "2"], "hold is out of range; given: 2.0"),
    "video too short": (
        [*PREDICT, "--video", "short/a.mp4"],
        r"short/a\.mp4 is too short; given: 3 frames at.*12.5.*allowed: 16 frames",
    ),
    "no driver": ([*DRIVE, "nowhere.mp4"], r"cannot read nowhere\.mp4: No such file"),
    "driver noise": ([*DRIVE, "noise/a.mp4"], "a.mp4 is not a video"),
    "driver still": ([*DRIVE, "still.png"], r"still\.png is too short; given: 1 frames.*allowed: 2 frames"),
    "mimic of nothing": (
        ["transfer", "mimic", *GENERATE[1:4], "--world", "faces", "--video", "nowhere"],
        "cannot read nowhere: No such file",
    ),
    "mimic by a model of no world": (
        ["transfer", "mimic", *GENERATE[1:4], "--video", "short/a.mp4"],
        "not known which world's pictures the model draws; given: runs/motion; allowed: --world faces, creatures",
    ),
    "mimic of a sky": (
        ["transfer", "mimic", *GENERATE[1:4], "--world", "creatures", "--video", "short/a.mp4", "--video-world", "skies"],
        "different motion factors; given: creatures, skies",
    ),
    "project nothing": (["project", "runs/stylegan-v", "--video", "nowhere.mp4"], r"cannot read nowhere\.mp4: No such file"),
    "project with steps": (["project", "runs/motion", "--video", "a.mp4"], "motion is a MoCoGAN-HD.*allowed: a StyleGAN-V"),
    "project no frames": (["project", "runs/stylegan-v", "--video", "a.mp4", "--frames", "0"], "frames is out of range"),
    "latent of a motion": ([*GENERATE, "--latent", "motion.safetensors"], "holds no latent; given: motion"),
    "latent of another model": ([*GENERATE, "--latent", "latent.safetensors"], "latent belongs to another image generator"),
    "latent and seeds": (
        [*GENERATE, "--latent", "latent.safetensors", "--seeds", "1", "2"],
        "exclude each other.*drop --seeds",
    ),
    # the rest
    "world size": ([*WORLD, "--resolution", "48"], "not a power of two.*given: 48"),
    "world frames": ([*WORLD, "--frames", "0"], "at least one frame; given: 0"),
    "world videos": ([*WORLD, "--videos", "-2"], "videos is out of range; given: -2"),
    "data action": (["data", "make"], "no such action on data; given: make; allowed: .*make-world"),
    "components": (["basis", "runs/image", "--components", "0", "--out", "b"], "num_components.*given: 0; allowed: 1 to 16"),
    "samples": (["basis", "runs/image", "--samples", "5", "--out", "b"], "too few samples.*given: 5; allowed: more than 16"),
    "demo minutes": (["demo", "--minutes", "0"], "minutes is out of range; given: 0"),
}


class Evil:
    def __reduce__(self):
        return os.system, ("touch executed",)


def change_weights(bundle: Path, change, *, note_digest: bool = True) -> None:
    from safetensors.torch import load_file, save_file

    path = bundle / "image_generator.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)
    card = json.loads((bundle / "card.json").read_text())
    card["files"][path.name] = hashlib.sha256(path.read_bytes()).hexdigest() if note_digest else card["files"][path.name]
    (bundle / "card.json").write_text(json.dumps(card))


@pytest.fixture(scope="module")
def place(debug_runs, tmp_path_factory) -> Path:
    """A folder full of things that cannot be used."""
    import torch
    from safetensors.torch import save_file

    from latentreel.checkpoints.load import load_image_generator
    from latentreel.checkpoints.recordings import save_latent, save_motion
    from latentreel.checkpoints.stylegan2_state_dict import export_generator
    from latentreel.core.video import Video
    from latentreel.media.contact_sheet import save_image
    from latentreel.media.encode import save_video
    from latentreel.sampling.given_latent import GivenLatent
    from latentreel.sampling.motion import Motion

    place = tmp_path_factory.mktemp("place")
    for name in ("empty", "texts", "noise", "bundles"):
        (place / name).mkdir()
    (place / "texts" / "a.txt").write_text("no video\n")
    (place / "noise" / "a.mp4").write_bytes(np.random.default_rng(0).bytes(3000))
    save_video(Video(np.zeros((5, 16, 16, 3), np.uint8), fps=25), place / "short" / "a.mp4")
    configs = {"broken": "data: [", "unknown": "batchsize: 3", "value": "architecture: deep", "range": "batch_size: 0"}
    for name, line in configs.items():
        (place / f"{name}.yaml").write_text(f"data: world:faces\n{line}\n")
    shutil.copytree(debug_runs, place / "runs")
    damaged = shutil.copytree(debug_runs / "image", place / "runs" / "damaged") / "state" / "step-000000010.pt"
    os.truncate(damaged, 1000)
    for name in ("missing", "extra"):
        foreign = export_generator(load_image_generator(debug_runs / "image"))
        foreign["g_ema"].pop("convs.0.conv.weight") if name == "missing" else foreign["g_ema"].update(more=torch.ones(1))
        torch.save(foreign, place / f"{name}.pt")
    torch.save({"g_ema": Evil()}, place / "evil.pt")
    save_image(place / "still.png", np.zeros((20, 30, 3), np.uint8))
    save_latent(GivenLatent(torch.zeros(16), "0" * 64), place / "latent.safetensors")
    says = {"latentreel": '{"kind": "latent", "format": 1}', "generator": "0" * 64, "label": "1" * 5000}
    save_file({"w": torch.zeros(16)}, place / "many.safetensors", metadata=says)
    save_motion(Motion(torch.zeros(3, 8), "0" * 64, 25.0), place / "motion.safetensors")
    for name in ("missing", "extra", "changed", "empty", "card"):
        shutil.copytree(debug_runs / "image" / "bundle", place / "bundles" / name)
    change_weights(place / "bundles" / "missing", lambda tensors: tensors.pop("mean_latent"))
    change_weights(place / "bundles" / "extra", lambda tensors: tensors.update(more=torch.ones(1)))
    change_weights(place / "bundles" / "changed", lambda tensors: tensors["mean_latent"].add_(1), note_digest=False)
    (place / "bundles" / "empty" / "image_generator.safetensors").unlink()
    (place / "bundles" / "card" / "card.json").write_text("{")
    return place


def files(place: Path) -> dict[str, tuple[int, int]]:
    return {str(p): (p.stat().st_size, p.stat().st_mtime_ns) for p in place.rglob("*") if p.is_file()}


@pytest.mark.parametrize("name", CASES)
def test_one_line_says_what_is_wrong(name, place, run_cli, monkeypatch):
    words, problem = CASES[name]
    words = [*words, "--out", "new/run"] if words[0] == "train" and "--out" not in words and len(words) > 4 else words
    monkeypatch.chdir(place)
    before = files(place)
    code, _, errors = run_cli(*words)
    assert code == 2
    assert len(errors) == 1, errors
    assert errors[0].startswith("latentreel: error: ")
    assert re.search(problem, errors[0])
    assert files(place) == before


@pytest.mark.parametrize("name", ["broken videos", "damaged state", "generator evil"])
def test_a_process_of_its_own_prints_the_same(name, place):
    """Nothing that starts or ends a process adds to the line: no warnings, no tracebacks, no left-over threads."""
    words, problem = CASES[name]
    command = [
        Path(sys.executable).with_name("latentreel"),
        *words,
        "--out",
        "runs/damaged" if "damaged" in name else "new/run",
    ]
    ended = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert re.search(problem, ended.stderr)
