"""Several clips at once: a file for each, or a grid of contents by motions in one video; a few frames at a time."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Unpack

import numpy as np
import numpy.typing as npt

from latentreel.core.errors import InputError
from latentreel.core.video import Video
from latentreel.media.contact_sheet import video_grid
from latentreel.media.encode import VideoFormat, VideoWriter
from latentreel.pipelines.clip_settings import Settings
from latentreel.pipelines.video_pipeline import VideoPipeline

VIDEO_FILES = (".mp4", ".gif")
Progress = Callable[[int, int], None]


def write_clips(
    pipe: VideoPipeline,
    out: Path,
    *,
    seeds: Sequence[int],
    motion_seeds: Sequence[int],
    format: VideoFormat = "mp4",
    progress: Progress | None = None,
    num_frames: int,
    **settings: Unpack[Settings],
) -> list[Path]:
    """One file per content and motion.

    Args:
        pipe: The model.
        out: A file (.mp4, .gif) if there is one clip; else a folder.
        seeds: Contents.
        motion_seeds: Motions.
        format: What is written into a folder.
        progress: Called with frames done and frames in all.
        num_frames: Length of each clip.
        settings: Passed on to `VideoPipeline.stream`, with the seeds.

    Returns:
        The files.

    Raises:
        InputError: A number is out of range, or the output cannot be written.
    """
    pairs, length = (
        list(dict.fromkeys((seed, motion) for seed in seeds for motion in motion_seeds)),
        pipe.clip_length(num_frames, settings),
    )
    if _is_file(out) and len(pairs) > 1:
        raise InputError("several videos do not fit into one file", given=out, allowed="a folder", fix="or add --grid")
    suffix = "" if format == "frames" else f".{format}"
    paths, done = [], 0
    for seed, motion in pairs:
        path = out if _is_file(out) else out / f"seed{seed:04d}_motion{motion:04d}{suffix}"
        told: Settings = {**settings, "seed": seed, "motion_seed": motion}
        with _writer(path, pipe.clip_fps(told), format) as writer:
            for chunk in pipe.stream(num_frames=num_frames, **told):
                writer.write(chunk.frames)
                done += len(chunk)
                if progress:
                    progress(done, length * len(pairs))
        paths.append(path)
    return paths


def write_grid(
    pipe: VideoPipeline,
    out: Path,
    *,
    seeds: Sequence[int],
    motion_seeds: Sequence[int],
    format: VideoFormat = "mp4",
    progress: Progress | None = None,
    num_frames: int,
    **settings: Unpack[Settings],
) -> list[Path]:
    """All clips in one video: a row per content, a column per motion; the arguments are those of `write_clips`.

    With one motion seed the contents are laid out in a near-square.
    """
    suffix = "" if format == "frames" else f".{format}"
    path = out if _is_file(out) else out / f"grid{suffix}"
    pairs = [(seed, motion) for seed in seeds for motion in motion_seeds]
    columns = len(motion_seeds) if len(motion_seeds) > 1 else int(np.ceil(np.sqrt(len(seeds))))
    each: list[Settings] = [{**settings, "seed": seed, "motion_seed": motion} for seed, motion in pairs]
    streams = [pipe.stream(num_frames=num_frames, **told) for told in each]
    done = 0
    with _writer(path, pipe.clip_fps(settings), format) as writer:
        for tiles in _together(streams):
            writer.write(video_grid(tiles, columns=columns))
            done += len(tiles[0])
            if progress:
                progress(done, pipe.clip_length(num_frames, settings))
    return [path]


def clips_of(
    pipe: VideoPipeline, pairs: Sequence[tuple[int, int]], *, num_frames: int, **settings: Unpack[Settings]
) -> npt.NDArray[np.uint8]:
    """Clips of (seed, motion seed) pairs, in memory, uint8 [N, T, H, W, 3]."""
    each: list[Settings] = [{**settings, "seed": seed, "motion_seed": motion} for seed, motion in pairs]
    return np.stack([pipe.generate(num_frames=num_frames, **told).frames for told in each])


def _is_file(out: Path) -> bool:
    """Whether a path names a video file rather than a folder."""
    return out.suffix in VIDEO_FILES


def _writer(path: Path, fps: float, format: VideoFormat) -> VideoWriter:
    """A path with a video's suffix is written as that, whatever the format of a folder's files."""
    return VideoWriter(path, fps=fps, format="frames" if format == "frames" and not _is_file(path) else None)


def _together(streams: list[Iterator[Video]]) -> Iterator[list[npt.NDArray[np.uint8]]]:
    for chunks in zip(*streams, strict=True):
        yield [chunk.frames for chunk in chunks]
