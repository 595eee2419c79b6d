"""Puts the bundle of a motion run on procedural worlds into the package, as a model with a name.

    python scripts/ship_model.py faces runs/motion-faces-world "presets image/faces-world and motion/faces-world" [remark ...]

A remark says what was done otherwise than the presets say.
"""

import sys
from pathlib import Path

from latentreel.checkpoints.bundle import read_card
from latentreel.checkpoints.load import SHIPPED, find_bundle
from latentreel.pipelines.mocogan_hd_pipeline import MoCoGANHDPipeline

LICENCE = "Apache-2.0"
LARGEST_MB = 8


def main() -> None:
    """Copies the bundle with its licence, and checks its size."""
    name, run, *remarks = sys.argv[1:]
    source = find_bundle(run)
    assert source is not None, f"no bundle in {run}"
    origin = "; ".join([read_card(source)["origin"], *remarks, "no other data"])
    pipe = MoCoGANHDPipeline.load(source)
    pipe.image_generator.provenance["licence"] = LICENCE
    pipe.save(SHIPPED / name, origin=origin, licence=LICENCE)
    size = sum(path.stat().st_size for path in Path(SHIPPED / name).iterdir()) / 1e6
    assert size <= LARGEST_MB, f"{size:.1f} MB is too much to ship"
    print(f"{SHIPPED / name}: {size:.1f} MB")


if __name__ == "__main__":
    main()
