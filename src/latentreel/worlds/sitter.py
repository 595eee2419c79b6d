"""Who sits for the portraits of the faces world: the colours and proportions that follow from the factors."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from latentreel.worlds import palettes
from latentreel.worlds.face_factors import IDENTITY_NAMES
from latentreel.worlds.relief import Floats
from latentreel.worlds.subject import Subject


@dataclass(frozen=True)
class Sitter(Subject):
    """One person and one expression per frame."""

    IDENTITY_NAMES: ClassVar[tuple[str, ...]] = IDENTITY_NAMES

    @cached_property
    def width(self) -> Floats:
        """How wide the head is against the average."""
        return self.between("face_width", 0.92, 1.08)

    @cached_property
    def length(self) -> Floats:
        """How long the face is below the eyes against the average."""
        return self.between("face_length", 0.90, 1.10)

    @cached_property
    def skin(self) -> Floats:
        """Skin in the light."""
        tone = palettes.along(palettes.SKIN, self["skin_tone"])
        warmth = self["skin_warmth"][:, None] * np.array([0.0, 0.022, -0.035])
        return np.asarray(np.clip(tone + warmth, 0.0, 1.0))

    @cached_property
    def skin_shadow(self) -> Floats:
        """Skin turned away from the light."""
        return np.asarray(self.skin * np.array([0.70, 0.57, 0.53]))

    @cached_property
    def hair(self) -> Floats:
        """Hair in the light."""
        return palettes.along(palettes.HAIR, self["hair_colour"])

    @cached_property
    def brow(self) -> Floats:
        """Brows: the hair's colour, but never so light that they vanish."""
        return np.asarray(self.hair * 0.55 + self.skin * np.array([0.17, 0.12, 0.10]))

    @cached_property
    def eye_u(self) -> Floats:
        """Half the distance between the eyes' centres, in head units."""
        return self.between("eye_spacing", 0.165, 0.20) * self.width

    @cached_property
    def eye_radius(self) -> Floats:
        """Half the width of an eye, in head units."""
        return self.between("eye_size", 0.092, 0.122)

    @cached_property
    def mouth_v(self) -> Floats:
        """The height of the mouth, in head units."""
        return -0.04 - 0.225 * self.length
