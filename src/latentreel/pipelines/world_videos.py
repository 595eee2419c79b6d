"""Writes a procedural world as videos and a factors file: the ground truth that measurements rest on."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np

from latentreel.core.errors import InputError
from latentreel.core.files import atomic_path, require_writable
from latentreel.media.encode import save_video
from latentreel.worlds.world import World


def write_world(
    world: World,
    folder: Path,
    *,
    num_videos: int,
    format: Literal["mp4", "frames"] = "mp4",
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Draws the first videos of a world.

    Args:
        world: Which; its clips are numbered from 0.
        folder: Where `000000.mp4`, ... and `factors.npz` go.
        num_videos: How many, V.
        format: mp4, or folders of PNG frames.
        progress: Called with videos done and videos in all.

    Returns:
        The factors file. It holds `identity` [V, I], `motion` [V, T, M], `identity_names` [I], `motion_names` [M], `videos` [V].

    Raises:
        InputError: The folder cannot be written to.
    """
    require_writable(folder)
    if others := sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")):
        raise InputError(
            f"{folder} is not empty", given=others[0], fix="choose another folder: all videos there must belong together"
        )
    identities, motions, names = [], [], []
    for index in range(num_videos):
        clip = world.video(index)
        name = f"{index:06d}" + ("" if format == "frames" else f".{format}")
        save_video(clip.video, folder / name, format=format)
        identities.append(clip.identity)
        motions.append(clip.motion)
        names.append(name)
        if progress:
            progress(index + 1, num_videos)
    path = folder / "factors.npz"
    with atomic_path(path) as temporary:
        np.savez_compressed(
            temporary,
            identity=np.stack(identities),
            motion=np.stack(motions),
            identity_names=np.array(world.identity_names),
            motion_names=np.array(world.motion_names),
            videos=np.array(names),
        )
    return path
