"""Which copies of real clips are told to be copies, and which different clips are taken for such (`data.likeness`).

Each clip is encoded again at low quality, at half its size, and with every other frame.

`python benchmarks/copies_found.py [FOLDER ...]`; without folders, those that developers keep beside the checkout.
"""

import itertools
import sys
import tempfile
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from PIL import Image

from latentreel.data.likeness import Signature, SignatureMaker, alike
from latentreel.data.sources import open_source
from latentreel.media.decode import open_video
from measure import write_result

SHARED = Path(__file__).parents[2] / "shared" / "data"
FOLDERS = [SHARED / name for name in ("faces", "actions", "sky", "gestures")]
MOST_CLIPS = 40  # of a folder
COPIES = {"crf 35": (1, 1.0, 35), "half the size": (1, 0.5, 28), "every other frame": (2, 1.0, 23)}

Pixels = npt.NDArray[np.uint8]


def signature(frames: list[Pixels]) -> Signature:
    """Of a clip."""
    maker = SignatureMaker()
    for frame in frames:
        maker.see(frame)
    found = maker.signature()
    assert found is not None
    return found


def copy(frames: list[Pixels], path: Path, step: int, scale: float, crf: int) -> list[Pixels]:
    """The frames of a copy, encoded as H.264 and decoded again."""
    height, width = (max(16, int(side * scale) // 2 * 2) for side in frames[0].shape[:2])
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25 // step, options={"crf": str(crf)})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for frame in frames[::step]:
            small = np.asarray(Image.fromarray(frame).resize((width, height), Image.Resampling.BICUBIC))
            out.mux(stream.encode(av.VideoFrame.from_ndarray(small, format="rgb24")))
        out.mux(stream.encode(None))
    return list(open_video(path).frames)


def main() -> None:
    """Counts."""
    folders = [Path(word) for word in sys.argv[1:]] or FOLDERS
    originals: list[Signature] = []
    found = dict.fromkeys(COPIES, 0)
    with tempfile.TemporaryDirectory() as folder:
        for place in folders:
            for item in open_source(place).items[:MOST_CLIPS]:
                frames = list(item.open().frames)
                originals.append(signature(frames))
                for kind, form in COPIES.items():
                    found[kind] += alike(originals[-1], signature(copy(frames, Path(folder) / "copy.mp4", *form)))
    taken = [alike(first, second) for first, second in itertools.combinations(originals, 2)]
    write_result(
        "copies_found",
        {
            "folders": [place.name for place in folders],
            "clips": len(originals),
            "copies_found": found,
            "different_pairs": len(taken),
            "different_pairs_taken_for_copies": sum(taken),
        },
    )


if __name__ == "__main__":
    main()
