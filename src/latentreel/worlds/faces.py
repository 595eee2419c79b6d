"""The faces world: drawn people who turn, look, blink, talk and smile, with every factor known.

A person is an identity vector (`face_factors`), a performance a motion matrix (`head_motion`); a picture is a function of the two.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from latentreel.worlds.attire import paint_backdrop, paint_clothes, paint_glasses, paint_neck
from latentreel.worlds.canvas import Canvas
from latentreel.worlds.face_eyes import paint_eyes
from latentreel.worlds.face_factors import IDENTITY_FACTORS, RARE
from latentreel.worlds.face_mouth import paint_mouth
from latentreel.worlds.face_skin import head_bodies, paint_head
from latentreel.worlds.hair_styles import paint_hair
from latentreel.worlds.head_motion import MOTION_FACTORS, sample_motion
from latentreel.worlds.relief import Relief
from latentreel.worlds.sitter import Sitter
from latentreel.worlds.world import Factor, Factors, World


@dataclass(frozen=True, kw_only=True)
class FacesWorld(World):
    """An endless collection of videos of drawn faces."""

    NAME: ClassVar[str] = "faces"
    IDENTITY_FACTORS: ClassVar[tuple[Factor, ...]] = IDENTITY_FACTORS
    MOTION_FACTORS: ClassVar[tuple[Factor, ...]] = MOTION_FACTORS
    RARE: ClassVar[Mapping[str, float]] = RARE

    def sample_motion(self, generator: np.random.Generator) -> Factors:
        """One performance, float32 [T, M]."""
        return sample_motion(self.num_frames, self.fps, generator)

    def paint(self, identities: Factors, motions: Factors) -> npt.NDArray[np.uint8]:
        """Paints from the back to the front."""
        sitter = Sitter(identities, motions)
        canvas = Canvas(len(sitter), self.resolution)
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
