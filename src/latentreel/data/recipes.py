"""The datasets of the papers: what to get where, under which terms, how it must lie, how it is split and cropped.

Pages are named by the domain where the authors keep them. Nothing is downloaded: most of them ask for a consent first.
Which experiment used what: MoCoGAN-HD (Tian et al. 2021), Sec. 4 and App. B, E; StyleGAN-V (Skorokhodov et al. 2022).
"""

import json
from collections.abc import Sequence
from pathlib import PurePosixPath

from latentreel.core.errors import InputError
from latentreel.data.recipe import ByGroup, ByList, ByName, Recipe

_PICTURE = r"\.(?:png|jpe?g|webp)$"


def find_recipe(name: str) -> Recipe:
    """The recipe of a name.

    Raises:
        InputError: There is none.
    """
    name = next((key for key, recipe in RECIPES.items() if name.lower() in (key, recipe.title.lower())), name)
    if name not in RECIPES:
        fix = "see latentreel data recipes, or leave --recipe out: any folder of videos can be prepared"
        raise InputError("there is no such recipe", given=name, allowed=", ".join(RECIPES), fix=fix)
    return RECIPES[name]


def _two_last(name: str) -> str:
    """The class folder and the file: what the lists of UCF-101 hold, whatever the folders above."""
    return "/".join(PurePosixPath(name).parts[-2:])


def _ucf_list(text: str) -> Sequence[str]:
    return [line.split()[0] for line in text.splitlines() if line.strip()]


def _forensics_list(text: str) -> Sequence[str]:
    return [name for pair in json.loads(text) for name in pair]


def _stem(name: str) -> str:
    return PurePosixPath(name).stem


RECIPES: dict[str, Recipe] = {
    "ucf101": Recipe(
        title="UCF-101",
        paper="Soomro, Zamir, Shah 2012",
        origin="UCF101.rar and the train/test splits for action recognition from the dataset's page at crcv.ucf.edu (UCF, CRCV)",
        terms="no licence is stated; clips of other people's videos, used for research",
        layout=("UCF-101/ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi", "ucfTrainTestlist/trainlist01.txt, testlist01.txt"),
        clips=r"(?:^|/)(?P<label>[A-Za-z]+)/v_[A-Za-z]+_g\d{2}_c\d{2}\.(?:avi|mp4)$",
        split=ByList(
            {"train": "ucfTrainTestlist/trainlist01.txt", "test": "ucfTrainTestlist/testlist01.txt"},
            read=_ucf_list,
            key=_two_last,
            origin="the train/test splits for action recognition (folder ucfTrainTestlist) from the dataset's page at crcv.ucf.edu",
            told="official, list 01",
        ),
        resolution=256,
        count=13_320,
        wrong={r"(?i)ucf101\.rar$": "unpack UCF101.rar first"},
    ),
    "faceforensics": Recipe(
        title="FaceForensics",
        paper="Rössler et al. 2018, 2019",
        origin="the original sequences (youtube, c23) with the script that the authors send to who fills in their form, "
        "and dataset/splits/*.json, both by way of github.com/ondyari/FaceForensics",
        terms="the authors' terms of use, to be accepted in their form; non-commercial research",
        layout=("original_sequences/youtube/c23/videos/000.mp4", "splits/train.json, val.json, test.json"),
        clips=r"(?:^|/)original_sequences/youtube/[^/]+/videos/\d{3}\.mp4$",
        split=ByList(
            {part: f"splits/{file}.json" for part, file in (("train", "train"), ("val", "val"), ("test", "test"))},
            read=_forensics_list,
            key=_stem,
            origin="dataset/splits/*.json from github.com/ondyari/FaceForensics, as the folder splits",
        ),
        resolution=256,
        crop="boxes",
        count=1000,
    ),
    "sky-timelapse": Recipe(
        title="Sky Time-lapse",
        paper="Xiong et al. 2018",
        origin="the dataset by way of github.com/weixiong-ur/mdgan, and unpack it",
        terms="no licence is stated; frames of other people's videos, used for research",
        layout=("sky_train/VIDEO/VIDEO_1/frame_00000001.jpg", "sky_test/VIDEO/VIDEO_1/frame_00000001.jpg"),
        clips=r"(?:^|/)(?:sky_)?(?:train|test)/[^/]+/[^/]+$",
        split=ByName({"train": r"(?:^|/)(?:sky_)?train/", "test": r"(?:^|/)(?:sky_)?test/"}),
        resolution=128,
        count=35_392 + 2_815,  # MoCoGAN-HD, Sec. 4.1
    ),
    "voxceleb": Recipe(
        title="VoxCeleb",
        paper="Nagrani, Chung, Xie, Zisserman 2017, 2020",
        origin="the videos of VoxCeleb2 (dev and test, mp4) with a login that is asked for on the dataset's page at "
        "robots.ox.ac.uk/~vgg, and unpack them",
        terms="the annotations are CC BY 4.0; the videos belong to their owners",
        layout=("dev/mp4/id00012/21Uxsk56VDQ/00001.mp4", "test/mp4/id00017/5MkXgwdrmJw/00001.mp4"),
        clips=r"(?:^|/)(?:dev|test)/(?:mp4/)?id\d{5}/[^/]+/\d{5}\.mp4$",
        split=ByName({"train": r"(?:^|/)dev/", "test": r"(?:^|/)test/"}, told="official, by speaker"),
        resolution=256,
        wrong={r"\.m4a$": "these are the sounds; the videos are separate archives (mp4)"},
    ),
    "tlvdb": Recipe(
        title="TLVDB (Time-Lapse Video Database)",
        paper="Shih, Paris, Durand, Freeman 2013",
        origin="the time-lapse videos from the project page of Shih et al. 2013 (Data-driven Hallucination of Different Times of "
        "Day) at people.csail.mit.edu",
        terms="no licence is stated; other people's videos, used for research",
        layout=("any folders/any name.mp4",),
        clips=r"\.(?:mp4|avi|mov|webm|mkv|flv|wmv)$",
        split=ByGroup(),
        resolution=256,
    ),
    "bair": Recipe(
        title="BAIR robot pushing",
        paper="Ebert, Finn, Lee, Levine 2017",
        origin="bair_robot_pushing_dataset_v0.tar from the authors' page (Berkeley, sna-visual-mpc on sites.google.com), and "
        "write the frames of its .tfrecords as pictures, a folder for each trajectory",
        terms="no licence is stated",
        layout=("softmotion30_44k/train/TRAJECTORY/00.png", "softmotion30_44k/test/TRAJECTORY/00.png"),
        clips=r"(?:^|/)(?:train|test)/(?:[^/]+/)?[^/]+$",
        split=ByName({"train": r"(?:^|/)train/", "test": r"(?:^|/)test/"}),
        resolution=64,
        wrong={r"\.tfrecords?$": "write the frames of the .tfrecords as pictures first, a folder for each trajectory"},
    ),
    "rainbow-jelly": Recipe(
        title="RainbowJelly",
        paper="Skorokhodov et al. 2022 (StyleGAN-V)",
        origin="the video of jellyfish that StyleGAN-V's project page (universome.github.io) and program name, whole or in pieces",
        terms="no licence is stated; one owner's video",
        layout=("any name.mp4 (one long video, or pieces of it)",),
        clips=r"\.(?:mp4|webm|mkv|mov)$",
        split=ByName({"train": ""}, told="none: all of it trains"),
        resolution=256,
    ),
    "mead": Recipe(
        title="MEAD",
        paper="Wang et al. 2020",
        origin="the video.tar of each actor by way of the project page (wywu.github.io), and unpack each in the actor's folder",
        terms="the authors' terms; research only",
        layout=("M003/video/front/angry/level_1/001.mp4",),
        clips=r"(?:^|/)[MW]\d{3}/video/front/(?P<label>[a-z]+)/level_\d/\d{3}\.mp4$",
        split=ByGroup(by=r"(?:^|/)([MW]\d{3})/", what="actor"),
        resolution=1024,
        wrong={r"(?:^|/)video\.tar$": "unpack the video.tar of every actor first"},
    ),
    "afhq": Recipe(
        title="AFHQ",
        paper="Choi, Uh, Yoo, Ha 2020",
        origin="afhq.zip (or afhq_v2.zip) with the script of github.com/clovaai/stargan-v2, and unpack it",
        terms="CC BY-NC 4.0",
        layout=("train/dog/flickr_dog_000002.jpg", "val/dog/flickr_dog_000043.jpg (test in version 2)"),
        clips=rf"(?:^|/)(?:train|val|test)/(?P<label>cat|dog|wild)/[^/]+{_PICTURE}",
        split=ByName({"train": r"(?:^|/)train/", "test": r"(?:^|/)(?:val|test)/"}),
        expect="images",
        resolution=512,
    ),
    "ffhq": Recipe(
        title="FFHQ",
        paper="Karras, Laine, Aila 2019",
        origin="images1024x1024 with the script of github.com/NVlabs/ffhq-dataset",
        terms="CC BY-NC-SA 4.0; every picture has a licence of its own, in the dataset's JSON",
        layout=("images1024x1024/00000/00000.png",),
        clips=rf"(?:^|/)\d{{5}}{_PICTURE}",
        split=ByName(
            {"train": rf"(?:^|/)[0-5]\d{{4}}{_PICTURE}", "test": rf"(?:^|/)6\d{{4}}{_PICTURE}"},
            told="official: the first 60,000 train",
        ),
        expect="images",
        resolution=1024,
        count=70_000,
    ),
    "images": Recipe(
        title="a folder of pictures",
        paper="yours",
        origin="any pictures",
        terms="yours",
        layout=("CLASS/any name.png, or any name.png",),
        clips=_PICTURE,
        split=ByName({"train": ""}, told="none: all of it trains"),
        expect="images",
        resolution=256,
    ),
}
"""By the name behind --recipe."""
