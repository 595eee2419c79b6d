"""What a sky of the skies world is: its factors, independent of each other, and the scene that they make together."""

import numpy as np
import numpy.typing as npt

from latentreel.worlds.sky_motion import MOTION_NAMES
from latentreel.worlds.world import Factor, Factors

HORIZONS = ("hills", "mountains", "forest", "city", "sea")

IDENTITY_FACTORS = (
    Factor(name="horizon_kind", low=0, high=4, levels=len(HORIZONS), meaning=", ".join(HORIZONS)),
    Factor(name="horizon_height", low=0, high=1, meaning="from a narrow strip at the bottom to a third of the picture"),
    Factor(name="ruggedness", low=0, high=1, meaning="from flat to steep"),
    Factor(name="ridge_far", low=0, high=1, circular=True, meaning="place along an endless far ridge"),
    Factor(name="ridge_middle", low=0, high=1, circular=True, meaning="place along an endless middle ridge; the sea has none"),
    Factor(name="ridge_near", low=0, high=1, circular=True, meaning="place along an endless near ridge"),
    Factor(
        name="mood",
        low=0,
        high=1,
        circular=True,
        meaning="once around night, dawn, morning, noon, storm, golden hour, dusk, twilight",
    ),
    Factor(name="sun_x", low=-1, high=1, meaning="from the left edge to the right"),
    Factor(name="sun_y", low=0, high=1, meaning="from the horizon to high up"),
    Factor(name="cloud_amount", low=0, high=1, meaning="from a few clouds to nearly overcast"),
    Factor(name="cloud_scale", low=0, high=1, meaning="from many small puffs to large smooth banks"),
    Factor(name="cloud_softness", low=0, high=1, meaning="from crisp edges to mist"),
    Factor(name="veil_amount", low=0, high=1, meaning="from a clear far sky to one full of high streaks"),
    Factor(name="shape_far", low=0, high=1, circular=True, meaning="which part of an endless sheet the far clouds show"),
    Factor(name="shape_middle", low=0, high=1, circular=True, meaning="the same of the middle clouds"),
    Factor(name="shape_near", low=0, high=1, circular=True, meaning="the same of the near clouds"),
)

IDENTITY_NAMES = tuple(factor.name for factor in IDENTITY_FACTORS)


class Scene:
    """N pictures to paint, by the names of their factors."""

    def __init__(self, identities: Factors, motions: Factors) -> None:
        """Of identities [N, I] and motions [N, M]."""
        names = IDENTITY_NAMES + MOTION_NAMES
        columns = np.concatenate([identities, motions], axis=1).astype(np.float64).T
        self._columns: dict[str, npt.NDArray[np.float64]] = dict(zip(names, columns, strict=True))
        self.base: npt.NDArray[np.float64] = -0.86 + 0.5 * self["horizon_height"]
        """Where the land ends and the sky begins, about: y on the canvas, [N]."""

    def __len__(self) -> int:
        return len(self.base)

    def __getitem__(self, name: str) -> npt.NDArray[np.float64]:
        """The values of a factor, [N]."""
        return self._columns[name]
