import json
import shutil

import numpy as np
import pytest
import torch

from latentreel.core.errors import InputError
from latentreel.core.pixels import to_float
from latentreel.metrics.factor_measures import identity_drift, motion_transfer, read_clips
from latentreel.metrics.factor_reader import (
    SHIPPED,
    build_factor_reader,
    legible_motion,
    load_factor_reader,
    read_reader_card,
    shipped_readers,
)
from latentreel.metrics.reader_accuracy import reading_accuracy
from latentreel.worlds.faces import FacesWorld
from latentreel.worlds.registry import WORLDS, open_world

LARGEST_BYTES = 3_000_000
LEEWAY = 1.25
"""By how much what is not read of a few pictures may exceed what was not read of the card's many."""


@pytest.fixture(scope="module")
def faces_reader():
    return load_factor_reader("faces")


@pytest.fixture
def copied(tmp_path):
    shutil.copytree(SHIPPED, tmp_path / "readers")
    return tmp_path / "readers"


def test_every_world_has_a_reader_and_all_are_small():
    assert shipped_readers() == sorted(WORLDS)
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) <= LARGEST_BYTES


@pytest.mark.parametrize("name", WORLDS)
def test_a_reader_reads_new_pictures_as_well_as_its_card_says(name):
    card = read_reader_card(name)["held_out_accuracy"]
    found = reading_accuracy(load_factor_reader(name), open_world(name), count=384, seed=77)
    for part in ("identity", "motion"):
        assert card[part].keys() == found[part].keys()
        for factor, value in found[part].items():
            allowed = LEEWAY * (1 - card[part][factor]) + 0.03
            assert 1 - value < allowed, f"{part} {factor}: {value:.3f}, card {card[part][factor]:.3f}"


@pytest.mark.parametrize("name", WORLDS)
def test_cards_say_what_the_weights_are(name):
    card = read_reader_card(name)
    assert card["world"] == name and card["licence"] == "Apache-2.0"
    assert "no other data" in card["origin"]
    assert card["factors"]["motion"] == list(open_world(name).motion_names)


def test_factors_that_are_hard_to_see_can_be_left_out(copied):
    card = json.loads((copied / "faces.json").read_text())
    names = card["factors"]["motion"]
    card["held_out_accuracy"]["motion"] = {name: 0.9 if name in ("yaw", "blink") else 0.2 for name in names}
    (copied / "faces.json").write_text(json.dumps(card))
    assert legible_motion("faces", folder=copied) == [names.index("yaw"), names.index("blink")]
    assert legible_motion("faces", folder=copied, at_least=0.1) == list(range(len(names)))
    (copied / "faces.json").write_text(json.dumps(card | {"held_out_accuracy": {}}))
    with pytest.raises(InputError, match="how well"):
        legible_motion("faces", folder=copied)


WELL_READ = {
    "faces": (
        "skin_tone",
        "hair_colour",
        "hair_style",
        "glasses",
        "clothes_hue",
        "background_hue",
        "yaw",
        "pitch",
        "roll",
        "blink",
    ),
    "creatures": ("species", "second_colour", "background_hue", "yaw", "roll", "shift_x", "shift_y"),
    "skies": ("horizon_kind", "horizon_height", "mood", "sun_x", "brightness"),
}


@pytest.mark.parametrize("name", WORLDS)
def test_what_is_easy_to_see_is_read_well(name):
    card = read_reader_card(name)["held_out_accuracy"]
    found = card["identity"] | card["motion"]
    assert min(found[factor] for factor in WELL_READ[name]) > 0.8


def test_a_reading_has_the_documented_form(faces_reader):
    world = open_world("faces")
    pictures = to_float(world.video(0).video.frames[:3])
    reading = faces_reader(pictures)
    assert reading.identity.shape == (3, faces_reader.identity_code.size)
    assert reading.motion.shape == (3, len(world.motion_names))
    for factor, values in zip(world.MOTION_FACTORS, reading.motion.T, strict=True):
        assert values.min() >= factor.low and values.max() <= factor.high
    assert not reading.motion.requires_grad and reading.motion.dtype == torch.float32


def test_a_picture_is_read_alone(faces_reader):
    pictures = to_float(open_world("faces").video(1).video.frames[:4])
    together, alone = faces_reader(pictures), faces_reader(pictures[2:3])
    assert torch.allclose(together.motion[2:3], alone.motion, atol=1e-3)
    assert torch.allclose(together.identity[2:3], alone.identity, atol=1e-4)


def test_large_pictures_are_read_like_small_ones(faces_reader):
    clips = [open_world("faces", resolution=resolution, num_frames=16).video(5) for resolution in (64, 128)]
    small, large = (read_clips(faces_reader, clip.video.frames[None]) for clip in clips)
    yaw = clips[0].motion[:, 0]
    for reading in (small, large):
        assert np.abs(reading.motion[0, :, 0] - yaw).mean() < 5  # degrees


def test_clips_of_the_world_keep_their_people_and_share_their_motion(faces_reader):
    world = FacesWorld(num_frames=12, fps=6.0)
    videos = [world.video(index) for index in range(4)]
    motions = [video.motion for video in videos[:3]]
    clips = np.stack([np.stack([world.render(video.identity, motion) for motion in motions]) for video in videos])
    reading = read_clips(faces_reader, clips.reshape(-1, *clips.shape[2:]))
    assert reading.identity.shape[:2] == reading.motion.shape[:2] == (12, 12)

    assert identity_drift(reading.identity[::3]).mean < 0.6
    strangers = reading.identity.reshape(4, 3, 12, -1)[:, 0].transpose(1, 0, 2)  # another person in every frame
    assert identity_drift(strangers).mean > 0.8

    transfer = motion_transfer(reading.motion.reshape(4, 3, 12, -1), world.MOTION_FACTORS)
    truth = motion_transfer(np.stack([np.stack(motions)] * 4), world.MOTION_FACTORS)
    yaw = world.motion_names.index("yaw")
    assert transfer.correlation[yaw] > 0.9 and truth.correlation[yaw] == pytest.approx(1)
    assert transfer.floor[yaw] == pytest.approx(truth.floor[yaw], abs=0.1)


def test_clips_are_checked(faces_reader):
    with pytest.raises(InputError, match=r"uint8 \[N, T, H, W, 3\]"):
        read_clips(faces_reader, np.zeros([4, 64, 64, 3], dtype=np.uint8))
    with pytest.raises(InputError, match="float32"):
        read_clips(faces_reader, np.zeros([1, 4, 64, 64, 3], dtype=np.float32))
    with pytest.raises(InputError, match=r"allowed: \[N, 3, H, W\]"):
        faces_reader(torch.zeros(4, 64, 64, 3))


def test_an_unknown_world_is_refused_with_those_that_are_known():
    for name in ("face", "../faces", ""):
        with pytest.raises(InputError, match=f"allowed: {', '.join(shipped_readers())}"):
            load_factor_reader(name)
    with pytest.raises(InputError, match=f"given: dogs; allowed: {', '.join(WORLDS)}"):
        build_factor_reader("dogs")


DAMAGES = {
    "cut off": lambda content: content[:-100],
    "one byte": lambda content: content[:50] + bytes([content[50] ^ 1]) + content[51:],
    "empty": lambda content: b"",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_weights_are_refused(copied, damage):
    path = copied / "faces.safetensors"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match="not the file that its card describes"):
        load_factor_reader("faces", folder=copied)


def test_missing_weights_are_refused(copied):
    (copied / "faces.safetensors").unlink()
    with pytest.raises(InputError, match="cannot read"):
        load_factor_reader("faces", folder=copied)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"world": "faces"}'])
def test_a_damaged_card_is_refused(copied, content):
    (copied / "faces.json").write_text(content)
    with pytest.raises(InputError, match=r"faces\.json"):
        load_factor_reader("faces", folder=copied)


def test_a_reader_of_a_world_that_has_changed_since_is_refused(copied):
    card = json.loads((copied / "faces.json").read_text())
    card["factors"]["motion"].pop()
    (copied / "faces.json").write_text(json.dumps(card))
    with pytest.raises(InputError, match="other factors"):
        load_factor_reader("faces", folder=copied)


def test_weights_of_another_network_are_refused(copied):
    cards = {name: json.loads((copied / f"{name}.json").read_text()) for name in ("faces", "skies")}
    (copied / "faces.safetensors").write_bytes((copied / "skies.safetensors").read_bytes())
    (copied / "faces.json").write_text(json.dumps(cards["faces"] | {"digest": cards["skies"]["digest"]}))
    with pytest.raises(InputError, match="does not fit"):
        load_factor_reader("faces", folder=copied)


def test_what_no_single_picture_tells_is_read_from_two_and_added_up():
    reader, world = load_factor_reader("skies"), open_world("skies", num_frames=31)
    clips = [world.video(index) for index in range(24)]
    reading = read_clips(reader, np.stack([clip.video.frames[::2] for clip in clips]))
    assert reader.changes == [world.motion_names.index(name) for name in world.motion_names if name != "brightness"]
    assert not reading.motion[:, 0, reader.changes].any()
    near = world.motion_names.index("drift_near")
    true = np.unwrap(np.stack([clip.motion[::2, near] for clip in clips]), period=2, axis=1)
    moved = true[:, -1] - true[:, 0]
    assert np.corrcoef(moved, reading.motion[:, -1, near])[0, 1] > 0.8
    with pytest.raises(InputError, match="needs the frames before"):
        reader(torch.zeros(1, 3, 64, 64))
