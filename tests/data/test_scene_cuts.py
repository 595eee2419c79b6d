"""Cuts are found where the picture changes at once, and nowhere else."""

import numpy as np
import pytest

from latentreel.data.clip_sampling import ClipSampler
from latentreel.data.frame_store import open_frame_store
from latentreel.data.scene_cuts import scene_cuts, with_scene_starts


def drifting(num_frames: int, seed: int, speed: int = 1) -> np.ndarray:
    """A picture of its own that moves to the right; uint8 [T, 32, 48, 3]."""
    blocks = np.random.default_rng(seed).integers(0, 256, (4, 6, 3), np.uint8)
    picture = np.kron(blocks, np.ones((8, 8, 1), np.uint8))
    return np.stack([np.roll(picture, speed * t, axis=1) for t in range(num_frames)])


def test_scenes_that_follow_each_other_are_told_apart():
    scenes = [drifting(length, seed) for seed, length in enumerate((12, 2, 9, 7))]
    assert scene_cuts(np.concatenate(scenes)) == [12, 14, 23]


@pytest.mark.parametrize("lengths", [(12, 2, 9, 7), (30,), (6, 3), (3,), ()])
def test_a_stream_is_cut_at_the_same_places(lengths):
    frames = [frame for seed, length in enumerate(lengths) for frame in drifting(length, seed)]
    marked = list(with_scene_starts(iter(frames), lambda frame: frame[::2]))
    assert [place for place, (_, begins) in enumerate(marked) if begins] == scene_cuts(frames)
    assert len(marked) == len(frames)
    assert all(np.array_equal(kept, frame[::2]) for (kept, _), frame in zip(marked, frames, strict=True))


def test_motion_noise_and_fades_are_no_cuts():
    noise = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), np.uint8)
    one, other = drifting(20, 1), drifting(20, 2)
    share = np.linspace(0, 1, 20)[:, None, None, None]
    fade = (one * (1 - share) + other * share).astype(np.uint8)
    assert scene_cuts(drifting(20, 3)) == scene_cuts(drifting(20, 3, speed=6)) == scene_cuts(noise) == scene_cuts(fade) == []


def test_few_frames_tell_nothing():
    assert scene_cuts(np.concatenate([drifting(2, 1), drifting(2, 2)])) == scene_cuts(drifting(1, 1)) == scene_cuts([]) == []


def test_real_cuts_are_found_and_no_clip_crosses_them(shared_data, tmp_path):
    store = open_frame_store(shared_data / "decoder" / "bikes.mp4", resolution=32, cache=tmp_path)
    assert store.cuts == ((30, 76, 137, 187, 242),)
    clips = ClipSampler(store, num_frames=16, frame_step=2, seed=0)
    assert clips.num_clips == 16 + 31 + 20 + 25  # none fits into the first 30 frames, nor into the last 8
    number = {store.frames[t].tobytes(): t for t in range(250)}
    for clip in clips.batch(0, 300):
        assert len({int(np.digitize(number[frame.tobytes()], store.cuts[0])) for frame in clip}) == 1


@pytest.mark.parametrize("folder", ["faces", "sky", "actions"])
def test_real_videos_of_one_scene_have_no_cuts(shared_data, tmp_path, folder):
    store = open_frame_store(shared_data / folder, resolution=32, cache=tmp_path)
    assert not any(store.cuts)
