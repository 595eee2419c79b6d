"""The faces world: drawn people who turn, look, blink, talk and smile, with every factor known.

A person is an identity vector, a performance a motion matrix (`face_factors`); `render` is a function of the two alone.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latentreel.core.errors import InputError
from latentreel.core.randomness import numpy_generator
from latentreel.core.video import Video
from latentreel.worlds.attire import paint_backdrop, paint_clothes, paint_glasses, paint_neck
from latentreel.worlds.canvas import Canvas
from latentreel.worlds.face_eyes import paint_eyes
from latentreel.worlds.face_factors import (
    IDENTITY_FACTORS,
    IDENTITY_NAMES,
    MOTION_FACTORS,
    MOTION_NAMES,
    sample_identity,
    sample_motion,
)
from latentreel.worlds.face_mouth import paint_mouth
from latentreel.worlds.face_skin import head_bodies, paint_head
from latentreel.worlds.hair_styles import paint_hair
from latentreel.worlds.relief import Relief
from latentreel.worlds.sitter import Sitter
from latentreel.worlds.world import WorldVideo, check_clip_fields, check_factors

PIXELS_AT_ONCE = 2**17
"""Pixels painted together: few enough that the intermediate results stay in a processor's cache."""


@dataclass(frozen=True, kw_only=True)
class FacesWorld:
    """An endless collection of videos of drawn faces."""

    resolution: int = 64
    """Height and width of a frame in pixels, a power of two from 16 to 1024."""

    num_frames: int = 32
    """Frames of a clip."""

    fps: float = 25.0
    """Frames per second."""

    seed: int = 0
    """Another seed is another collection of clips."""

    def __post_init__(self) -> None:
        check_clip_fields(resolution=self.resolution, num_frames=self.num_frames, fps=self.fps, seed=self.seed)

    @property
    def identity_names(self) -> tuple[str, ...]:
        """Names of the identity factors in array order."""
        return IDENTITY_NAMES

    @property
    def motion_names(self) -> tuple[str, ...]:
        """Names of the motion factors in array order."""
        return MOTION_NAMES

    def video(self, index: int) -> WorldVideo:
        """The clip at an index: one person, one performance.

        Raises:
            InputError: The index is negative.
        """
        if index < 0:
            raise InputError("there is no clip before the first", given=index, allowed="0 or more")
        identity = sample_identity(numpy_generator(self.seed, "faces", index, "identity"))
        motion = sample_motion(self.num_frames, self.fps, numpy_generator(self.seed, "faces", index, "motion"))
        return WorldVideo(Video(self.render(identity, motion), self.fps), identity, motion)

    def render(self, identity: npt.ArrayLike, motion: npt.ArrayLike) -> npt.NDArray[np.uint8]:
        """Pictures of people in poses; a frame does not depend on the others in its batch.

        Args:
            identity: One for all frames [I], or one per frame [N, I].
            motion: One for all frames [M], or one per frame [N, M].

        Returns:
            uint8 [N, H, W, 3].

        Raises:
            InputError: The shapes do not fit, or a factor is out of its range.
        """
        people = np.atleast_2d(check_factors(identity, IDENTITY_FACTORS, name="identity"))
        poses = np.atleast_2d(check_factors(motion, MOTION_FACTORS, name="motion"))
        if len(people) != len(poses) and 1 not in (len(people), len(poses)):
            raise InputError(
                "identity and motion differ in length", given=f"{len(people)} and {len(poses)}", allowed="equal, or one is 1"
            )
        count = len(people) * len(poses) if 0 in (len(people), len(poses)) else max(len(people), len(poses))
        people = np.broadcast_to(people, (count, people.shape[1]))
        poses = np.broadcast_to(poses, (count, poses.shape[1]))
        frames = np.empty((count, self.resolution, self.resolution, 3), dtype=np.uint8)
        step = max(1, PIXELS_AT_ONCE // self.resolution**2)
        for start in range(0, count, step):
            part = slice(start, start + step)
            frames[part] = _portraits(Sitter(people[part], poses[part]), self.resolution)
        return frames


def _portraits(sitter: Sitter, resolution: int) -> npt.NDArray[np.uint8]:
    """Paints from the back to the front."""
    canvas = Canvas(len(sitter), resolution)
    head = Relief.of(canvas, head_bodies(sitter))
    paint_backdrop(canvas, sitter)
    paint_hair(canvas, sitter, behind=True)
    paint_neck(canvas, sitter)
    paint_clothes(canvas, sitter)
    paint_head(canvas, sitter, head)
    paint_eyes(canvas, sitter)
    paint_mouth(canvas, sitter)
    paint_hair(canvas, sitter, behind=False)
    paint_glasses(canvas, sitter)
    return canvas.frames()
