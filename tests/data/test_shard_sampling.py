"""Shards give every clip once per epoch, to one process, in an order that can be taken up again anywhere."""

import io
import tarfile
from collections import Counter
from dataclasses import asdict
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from latentreel.core.errors import InputError
from latentreel.data.shard_sampling import ShardPosition, ShardSampler
from latentreel.data.streamed_clips import StreamedClips

LENGTHS = [(5, 9, 4), (7,), (5, 5, 3, 6), (8, 30)]  # frames of the videos in each shard; 3 are too few for a clip
USABLE = 9


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Shards of clips whose corners hold their number and that of the frame."""
    root, number = tmp_path_factory.mktemp("shards"), 0
    for shard, lengths in enumerate(LENGTHS):
        with tarfile.open(root / f"{shard}.tar", "w") as archive:
            for length in lengths:
                for frame in range(length):
                    pixels = np.full((4, 4, 3), 100, np.uint8)
                    pixels[0, 0], pixels[-1, -1] = number, frame
                    _add_picture(archive, f"class{number % 2}/{number:02}.{frame:03}.png", pixels)
                number += 1
    return root


def _add_picture(archive: tarfile.TarFile, name: str, pixels: np.ndarray) -> None:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    header = tarfile.TarInfo(name)
    header.size = file.tell()
    archive.addfile(header, io.BytesIO(file.getvalue()))


def sampler(folder: Path | str, **options) -> ShardSampler:
    return ShardSampler(folder, **{"num_frames": 4, "resolution": 4, "seed": 0, **options})


def numbers(clips) -> list[int]:
    return [int(clip.pixels[0, 0, 0, 0]) for clip in clips]


def test_no_clip_crosses_a_cut(tmp_path):
    with tarfile.open(tmp_path / "0.tar", "w") as archive:
        for frame in range(24):
            _add_picture(archive, f"clip/{frame:03}.png", np.full((4, 4, 3), 40 if frame < 12 else 220, np.uint8))
    clips = list(islice(sampler(tmp_path).clips(), 40))
    assert {tuple(np.unique(clip.pixels)) for clip in clips} == {(40,), (220,)}


@settings(max_examples=6)
@given(seed=st.integers(0, 2**32), buffer=st.integers(1, 12), world_size=st.integers(1, 4))
def test_every_clip_is_given_once_per_epoch_to_one_process(folder, seed, buffer, world_size):
    given_clips: Counter[int] = Counter()
    for rank in range(world_size):
        options = {"seed": seed, "buffer": buffer, "rank": rank, "world_size": world_size}
        for clip in sampler(folder, **options).clips():
            if clip.following.epoch > 0 or given_clips.total() > 2 * USABLE:
                break
            given_clips.update(numbers([clip]))
            if clip.following.given == 0 and not list(rest_of_epoch(folder, clip.following, options)):
                break
    assert given_clips == dict.fromkeys(set(range(10)) - {6}, 1)


def rest_of_epoch(folder: Path, position: ShardPosition, options: dict[str, int]):
    return (video for video in sampler(folder, **options)._videos(position) if ".06" not in video[0] and "/06" not in video[0])


@settings(max_examples=6)
@given(
    seed=st.integers(0, 2**32),
    buffer=st.integers(1, 12),
    taken=st.integers(1, 25),
    rank=st.integers(0, 1),
    num_frames=st.integers(1, 4),
)
def test_reading_goes_on_exactly_from_any_position(folder, seed, buffer, taken, rank, num_frames):
    options = {"seed": seed, "buffer": buffer, "rank": rank, "world_size": 2, "mirror": True, "num_frames": num_frames}
    whole = list(islice(sampler(folder, **options).clips(), taken + 5))
    position = ShardPosition(**asdict(whole[taken - 1].following))
    rest = list(islice(sampler(folder, **options).clips(position), 5))
    assert [clip.name for clip in rest] == [clip.name for clip in whole[taken:]]
    assert [clip.following for clip in rest] == [clip.following for clip in whole[taken:]]
    for first, second in zip(rest, whole[taken:], strict=True):
        assert np.array_equal(first.pixels, second.pixels)


def test_a_clip_lies_in_one_video_and_each_is_as_likely(folder):
    row = islice(sampler(folder, num_frames=3, frame_step=2, seed=3, buffer=4).clips(), 180)
    starts: dict[int, Counter[int]] = {}
    for clip in row:
        assert clip.pixels.shape == (3, 4, 4, 3)
        assert len(set(clip.pixels[:, 0, 0, 0].tolist())) == 1
        times = clip.pixels[:, -1, -1, 0].astype(int)
        assert np.diff(times).tolist() == [2, 2]
        number = int(clip.pixels[0, 0, 0, 0])
        assert clip.label == f"class{number % 2}"
        assert clip.name.endswith(f"/class{number % 2}/{number:02}")
        starts.setdefault(number, Counter()).update([int(times[0])])
    found = {number: len(times) for number, times in starts.items()}
    assert found.pop(9) > 8  # of 26
    assert found == {0: 1, 1: 5, 3: 3, 4: 1, 5: 1, 7: 2, 8: 4}
    assert all(share == pytest.approx(1 / 5, abs=0.25) for share in np.array(list(starts[1].values())) / starts[1].total())


def test_orders_differ_between_epochs_and_seeds_but_not_between_runs(folder):
    def epochs(**options) -> list[list[int]]:
        row = numbers(islice(sampler(folder, **options).clips(), 2 * USABLE))
        return [row[:USABLE], row[USABLE:]]

    first, second = epochs(seed=1)
    assert [first, second] == epochs(seed=1)
    assert sorted(first) == sorted(second)
    assert first != second
    assert first != epochs(seed=2)[0]
    assert first != sorted(first)


def test_mirrored_clips_are_mirrored_whole(folder):
    for clip in islice(sampler(folder, mirror=True).clips(), 40):
        left, right = clip.pixels[:, 0, 0, 0], clip.pixels[:, 0, -1, 0]
        number = int(clip.name[-2:])
        assert (left == number).all() or (right == number).all()


def test_batches_follow_each_other_and_go_on_from_a_saved_place(folder):
    clips = list(islice(sampler(folder, seed=5).clips(), 9))
    streamed = StreamedClips(sampler(folder, seed=5))
    batches = [streamed.batch(step, 3) for step in range(2)]
    assert np.array_equal(np.concatenate(batches), [clip.pixels for clip in clips[:6]])
    other = StreamedClips(sampler(folder, seed=5))
    other.go_on([streamed.place()])
    assert np.array_equal(other.batch(2, 3), [clip.pixels for clip in clips[6:]])
    assert np.array_equal(streamed.batch(2, 3), [clip.pixels for clip in clips[6:]])
    with pytest.raises(InputError, match="as many processes as before; given: 1; allowed: 2"):
        other.go_on([streamed.place()] * 2)


def test_what_is_damaged_is_left_out_and_the_rest_goes_on(folder, tmp_path, caplog):
    for shard in folder.iterdir():
        (tmp_path / shard.name).write_bytes(shard.read_bytes())
    (tmp_path / "1.tar").write_bytes(b"damage" * 1000)
    whole = (tmp_path / "0.tar").read_bytes()
    (tmp_path / "0.tar").write_bytes(whole[: 1024 * 16])  # within the last of 5 + 9 + 4 frames of 1024 bytes
    row = list(islice(sampler(tmp_path).clips(), 30))
    assert set(numbers(row)) == {0, 1, 4, 5, 7, 8, 9}
    told = caplog.text
    for problem in ("1.tar cannot be read as a tar archive", "0.tar cannot be read", "2/class0/06 is too short"):
        assert told.count(problem) == 1  # though it is met in every epoch


def test_shards_of_no_use_are_an_error_and_no_endless_search(folder, tmp_path):
    with pytest.raises(InputError, match=r"no video in the shards gives a clip; given: .* is too short"):
        next(sampler(folder, num_frames=40).clips())
    (tmp_path / "a.tar").write_bytes(b"")
    with pytest.raises(InputError, match=r"no video in the shards gives a clip; given: .*a.tar cannot be read"):
        next(sampler(tmp_path).clips())
    with pytest.raises(InputError, match="fewer shards than processes; given: 4 for 5"):
        sampler(folder, world_size=5)
    with pytest.raises(InputError, match="buffer is out of range; given: 0"):
        sampler(folder, buffer=0)
    with pytest.raises(InputError, match="given: keep; allowed: crop, pad"):
        sampler(folder, fit="keep")


def test_real_clips_are_sampled_from_shards(shared_data, tmp_path):
    import tarfile

    for number, kind in enumerate(("bend", "jumping_jack")):
        with tarfile.open(tmp_path / f"{number}.tar", "w") as archive:
            for subject in (0, 1):
                name = f"{kind}/subject{subject}.mp4"
                archive.add(shared_data / "actions" / name, name)
    row = list(islice(sampler(tmp_path, num_frames=16, frame_step=2, resolution=64).clips(), 4))
    assert sorted(clip.name for clip in row) == [
        "0/bend/subject0.mp4",
        "0/bend/subject1.mp4",
        "1/jumping_jack/subject0.mp4",
        "1/jumping_jack/subject1.mp4",
    ]
    assert Counter(clip.label for clip in row) == {"bend": 2, "jumping_jack": 2}
