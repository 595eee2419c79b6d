"""Which animal is portrayed: the colours and proportions that follow from the factors."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from latentreel.worlds import palettes
from latentreel.worlds.creature_factors import IDENTITY_NAMES
from latentreel.worlds.creature_species import SPECIES, Species
from latentreel.worlds.head_pose import turn
from latentreel.worlds.relief import Floats
from latentreel.worlds.subject import Subject

SECOND = ((0.98, 0.97, 0.95), (0.83, 0.84, 0.88), (0.97, 0.90, 0.78), (0.90, 0.74, 0.55))
"""White, silver, cream, tan."""

NOSES = ((0.13, 0.11, 0.13), (0.40, 0.23, 0.19), (0.90, 0.50, 0.52))
"""Black, brown, rose."""

EYES = ((0.48, 0.26, 0.12), (0.85, 0.55, 0.12), (0.36, 0.66, 0.26), (0.22, 0.56, 0.86), (0.55, 0.42, 0.80))
"""Brown, amber, green, blue, violet."""


@dataclass(frozen=True)
class Creature(Subject):
    """One animal and one expression per frame; lengths are in head units."""

    IDENTITY_NAMES: ClassVar[tuple[str, ...]] = IDENTITY_NAMES

    def trait(self, of: Callable[[Species], npt.ArrayLike]) -> Floats:
        """What each frame's species has, [N] or [N, K] for tuples of K."""
        table = np.array([of(species) for species in SPECIES], dtype=np.float64)
        return np.asarray(table[self["species"].round().astype(int)])

    def marked(self, level: int) -> Floats:
        """1 for the animals with this marking, else 0, [N]."""
        return np.asarray(self["marking"].round() == level, dtype=np.float64)

    @cached_property
    def base(self) -> Floats:
        """The coat in the light."""
        coats = self.trait(lambda species: species.coats)  # [N, 4, 3]
        place = self["fur_colour"] * (coats.shape[1] - 1)
        share = np.maximum(1.0 - np.abs(place[:, None] - np.arange(coats.shape[1])), 0.0)
        colour = (share[:, :, None] * coats).sum(axis=1)
        return np.asarray(np.clip(colour * self.between("fur_lightness", 0.84, 1.08)[:, None], 0.0, 1.0))

    @cached_property
    def second(self) -> Floats:
        """Muzzle, bib and blaze."""
        return palettes.along(SECOND, self["second_colour"])

    @cached_property
    def dark(self) -> Floats:
        """Stripes, patches, points, brows: the coat, much darker and a little warmer."""
        return np.asarray(self.base**1.25 * np.array([0.36, 0.31, 0.31]) + np.array([0.02, 0.015, 0.02]))

    @cached_property
    def nose(self) -> Floats:
        """The nose in the light."""
        return palettes.along(NOSES, self["nose_colour"]) * self.trait(lambda species: species.nose_light)[:, None]

    @cached_property
    def iris(self) -> Floats:
        """The eyes."""
        return palettes.along(EYES, self["eye_colour"])

    @cached_property
    def skull_centre(self) -> Floats:
        """[N, 3]."""
        return self.point(0.0, -0.02, -0.04)

    @cached_property
    def skull(self) -> Floats:
        """Radii of the skull, [N, 3]."""
        radii = self.trait(lambda species: species.skull)
        return radii * self.point(self.between("head_width", 0.93, 1.07), 1.0, 1.0)

    @cached_property
    def muzzle_centre(self) -> Floats:
        """[N, 3]."""
        return self.point(0.0, self.trait(lambda species: species.muzzle_v), 0.31)

    @cached_property
    def muzzle(self) -> Floats:
        """Radii of the muzzle, [N, 3]."""
        radii = self.trait(lambda species: species.muzzle)
        return radii * self.point(self.between("muzzle_width", 0.86, 1.16), 1.0, self.between("muzzle_length", 0.76, 1.3))

    @cached_property
    def eye_u(self) -> Floats:
        """Half the distance between the eyes' centres."""
        return self.trait(lambda species: species.eye_u) * self.between("eye_spacing", 0.92, 1.12)

    @cached_property
    def eye_v(self) -> Floats:
        """Height of the eyes."""
        return self.trait(lambda species: species.eye_v)

    @cached_property
    def eye_radius(self) -> Floats:
        """Half the width of an eye."""
        return self.trait(lambda species: species.eye_radius) * self.between("eye_size", 0.88, 1.14)

    def skull_front(self, u: Floats, v: Floats) -> Floats:
        """z of the skull's front at a place of the face, [N]."""
        x, y = u / self.skull[:, 0], (v - self.skull_centre[:, 1]) / self.skull[:, 1]
        return self.skull_centre[:, 2] + self.skull[:, 2] * np.sqrt(np.maximum(1.0 - x * x - y * y, 0.05))

    def muzzle_front(self, v: Floats) -> Floats:
        """z of the muzzle's middle line at a height given in its half heights from its centre, [N]."""
        return np.asarray(self.muzzle_centre[:, 2] + self.muzzle[:, 2] * np.sqrt(np.maximum(1.0 - v * v, 0.05)))

    def ear_root(self, side: float) -> Floats:
        """Where an ear begins, [N, 3]; side is 1 on the right of the image, else -1."""
        root = self.trait(lambda species: species.ear.root)
        return root * self.point(side * self.between("head_width", 0.95, 1.05), 1.0, 1.0)

    def ear_tilt(self, side: float) -> Floats:
        """Axes of an ear, [N, 3, 3]: across it, along it, out of its opening."""
        angle = self.trait(lambda species: species.ear.angle) + self.between("ear_angle", -12.0, 12.0)
        turned = self.trait(lambda species: species.ear.turned)
        return turn(side * turned, np.zeros(len(self)), side * angle)

    @cached_property
    def ear_size(self) -> Floats:
        """Against the species' average."""
        return self.between("ear_size", 0.82, 1.16)

    @cached_property
    def ear_length(self) -> Floats:
        """From the first to the last ellipsoid of an ear."""
        return self.trait(lambda species: species.ear.length) * self.ear_size
