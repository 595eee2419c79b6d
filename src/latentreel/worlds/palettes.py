"""Colours as functions of a position: natural ranges for skin, hair and eyes, soft hues for cloth and backdrop."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SKIN = ((1.00, 0.87, 0.78), (0.98, 0.80, 0.67), (0.90, 0.69, 0.53), (0.77, 0.54, 0.39), (0.60, 0.40, 0.28), (0.45, 0.29, 0.20))
"""From light to dark."""

HAIR = (
    (0.11, 0.09, 0.10),
    (0.27, 0.17, 0.12),
    (0.45, 0.24, 0.14),
    (0.74, 0.38, 0.16),
    (0.91, 0.74, 0.43),
    (0.80, 0.79, 0.80),
)
"""Black, brown, auburn, ginger, blond, silver."""

EYES = ((0.35, 0.20, 0.11), (0.52, 0.36, 0.14), (0.28, 0.48, 0.24), (0.22, 0.46, 0.72), (0.50, 0.58, 0.64))
"""Brown, hazel, green, blue, grey."""


def along(colours: tuple[tuple[float, float, float], ...], position: Floats) -> Floats:
    """Colours [N, 3] at positions [N] in [0, 1] of an evenly spaced, linearly mixed row of colours."""
    knots = np.linspace(0.0, 1.0, len(colours))
    return np.stack([np.interp(position, knots, channel) for channel in zip(*colours, strict=True)], axis=1)


def from_hue(hue: Floats, saturation: Floats | float, value: Floats | float) -> Floats:
    """Colours [N, 3] from hue [N] in full circles, saturation and value in [0, 1] (Smith, 1978)."""
    thirds = np.stack([hue, hue - 1 / 3, hue - 2 / 3], axis=1) % 1.0
    pure = np.clip(np.abs(6.0 * thirds - 3.0) - 1.0, 0.0, 1.0)
    saturation, value = np.broadcast_to(saturation, hue.shape)[:, None], np.broadcast_to(value, hue.shape)[:, None]
    return np.asarray(value * (1.0 - saturation + saturation * pure))


def mix(a: Floats | tuple[float, float, float], b: Floats | tuple[float, float, float], share: float) -> Floats:
    """Colours with `share` of b and the rest of a."""
    return (1.0 - share) * np.asarray(a) + share * np.asarray(b)
