"""A square around a face: from a file or a detector, steady, and within the frame."""

import json
import sys
import types

import numpy as np
import pytest

from latentreel.core.errors import InputError
from latentreel.data.face_boxes import Box, Boxes, CroppedClip
from latentreel.data.frame_store import open_frame_store
from latentreel.data.packing import pack
from latentreel.data.preparation import Preparation, plan_packing

CSV = "name,left,top,width,height\nclip.mp4,10,4,6,8\n"


@pytest.mark.parametrize(
    ("box", "margin", "square"),
    [
        (Box(10, 4, 6, 8), 0.0, (4, 9, 8)),
        (Box(10, 4, 6, 8), 0.25, (2, 7, 12)),
        (Box(-5, -5, 10, 10), 0.0, (0, 0, 10)),
        (Box(30, 15, 10, 10), 0.0, (10, 30, 10)),
        (Box(0, 0, 100, 100), 1.0, (0, 20, 20)),
    ],
)
def test_the_square_lies_within_the_frame(box, margin, square):
    assert box.square(20, 40, margin) == square


def test_boxes_are_found_by_name_and_several_give_their_middle(tmp_path):
    (tmp_path / "boxes.csv").write_text(CSV + "a/b.mp4,0,0,2,2\na/b.mp4,4,4,4,4\na/b.mp4,8,8,6,6\n")
    boxes = Boxes(tmp_path / "boxes.csv")
    assert boxes.of("a/b.mp4") == boxes.of("deep/below/b.avi") == Box(4, 4, 4, 4)
    with pytest.raises(InputError, match=r"no box for c\.mp4"):
        boxes.of("c.mp4")
    (tmp_path / "boxes.json").write_text(json.dumps({"clip": [10, 4, 6, 8], "b": [[0, 0, 2, 2], [4, 4, 4, 4]]}))
    assert Boxes(tmp_path / "boxes.json").of("clip.mp4") == Box(10, 4, 6, 8)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("b.csv", ""),
        ("b.csv", "name,left\nclip,1\n"),
        ("b.csv", "name,left,top,width,height\nclip,1,2,0,4\n"),
        ("b.csv", "name,left,top,width,height\nclip,1,2,nan,4\n"),
        ("b.json", "[1, 2]"),
        ("b.json", '{"clip": 3}'),
        ("b.json", "{"),
    ],
)
def test_a_bad_file_of_boxes_costs_one_line(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=name) as error:
        Boxes(tmp_path / name)
    assert "\n" not in str(error.value)


def test_a_box_outside_the_frame_is_refused(tmp_path):
    clip = types.SimpleNamespace(frames=[np.zeros((20, 40, 3), np.uint8)], fps=25.0)
    with pytest.raises(InputError, match="outside the frame"):
        list(CroppedClip(clip, Box(50, 0, 5, 5)).frames)


@pytest.fixture
def faces(tmp_path, write_files, png_of):
    """A bright square that wanders within columns 24 to 32, on black, 40 columns wide."""
    frames = np.zeros((4, 20, 40, 3), np.uint8)
    for t, frame in enumerate(frames):
        frame[6:14, 24 + t % 2 : 32 + t % 2] = 250
    empty = np.zeros_like(frames)
    clips = {"face": frames, "empty": empty}
    files = [(f"{name}/{t}.png", png_of(frame)) for name, clip in clips.items() for t, frame in enumerate(clip)]
    return write_files(tmp_path / "faces", files)


def find_bright(frame):
    rows, columns = np.nonzero(frame[..., 0] > 200)
    return [(columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1)] if len(rows) else []


@pytest.mark.parametrize("way", ["boxes", "detector"])
def test_clips_are_cut_to_their_faces(faces, tmp_path, monkeypatch, way):
    monkeypatch.setitem(sys.modules, "my_detector", types.SimpleNamespace(find=find_bright))
    (tmp_path / "boxes.csv").write_text("name,left,top,width,height\nface,24,6,8,8\n")
    choice = {"boxes": tmp_path / "boxes.csv"} if way == "boxes" else {"detector": "my_detector:find"}
    manifest = pack(plan_packing(faces, Preparation(resolution=8, margin=0.0, **choice)), tmp_path / "packed")
    store = open_frame_store(tmp_path / "packed", resolution=8)
    assert store.names == ("face",)
    assert np.mean(store.frames[0] > 200) > 0.85
    assert (manifest.clips[0].source_width, manifest.clips[0].source_height) == (40, 20)
    assert dict(manifest.left_out)["empty"] in (
        "boxes.csv holds no box for empty",
        "the detector finds nothing in it",
    )


@pytest.mark.parametrize("name", ["nowhere", "nowhere:find", "json:nothing", "json:__name__"])
def test_a_detector_that_is_none_costs_one_line(faces, name):
    with pytest.raises(InputError, match="detector"):
        plan_packing(faces, Preparation(detector=name))
