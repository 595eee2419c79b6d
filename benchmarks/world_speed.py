"""Frames per second of the faces world at 64 px, beside decoding the same frames from MP4, on all cores."""

import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import latentreel as lr
from latentreel.worlds.faces import FacesWorld
from measure import write_result

VIDEOS, FRAMES, RESOLUTION = 48, 32, 64


def draw(index: int) -> int:
    return len(FacesWorld(resolution=RESOLUTION, num_frames=FRAMES).video(index).video)


def decode(path: Path) -> int:
    return len(lr.load_video(path))


def main() -> None:
    """Draws and decodes the same clips, with one process per core."""
    workers = os.cpu_count() or 1
    world = FacesWorld(resolution=RESOLUTION, num_frames=FRAMES)
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(workers) as pool:
        paths = [lr.save_video(world.video(index).video, Path(folder) / f"{index}.mp4") for index in range(VIDEOS)]
        list(pool.map(draw, range(workers)))  # start the processes
        start = time.perf_counter()
        drawn = sum(pool.map(draw, range(VIDEOS)))
        drawing = time.perf_counter() - start
        start = time.perf_counter()
        decoded = sum(pool.map(decode, paths))
        decoding = time.perf_counter() - start
    rates = {"drawn_per_second": drawn / drawing, "decoded_per_second": decoded / decoding}
    result = {"resolution": RESOLUTION, "processes": workers, **rates, "drawn_per_decoded": decoding / drawing}
    write_result("world_speed", result)


if __name__ == "__main__":
    main()
