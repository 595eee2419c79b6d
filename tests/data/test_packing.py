"""Packed frames are those of the source, whatever interrupted the packing; what is wrong with a folder of them is said."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from latentreel.core.errors import InputError
from latentreel.data.frame_store import open_frame_store
from latentreel.data.packed_frames import FRAMES, MANIFEST, UNFINISHED, open_packed, read_manifest
from latentreel.data.packing import pack
from latentreel.data.preparation import Preparation, plan_packing
from latentreel.data.sources import open_source

SHARES = {"train": 0.5, "test": 0.5}


@pytest.fixture
def source(tmp_path, write_files, frame_files):
    clips = {f"{label}/clip{number}": 3 + number for label in ("cats", "dogs") for number in range(4)}
    return write_files(tmp_path / "source", frame_files(clips))


def prepare(source, out, **choices):
    choices = {"resolution": 8, **choices}
    return pack(plan_packing(source, Preparation(**choices)), out)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_training_opens_what_was_packed_as_it_lies(source, tmp_path):
    manifest = prepare(source, tmp_path / "packed")
    expected, store = (open_frame_store(path, resolution=8) for path in (source, tmp_path / "packed"))
    assert np.array_equal(store.frames, expected.frames)
    assert Path(store.frames.filename) == tmp_path / "packed" / "all" / FRAMES
    assert (store.names, store.class_names, store.cuts) == (expected.names, expected.class_names, expected.cuts)
    assert store.digest == expected.digest
    assert [(clip.source_width, clip.source_height) for clip in manifest.clips] == [(8, 8)] * 8


def test_another_size_is_resized_from_the_packed_frames(source, tmp_path):
    prepare(source, tmp_path / "packed")
    expected, store = (open_frame_store(path, resolution=4) for path in (source, tmp_path / "packed"))
    assert np.array_equal(store.frames, expected.frames)


@pytest.mark.parametrize("stop_after", [0, 1, 5, 8])
@pytest.mark.parametrize("flushed", [True, False])
def test_an_interrupted_packing_goes_on_and_ends_the_same(source, tmp_path, monkeypatch, stop_after, flushed):
    if flushed:
        monkeypatch.setattr("latentreel.data.packing_journal.SYNC_SECONDS", 0.0)
    choices = Preparation(resolution=8, shares=SHARES)
    plan = plan_packing(source, choices)
    pack(plan, tmp_path / "unbroken")

    def stop(done, total):
        if done >= stop_after:
            raise KeyboardInterrupt

    out = tmp_path / "packed"
    if stop_after == 8:  # between the last clip and the manifest
        shutil.copytree(tmp_path / "unbroken", out)
        with pytest.raises(KeyboardInterrupt):
            pack(plan, tmp_path / "other", progress=stop)
        shutil.copy(tmp_path / "other" / UNFINISHED, out)
        (out / MANIFEST).unlink()
    else:
        with pytest.raises(KeyboardInterrupt):
            pack(plan, out, progress=stop)
        for frames in out.rglob("frames*"):  # what was under way when the process died
            frames.write_bytes(frames.read_bytes() + b"rubbish")
        with (out / UNFINISHED).open("ab") as journal:
            journal.write(b'{"clip": {"na')
    with pytest.raises(InputError, match="not prepared yet"):
        open_frame_store(out, resolution=8)

    counts = []
    pack(plan, out, progress=lambda done, total: counts.append(done))

    assert contents(out) == contents(tmp_path / "unbroken")
    assert len(counts) == 8 - max(stop_after, 1)


def test_parts_share_no_group_and_the_folder_stands_for_the_training_part(source, tmp_path):
    manifest = prepare(source, tmp_path / "packed", shares=SHARES, group_by="clip[0-9]", seed=1)
    stores = {part: open_frame_store(tmp_path / "packed" / part, resolution=8) for part in ("train", "test")}
    groups = {part: {name[-1] for name in store.names} for part, store in stores.items()}
    assert groups["train"] | groups["test"] == {"0", "1", "2", "3"}
    assert not groups["train"] & groups["test"]
    assert open_frame_store(tmp_path / "packed", resolution=8).names == stores["train"].names
    assert manifest.split == "ours: train 0.5, test 0.5 by clip[0-9], seed 1"


def test_the_same_file_in_two_parts_is_noticed(tmp_path, write_files, video_of):
    files = [(f"{number}.mp4", video_of(number % 2)) for number in range(6)]
    manifest = prepare(write_files(tmp_path / "source", files), tmp_path / "packed", shares=SHARES)
    assert manifest.shared_content() == [("0.mp4", "2.mp4", "4.mp4"), ("1.mp4", "3.mp4", "5.mp4")]


def test_what_cannot_be_decoded_is_left_out_with_its_reason(tmp_path, write_files, video_of):
    files = [("good.mp4", video_of()), ("empty.mp4", b""), ("text.mp4", b"words" * 100)]
    manifest = prepare(write_files(tmp_path / "source", files), tmp_path / "packed")
    assert [clip.name for clip in manifest.clips] == ["good.mp4"]
    reasons = dict(manifest.left_out)
    assert "empty" in reasons["empty.mp4"]
    assert "not a video" in reasons["text.mp4"]


def test_where_nothing_can_be_decoded_nothing_is_left_behind(tmp_path, write_files):
    with pytest.raises(InputError, match=r"none of 1 clips can be decoded; given: .*empty"):
        prepare(write_files(tmp_path / "source", [("a.mp4", b"")]), tmp_path / "packed")
    assert not (tmp_path / "packed").exists()


def test_pictures_are_packed_as_stills_and_are_no_clips(source, tmp_path):
    prepare(source, tmp_path / "packed", expect="images")
    assert open_frame_store(tmp_path / "packed", resolution=8, expect="images").lengths.tolist() == [1] * 36
    with pytest.raises(InputError, match="holds pictures and no clips"):
        open_source(tmp_path / "packed")


def test_other_settings_are_refused_and_the_same_are_done_already(source, tmp_path):
    out = tmp_path / "packed"
    done = prepare(source, out)
    assert prepare(source, out) == done
    with pytest.raises(InputError, match="of another source or other settings"):
        prepare(source, out, resolution=4)
    (out / MANIFEST).unlink()
    with pytest.raises(InputError, match="is not empty"):
        prepare(source, out)
    (out / UNFINISHED).write_text(json.dumps({"plan": "another"}) + "\n")
    with pytest.raises(InputError, match="have changed since"):
        prepare(source, out)


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda out: flip_byte(out / "all" / FRAMES), "its frames have another digest"),
        (lambda out: cut(out / "all" / FRAMES), "has another size"),
        (lambda out: (out / "all" / FRAMES).unlink(), "cannot read .*No such file"),
        (lambda out: cut(out / MANIFEST), "is damaged"),
        (lambda out: edit(out, frames=-1), "is damaged"),
        (lambda out: edit(out, part="../elsewhere"), "cannot be called"),
    ],
)
def test_a_damaged_folder_is_refused_in_one_line(source, tmp_path, damage, problem):
    out = tmp_path / "packed"
    prepare(source, out)
    damage(out)
    with pytest.raises(InputError, match=problem) as error:
        open_frame_store(out, resolution=8)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("damage", ["cut off", "changed", "gone"])
def test_what_was_damaged_is_packed_anew(source, tmp_path, damage):
    out = tmp_path / "packed"
    prepare(source, out, shares=SHARES)
    before, frames = contents(out), out / "train" / FRAMES
    if damage == "gone":
        frames.unlink()
    else:
        content = frames.read_bytes()
        frames.write_bytes(content[:-5] if damage == "cut off" else content[:30] + b"???" + content[33:])
    prepare(source, out, shares=SHARES)
    assert contents(out) == before


def test_a_long_part_is_held_to_some_digests_and_its_last_is_among_them(source, tmp_path):
    prepare(source, tmp_path / "packed")
    part = open_packed(tmp_path / "packed")
    flip_byte(part.path)
    part.require_intact(most_bytes=part.clips[-1].frames * part.manifest.frame_bytes - 1)
    with pytest.raises(InputError, match="clip3"):
        part.require_intact(most_bytes=part.clips[-1].frames * part.manifest.frame_bytes)


def test_names_of_any_kind_come_back(tmp_path, write_files, video_of):
    names = ["-dash.mp4", "line\nbreak.mp4", "\u202eright.mp4", "ünï.mp4", "byte\udcff.mp4"]
    prepare(write_files(tmp_path / "source", [(name, video_of()) for name in names]), tmp_path / "packed")
    assert {clip.name for clip in read_manifest(tmp_path / "packed").clips} == set(names)


def flip_byte(path):
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def cut(path):
    path.write_bytes(path.read_bytes()[:-5])


def edit(out, **values):
    manifest = json.loads((out / MANIFEST).read_text())
    manifest["clips"][0].update(values)
    (out / MANIFEST).write_text(json.dumps(manifest))
