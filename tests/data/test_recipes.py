"""Every recipe finds the clips, parts and classes of a small tree laid out as its dataset, and says what is missing of it."""

import json

import pytest

from latentreel.core.errors import InputError
from latentreel.data.frame_store import open_frame_store
from latentreel.data.packing import pack
from latentreel.data.preparation import Preparation, missing_clips, plan_packing
from latentreel.data.recipes import RECIPES

UCF = ["ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi", "ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi", "YoYo/v_YoYo_g09_c02.avi"]
FORENSICS = "original_sequences/youtube/c23/videos"
SKY = "{}/00NKXrVZTSE/00NKXrVZTSE_{}/00NKXrVZTSE_frames_{:08}.jpg"

VIDEO, PICTURE = object(), object()

TREES = {
    "ucf101": {
        **{f"UCF-101/{name}": VIDEO for name in UCF},
        "UCF-101/notes.mp4": VIDEO,
        "ucfTrainTestlist/trainlist01.txt": f"{UCF[1]} 1\n{UCF[2]} 101\n",
        "ucfTrainTestlist/testlist01.txt": f"{UCF[0]}\n",
    },
    "faceforensics": {
        **{f"{FORENSICS}/{number:03}.mp4": VIDEO for number in range(6)},
        "manipulated_sequences/Deepfakes/c23/videos/000_003.mp4": VIDEO,
        "splits/train.json": json.dumps([["000", "001"]]),
        "splits/val.json": json.dumps([["002", "003"]]),
        "splits/test.json": json.dumps([["004", "005"]]),
    },
    "sky-timelapse": {
        **{SKY.format("sky_train", clip, 32 * clip + frame): PICTURE for clip in (1, 2) for frame in (1, 2, 3)},
        **{SKY.format("sky_test", 1, frame): PICTURE for frame in (1, 2, 3)},
    },
    "voxceleb": {"dev/mp4/id00012/21Uxsk56VDQ/00001.mp4": VIDEO, "test/mp4/id00017/5MkXgwdrmJw/00001.mp4": VIDEO},
    "tlvdb": {f"harbour {number}/clip.mp4": VIDEO for number in range(40)},
    "bair": {
        **{f"softmotion30_44k/train/traj_{clip}/{frame:02}.png": PICTURE for clip in (0, 1) for frame in range(3)},
        **{f"softmotion30_44k/test/traj_0/{frame:02}.png": PICTURE for frame in range(3)},
    },
    "rainbow-jelly": {"jelly.mp4": VIDEO, "more.mp4": VIDEO},
    "mead": {
        **{f"{sex}{number:03}/video/front/angry/level_1/001.mp4": VIDEO for sex in "MW" for number in range(20)},
        "M000/video/left_30/angry/level_1/001.mp4": VIDEO,
    },
    "afhq": {"train/dog/a.jpg": PICTURE, "train/cat/b.jpg": PICTURE, "val/dog/c.jpg": PICTURE},
    "ffhq": {"images1024x1024/00000/00000.png": PICTURE, "images1024x1024/69000/69999.png": PICTURE, "thumb.png": PICTURE},
    "images": {"cats/a.png": PICTURE, "dogs/b.png": PICTURE},
}

FOUND = {
    "ucf101": ({"train": 2, "test": 1}, {"ApplyEyeMakeup", "YoYo"}),
    "faceforensics": ({"train": 2, "val": 2, "test": 2}, {""}),
    "sky-timelapse": ({"train": 2, "test": 1}, {""}),
    "voxceleb": ({"train": 1, "test": 1}, {""}),
    "tlvdb": ({"train": 37, "test": 3}, {""}),
    "bair": ({"train": 2, "test": 1}, {""}),
    "rainbow-jelly": ({"train": 2}, {""}),
    "mead": ({"train": 39, "test": 1}, {"angry"}),
    "afhq": ({"train": 2, "test": 1}, {"cat", "dog"}),
    "ffhq": ({"train": 1, "test": 1}, {""}),
    "images": ({"train": 2}, {""}),
}

MISSING = {
    "ucf101": ("ucfTrainTestlist/testlist01.txt", r"testlist01\.txt is missing .*; get the train/test splits"),
    "faceforensics": ("splits/val.json", r"splits/val\.json is missing .*ondyari/FaceForensics"),
}


@pytest.fixture
def grow(tmp_path, write_files, video_of, png_of, frames_of):
    def make(tree):
        kinds = {VIDEO: lambda: video_of(frames=2), PICTURE: lambda: png_of(frames_of(0, 1, size=16)[0])}
        files = [(name, kinds[kind]() if kind in kinds else kind.encode()) for name, kind in tree.items()]
        return write_files(tmp_path / "dataset", files)

    return make


def choices(name: str, **others) -> Preparation:
    return Preparation(recipe=name, resolution=8, whole_frames=RECIPES[name].crop == "boxes", **others)


def test_every_recipe_is_tried() -> None:
    assert set(RECIPES) == set(TREES) == set(FOUND)


@pytest.mark.parametrize("name", RECIPES)
def test_a_dataset_is_split_and_packed_as_published(name, grow, tmp_path):
    root = grow(TREES[name])
    parts, classes = FOUND[name]
    plan = plan_packing(root, choices(name))
    manifest = pack(plan, tmp_path / "packed")
    assert {part: sum(clip.part == part for clip in manifest.clips) for part in manifest.parts} == parts
    assert {clip.label for clip in manifest.clips} == classes
    assert manifest.left_out == ()
    assert (manifest.recipe, manifest.terms) == (name, RECIPES[name].terms)
    store = open_frame_store(tmp_path / "packed", resolution=8, expect=RECIPES[name].expect)
    assert len(store.names) == parts["train"]
    assert bool(missing_clips(plan)) == bool(RECIPES[name].count)


@pytest.mark.parametrize("name", RECIPES)
def test_another_folder_is_told_what_to_get(name, grow):
    takes_any_video = RECIPES[name].layout[0].startswith("any")
    root = grow({"readme.txt": "words"} if takes_any_video or name == "images" else {"other.mp4": VIDEO, "x/y.txt": "words"})
    with pytest.raises(InputError, match="is not laid out as") as error:
        plan_packing(root, choices(name))
    assert RECIPES[name].origin in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", MISSING)
def test_a_missing_list_is_named(name, grow):
    file, problem = MISSING[name]
    root = grow({path: kind for path, kind in TREES[name].items() if path != file})
    with pytest.raises(InputError, match=problem):
        plan_packing(root, choices(name))


def test_lists_may_lie_beside_the_videos(grow):
    plan = plan_packing(grow(TREES["ucf101"]) / "UCF-101", choices("ucf101"))
    assert [clip.part for clip in plan.clips] == ["test", "train", "train"]


@pytest.mark.parametrize(
    ("name", "file", "step"),
    [
        ("ucf101", "UCF101.rar", "unpack UCF101.rar first"),
        ("bair", "softmotion30_44k/train/traj_0_to_255.tfrecords", "write the frames of the .tfrecords as pictures first"),
        ("mead", "M003/video.tar", "unpack the video.tar of every actor first"),
        ("voxceleb", "dev/aac/id00012/21Uxsk56VDQ/00001.m4a", "the videos are separate archives"),
    ],
)
def test_a_step_that_was_left_out_is_named(name, file, step, grow):
    with pytest.raises(InputError, match=step):
        plan_packing(grow({file: "bytes"}), choices(name))


def test_faces_are_asked_for_where_a_recipe_crops_to_them(grow):
    with pytest.raises(InputError, match="give --boxes FILE or --detector"):
        plan_packing(grow(TREES["faceforensics"]), Preparation(recipe="faceforensics"))


def test_one_class_and_a_split_of_ones_own(grow):
    plan = plan_packing(grow(TREES["afhq"]), choices("afhq", classes=("dog",)))
    assert [clip.item.name for clip in plan.clips] == ["train/dog/a.jpg", "val/dog/c.jpg"]
    plan = plan_packing(plan.clips[0].item.path.parents[2], choices("afhq", shares={"all of it": 1.0}))
    assert {clip.part for clip in plan.clips} == {"all of it"}
    with pytest.raises(InputError, match="no clip is of these classes; given: cow; allowed: cat, dog"):
        plan_packing(plan.clips[0].item.path.parents[2], choices("afhq", classes=("cow",)))
