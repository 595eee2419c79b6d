"""Who is portrayed, in whatever world: factor values by name, and the pose that follows from the motion of the head."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from latentreel.worlds.head_motion import MOTION_NAMES
from latentreel.worlds.head_pose import HeadPose
from latentreel.worlds.relief import Floats
from latentreel.worlds.world import Factors


@dataclass(frozen=True)
class Subject:
    """One identity and one expression per frame; every value has shape [N], every colour [N, 3]."""

    identity: Factors
    """[N, I]."""

    motion: Factors
    """[N, M]."""

    IDENTITY_NAMES: ClassVar[tuple[str, ...]]
    """Names of the identity factors in array order."""

    def __len__(self) -> int:
        return len(self.motion)

    def __getitem__(self, name: str) -> Floats:
        """A factor's values by its name."""
        if name in self.IDENTITY_NAMES:
            return self.identity[:, self.IDENTITY_NAMES.index(name)].astype(np.float64)
        return self.motion[:, MOTION_NAMES.index(name)].astype(np.float64)

    def between(self, name: str, low: float, high: float) -> Floats:
        """A factor of range -1 ... 1 brought to low ... high."""
        return low + (high - low) * 0.5 * (self[name] + 1.0)

    def point(self, x: Floats | float, y: Floats | float, z: Floats | float) -> Floats:
        """Points [N, 3] from coordinates [N] or numbers."""
        points = np.empty((len(self), 3))
        points[:, 0], points[:, 1], points[:, 2] = x, y, z
        return points

    @cached_property
    def pose(self) -> HeadPose:
        """Where the head is."""
        return HeadPose.of(self["yaw"], self["pitch"], self["roll"], self["shift_x"], self["shift_y"])
