"""Every file of a folder of awkward videos: verdict, frames, size, orientation and reason, beside a plain sequential decode.

in_place counts the frames that no neighbour of the plain decode resembles more; by_time, of three frames asked for by their
time, those that are the frame of that place; difference is the largest mean one, of 255 (other colour matrices, alpha on black).

`python benchmarks/decoding.py [FOLDER]`; without a folder, the one that developers keep beside the checkout.
"""

import contextlib
import json
import logging
import sys
import time
from collections import deque
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from evidence import write_table
from latentreel.core.errors import InputError
from latentreel.media.decode import open_video
from latentreel.media.video_stream import frame_at
from measure import measured_by_a_child, write_result

FOLDER = Path(__file__).parents[2] / "shared" / "data" / "decoder"
SAMPLED = 4  # every so many rows and columns are compared with neighbours
NEIGHBOURS = 2  # frames to each side among which the plain decode's nearest is looked for

Pixels = npt.NDArray[np.uint8]


def plain_frames(path: Path) -> list[Pixels]:
    """What a loop of a few lines gives: the frames of the largest video stream, in order, as stored."""
    frames = []
    try:
        with av.open(str(path.absolute())) as container:
            for frame in container.decode(max(container.streams.video, key=lambda stream: stream.width * stream.height)):
                frames.append(frame.to_ndarray(format="rgb24"))
    except (av.FFmpegError, IndexError, ValueError, TypeError, AttributeError):
        pass
    return frames


def difference(one: Pixels, other: Pixels) -> float:
    """Mean, of 255, whichever way up the other lies."""
    turned = one if one.shape == other.shape else np.rot90(one)
    if turned.shape != other.shape:
        return float("nan")
    both = [np.abs(view.astype(np.int16) - other).mean() for view in (turned, turned[::-1, ::-1])]
    return float(min(both))


def examined(path: Path) -> dict[str, object]:
    """One row of the table."""
    try:
        stream = open_video(path, constant_rate=False)
        frames = list(stream.frames)
    except InputError as error:
        reason = str(error).replace(f"{path}", "").strip(" :")
        return {"verdict": "refused", "reason": reason}
    steady = len(list(open_video(path).frames))
    plain = plain_frames(path)
    in_place = 0
    for t, frame in enumerate(frames[: len(plain)]):
        near = range(max(0, t - NEIGHBOURS), min(len(plain), t + NEIGHBOURS + 1))
        errors = {k: difference(frame[::SAMPLED, ::SAMPLED], plain[k][::SAMPLED, ::SAMPLED]) for k in near}
        in_place += errors[t] <= min(errors.values()) + 0.5
    times = stream.times
    asked = sorted({0, len(times) // 2, len(times) - 1})
    by_time = [np.array_equal(frame_at(open_video(path, constant_rate=False), times[t]), frames[t]) for t in asked]
    notes = stream.notes
    turned = [note for note in notes if "turned" in note or "mirrored" in note]
    return {
        "verdict": "damaged" if any("breaks off" in note or "gives" in note for note in notes) else "good",
        "frames": len(frames),
        "frames_at_its_usual_rate": steady,
        "plain_frames": len(plain),
        "in_place": in_place,
        "by_time": f"{sum(by_time)}/{len(by_time)}",
        "difference": round(max(difference(*pair) for pair in zip(frames, plain, strict=False)), 2) if plain else None,
        "size": f"{frames[0].shape[1]}x{frames[0].shape[0]}",
        "fps": round(stream.fps, 3),
        "orientation": "; ".join(turned) or "as stored",
        "reason": "; ".join(note for note in notes if note not in turned),
    }


def probe(folder: Path) -> None:
    """Decodes everything, keeps nothing, and prints what that took."""
    logging.disable(logging.WARNING)
    begun = time.perf_counter()
    for path in sorted(folder.iterdir()):
        with contextlib.suppress(InputError):
            deque(open_video(path).frames, maxlen=0)
    peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024**2  # maxrss would count the parent's
    print(json.dumps({"seconds": round(time.perf_counter() - begun, 1), "memory_gb": round(peak, 2)}))


def main() -> None:
    """Prints the table and writes it."""
    if sys.argv[1:2] == ["--probe"]:
        probe(Path(sys.argv[2]))
        return
    logging.disable(logging.WARNING)
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    if not folder.is_dir():
        print(f"there is no folder {folder}: name one")
        return
    rows = {}
    columns = ("verdict", "frames", "plain_frames", "in_place", "by_time", "difference", "size", "orientation", "reason")
    print(" | ".join(("file", *columns)))
    for path in sorted(folder.iterdir()):
        rows[path.name] = examined(path)
        print(
            " | ".join(str(rows[path.name].get(column, "")) for column in ("", *columns)).replace("", path.name, 1), flush=True
        )
    write_table(
        "decoding",
        [column.replace("_", " ") for column in columns],
        {name: [str(row.get(column, "")).replace("|", "/") for column in columns] for name, row in rows.items()},
    )
    taken = measured_by_a_child(__file__, "--probe", str(folder))
    print(f"all files: {taken['seconds']} s, at most {taken['memory_gb']} GB of memory")
    write_result("decoding", {"folder": folder.name, **taken, "files": rows})


if __name__ == "__main__":
    main()
