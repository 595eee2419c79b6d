"""The creatures world: drawn animals that make the same movements as the people of the faces world.

An animal is an identity vector (`creature_factors`), a performance a motion matrix (`head_motion`), the same as a person's.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from latentreel.worlds.attire import paint_backdrop
from latentreel.worlds.canvas import Canvas
from latentreel.worlds.creature import Creature
from latentreel.worlds.creature_ears import ears
from latentreel.worlds.creature_eyes import paint_eyes
from latentreel.worlds.creature_factors import IDENTITY_FACTORS
from latentreel.worlds.creature_fur import head_bodies, paint_head
from latentreel.worlds.creature_muzzle import paint_mouth, paint_nose
from latentreel.worlds.creature_torso import paint_torso
from latentreel.worlds.head_motion import MOTION_FACTORS, sample_motion
from latentreel.worlds.relief import Relief
from latentreel.worlds.world import Factor, Factors, World


@dataclass(frozen=True, kw_only=True)
class CreaturesWorld(World):
    """An endless collection of videos of drawn animal faces."""

    NAME: ClassVar[str] = "creatures"
    IDENTITY_FACTORS: ClassVar[tuple[Factor, ...]] = IDENTITY_FACTORS
    MOTION_FACTORS: ClassVar[tuple[Factor, ...]] = MOTION_FACTORS

    def sample_motion(self, generator: np.random.Generator) -> Factors:
        """One performance, float32 [T, M]."""
        return sample_motion(self.num_frames, self.fps, generator)

    def paint(self, identities: Factors, motions: Factors) -> npt.NDArray[np.uint8]:
        """Paints from the back to the front."""
        creature = Creature(identities, motions)
        canvas = Canvas(len(creature), self.resolution)
        head = Relief.of(canvas, head_bodies(creature))
        paint_backdrop(canvas, creature)
        paint_torso(canvas, creature)
        both = ears(canvas, creature)
        for ear in both:
            ear.paint_behind(canvas)
        paint_head(canvas, creature, head)
        paint_eyes(canvas, creature)
        paint_mouth(canvas, creature)
        paint_nose(canvas, creature)
        for ear in both:
            ear.paint_before(canvas)
        return canvas.frames()
