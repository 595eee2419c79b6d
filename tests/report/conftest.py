"""What pages are made of: clips, results of evaluations, a run's folder, a study."""

import json

import numpy as np
import pytest

from latentreel.core.video import Video
from latentreel.media.contact_sheet import save_image
from latentreel.media.encode import save_video
from latentreel.report.preference_study import Study, make_pairs


@pytest.fixture(scope="session")
def two_folders(tmp_path_factory):
    """Two folders of four small clips of the same names; those of `dark` are dark, those of `bright` bright."""
    folder = tmp_path_factory.mktemp("sides")
    for name, grey in (("dark", 40), ("bright", 200)):
        for number in range(4):
            frames = np.full((6, 32, 32, 3), grey + 5 * number, np.uint8)
            save_video(Video(frames, 12.5), folder / name / f"clip{number}.mp4")
    return folder


@pytest.fixture(scope="session")
def study(two_folders):
    """Dark against bright."""
    pairs, _ = make_pairs(str(two_folders / "dark"), str(two_folders / "bright"))
    return Study(a="dark", b="bright", pairs=pairs, questions=("Which looks more realistic?", 'Which "moves", <b>more</b>?'))


@pytest.fixture
def result():
    """What `latentreel evaluate` writes, as plain values."""
    score = {"value": 12.5, "clips": 24, "low": 11.0, "high": 14.0, "deviation": None, "real": 3.5, "real_clips": 12}
    side = {"num_clips": 24, "manifest": [["a.mp4", 0], ["b.mp4", 4]], "digest": "ab" * 32}
    return {
        "protocol": {"name": "latentreel", "num_clips": 24, "num_frames": 16},
        "network": {"name": "worlds-clips", "digest": "cd" * 32},
        "clip_shape": [16, 64, 64, 3],
        "real": {"name": "world:faces", "left_out": [], **side},
        "fake": {"name": "<mine>", "left_out": ["c.mp4: is empty"], **side},
        "scores": {
            "Fréchet distance": {**score, "by_frame": None},
            "PSNR": {**score, "low": None, "high": None, "real": None, "by_frame": [30.0, 28.0, 27.0]},
        },
        "variance": {"1": 0.1, "10": 0.5},
        "warnings": ["24 clips are few"],
        "seed": 0,
        "versions": {"torch": "2.13.0"},
    }


@pytest.fixture
def run_folder(tmp_path):
    """A run that stopped before it wrote a bundle."""
    folder = tmp_path / "my run"
    folder.mkdir()
    (folder / "config.yaml").write_text("data: world:faces\nbatch_size: 4\nkclips: 20\n")
    entries = [
        {
            "step": step,
            "G/video": 1 / step,
            "D_V/adversarial": float("nan") if step == 3 else 2.0,
            "items": 4 * step,
            "seconds": 9.0,
        }
        for step in range(1, 2001)
    ]
    entries.append({"step": 2000, "score/frechet_distance": 5.0, "items": 8000, "seconds": 90.0})
    (folder / "journal.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries) + '{"step": 2001, "G/vi')
    for kimg in (0, 1, 2):
        save_image(folder / "samples" / f"{kimg:06d}_kimg.png", np.full((16, 16, 3), 50 * kimg, np.uint8))
    return folder
