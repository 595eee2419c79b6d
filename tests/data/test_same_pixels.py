"""The same clips through every kind of source are the same pixels."""

from itertools import islice

import numpy as np
import pytest
from PIL import Image

from latentreel.core.video import Video
from latentreel.data.clip_sampling import ClipSampler
from latentreel.data.frame_store import FrameStore, open_frame_store
from latentreel.data.shard_sampling import ShardSampler
from latentreel.media.decode import open_video
from latentreel.media.encode import save_video

LENGTHS = {"cat/a": 12, "cat/b": 9, "dog/a": 10}
SIZE = 32
LOSSY = 4.0  # mean difference, of 255


def clips() -> dict[str, np.ndarray]:
    """Smooth colours that drift, so that lossy codecs keep them; uint8 [T, H, W, 3] each."""
    y, x = np.mgrid[:SIZE, :SIZE] / SIZE
    waves = {}
    for number, (name, length) in enumerate(LENGTHS.items()):
        phases = np.arange(length)[:, None, None] / 8 + number
        channels = [np.sin(2 * (x + phases) + k) * np.cos(2 * y + k) for k in range(3)]
        waves[name] = (127 + 100 * np.stack(channels, axis=-1)).astype(np.uint8)
    return waves


@pytest.fixture
def expected(tmp_path, write_files, png_of) -> FrameStore:
    """From folders of PNG frames."""
    return open_frame_store(write_files(tmp_path / "frames", frames(png_of)), resolution=SIZE, cache=tmp_path / "cache")


def frames(png_of) -> list[tuple[str, bytes]]:
    return [(f"{name}/{t:04}.png", png_of(frame)) for name, clip in clips().items() for t, frame in enumerate(clip)]


def strips(png_of) -> list[tuple[str, bytes]]:
    return [(f"{name}.png", png_of(np.concatenate(list(clip), axis=1))) for name, clip in clips().items()]


def assert_same(store: FrameStore, expected: FrameStore, tolerance: float = 0.0) -> None:
    assert [name.removesuffix(".png").removesuffix(".mp4") for name in store.names] == list(LENGTHS)
    assert store.lengths.tolist() == expected.lengths.tolist() == list(LENGTHS.values())
    assert store.classes == expected.classes == ("cat", "dog")
    assert store.labels.tolist() == [0, 0, 1]
    drawn = [ClipSampler(each, num_frames=4, frame_step=2, seed=5, mirror=True).batch(3, 16) for each in (store, expected)]
    assert np.abs(drawn[0].astype(int) - drawn[1]).mean() <= tolerance


def test_folders_hold_what_was_written(expected):
    assert np.array_equal(expected.frames, np.concatenate(list(clips().values())))


def test_archives_and_strips_give_the_same_pixels(tmp_path, expected, write_files, write_zip, write_tar, png_of):
    cache = tmp_path / "cache"
    sources = [
        write_zip(tmp_path / "frames.zip", frames(png_of)),
        write_tar(tmp_path / "frames.tar", frames(png_of)),
        write_files(tmp_path / "strips", strips(png_of)),
        write_zip(tmp_path / "strips.zip", strips(png_of)),
    ]
    for source in sources:
        assert_same(open_frame_store(source, resolution=SIZE, cache=cache), expected)


def test_videos_give_them_nearly_and_all_in_the_same_way(tmp_path, expected, write_zip, write_tar):
    for name, clip in clips().items():
        (tmp_path / "videos" / name).parent.mkdir(parents=True, exist_ok=True)
        save_video(Video(clip, 25), tmp_path / "videos" / f"{name}.mp4")
    cache = tmp_path / "cache"
    folder = open_frame_store(tmp_path / "videos", resolution=SIZE, cache=cache)
    assert_same(folder, expected, LOSSY)
    files = [(f"{name}.mp4", (tmp_path / "videos" / f"{name}.mp4").read_bytes()) for name in LENGTHS]
    for archive in (write_zip(tmp_path / "v.zip", files), write_tar(tmp_path / "v.tar", files)):
        assert_same(open_frame_store(archive, resolution=SIZE, cache=cache), folder)
    for clip in islice(ShardSampler(tmp_path / "v.tar", num_frames=9, resolution=SIZE, seed=0).clips(), len(LENGTHS)):
        index = folder.names.index(clip.name.removeprefix("v/"))
        own = folder.frames[folder.offsets[index] : folder.offsets[index] + folder.lengths[index]]
        assert any(np.array_equal(own[start : start + 9], clip.pixels) for start in range(len(own) - 8))


def test_a_real_strip_is_its_video(shared_data, tmp_path):
    """In the form that MoCoGAN reads; the videos have been encoded once more since."""
    strips = open_frame_store(shared_data / "strips", resolution=64, cache=tmp_path)
    assert strips.classes == ("0", "1")
    for index, folder in enumerate(("one_hand_wave", "two_hand_wave")):
        video = open_frame_store(shared_data / "actions" / folder / "subject0.mp4", resolution=64, cache=tmp_path)
        strip = strips.frames[strips.offsets[index] : strips.offsets[index] + strips.lengths[index]]
        assert len(strip) == len(video.frames)
        assert np.abs(strip.astype(int) - video.frames).mean() < 2


def test_a_real_speaker_is_the_same_from_any_source(shared_data, tmp_path, write_zip, write_tar):
    folder = shared_data / "faces_as_frames"
    files = [(path.relative_to(folder).as_posix(), path.read_bytes()) for path in sorted(folder.rglob("*.jpg"))][:24]
    (tmp_path / "copy").mkdir()
    for name, content in files:
        (tmp_path / "copy" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "copy" / name).write_bytes(content)
    strip = Image.new("RGB", (64 * 24, 64))
    loose = open_frame_store(tmp_path / "copy", resolution=64, cache=tmp_path / "cache")
    for t, frame in enumerate(loose.frames):
        strip.paste(Image.fromarray(frame), (64 * t, 0))
    strip.save(tmp_path / "strip.png")
    for source in (write_zip(tmp_path / "f.zip", files), write_tar(tmp_path / "f.tar", files), tmp_path / "strip.png"):
        assert np.array_equal(open_frame_store(source, resolution=64, cache=tmp_path / "cache").frames, loose.frames)


@pytest.mark.parametrize("video", ["gestures/milk.mkv", "faces/00010.mp4", "actions/bend/subject1.mp4"])
def test_a_real_video_is_the_same_from_any_source(shared_data, tmp_path, write_files, write_zip, write_tar, png_of, video):
    """Itself, in archives and streamed, and its decoded frames in a folder and in archives."""
    path, size, cache = shared_data / video, 64, tmp_path / "cache"
    loose = open_frame_store(path, resolution=size, cache=cache)
    stills = [(f"clip/{t:05}.png", png_of(frame)) for t, frame in enumerate(islice(open_video(path).frames, 20))]
    alone = [(path.name, path.read_bytes())]
    for source in (write_zip(tmp_path / "v.zip", alone), write_tar(tmp_path / "v.tar", alone)):
        assert np.array_equal(open_frame_store(source, resolution=size, cache=cache).frames, loose.frames)
    for source in (
        write_files(tmp_path / "frames", stills),
        write_zip(tmp_path / "f.zip", stills),
        write_tar(tmp_path / "f.tar", stills),
    ):
        assert np.array_equal(open_frame_store(source, resolution=size, cache=cache).frames, loose.frames[:20])
    clip = next(ShardSampler(tmp_path / "v.tar", num_frames=9, resolution=size, seed=0).clips())
    assert any(np.array_equal(loose.frames[start : start + 9], clip.pixels) for start in range(len(loose.frames) - 8))
