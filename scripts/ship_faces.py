"""Puts the bundle of a `train motion faces-world` run into the package, as the model "faces".

    python scripts/ship_faces.py runs/motion-faces-world ["what was done otherwise than the presets say"]

The image generator inside it comes from `latentreel train image faces-world`.
"""

import sys
from pathlib import Path

from latentreel.checkpoints.bundle import read_card
from latentreel.checkpoints.load import SHIPPED, find_bundle
from latentreel.pipelines.video_pipeline import VideoPipeline

LICENCE = "Apache-2.0"
LARGEST_MB = 8


def main() -> None:
    """Copies the bundle with its licence, and checks its size."""
    source = find_bundle(sys.argv[1])
    assert source is not None, f"no bundle in {sys.argv[1]}"
    card = read_card(source)
    origin = f"{card['origin']}; presets image/faces-world and motion/faces-world; no other data"
    origin += "".join(f"; {remark}" for remark in sys.argv[2:])
    pipe = VideoPipeline.load(source)
    pipe.image_generator.provenance["licence"] = LICENCE
    pipe.save(SHIPPED / "faces", origin=origin, licence=LICENCE)
    size = sum(path.stat().st_size for path in Path(SHIPPED / "faces").iterdir()) / 1e6
    assert size <= LARGEST_MB, f"{size:.1f} MB is too much to ship"
    print(f"{SHIPPED / 'faces'}: {size:.1f} MB")


if __name__ == "__main__":
    main()
