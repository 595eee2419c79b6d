"""The worlds by name."""

from latentreel.core.errors import InputError
from latentreel.worlds.creatures import CreaturesWorld
from latentreel.worlds.faces import FacesWorld
from latentreel.worlds.skies import SkiesWorld
from latentreel.worlds.world import World

WORLDS: dict[str, type[World]] = {world.NAME: world for world in (FacesWorld, CreaturesWorld, SkiesWorld)}


def open_world(name: str, *, resolution: int = 64, num_frames: int = 32, seed: int = 0) -> World:
    """A world by its name.

    Args:
        name: A key of `WORLDS`.
        resolution: Height and width of a frame in pixels, a power of two from 16 to 1024.
        num_frames: Frames of a clip.
        seed: Another seed is another collection of clips.

    Raises:
        InputError: There is no world of that name, or it refuses a field.
    """
    if name not in WORLDS:
        raise InputError("there is no such world", given=name, allowed=", ".join(WORLDS))
    return WORLDS[name](resolution=resolution, num_frames=num_frames, seed=seed)
