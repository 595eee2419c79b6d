"""Count, mean and covariance of features, gathered batch by batch in float64.

Chan, Golub & LeVeque 1983, "Algorithms for Computing the Sample Variance": two parts merge into exactly what both together give.
"""

from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from latentreel.core.errors import InputError

Floats = npt.NDArray[np.float64]


class Rows(Protocol):
    """An array [M, F], or what gives slices of one, such as a file that is read in pieces."""

    @property
    def shape(self) -> tuple[int, ...]:
        """M, F."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, some: slice, /) -> npt.NDArray[Any]: ...


BLOCK = 4096  # features that are in memory as float64 at once


class Moments:
    """What is known of features [F] after n of them; memory does not grow with n."""

    def __init__(self, width: int) -> None:
        """Of nothing yet.

        Args:
            width: F.
        """
        self.count = 0
        """n."""
        self.mean: Floats = np.zeros(width)
        """[F]"""
        self.scatter: Floats = np.zeros((width, width))
        """Sum of the outer products of the deviations from the mean, [F, F]."""

    @classmethod
    def of(cls, features: Rows) -> Self:
        """The moments of features [N, F], read block by block."""
        moments = cls(features.shape[1])
        for begin in range(0, len(features), BLOCK):
            moments.add(features[begin : begin + BLOCK])
        return moments

    def add(self, features: npt.ArrayLike) -> None:
        """Takes in more.

        Args:
            features: [N, F].

        Raises:
            InputError: One of them is not finite.
        """
        batch = np.asarray(features, dtype=np.float64)
        if not np.isfinite(batch).all():
            raise InputError("features are not finite", fix="look for broken frames, or another precision of the network")
        part = type(self)(len(self.mean))
        part.count, part.mean = len(batch), batch.mean(axis=0)
        deviations = batch - part.mean
        part.scatter = deviations.T @ deviations
        self.merge(part)

    def merge(self, other: "Moments") -> None:
        """Takes in what another has seen."""
        total = self.count + other.count
        if not other.count:
            return
        shift = other.mean - self.mean
        self.scatter += other.scatter + np.outer(shift, shift) * (self.count * other.count / total)
        self.mean = self.mean + shift * (other.count / total)
        self.count = total

    @property
    def covariance(self) -> Floats:
        """The unbiased estimate, [F, F].

        Raises:
            InputError: There are fewer than two features.
        """
        if self.count < 2:
            raise InputError("a covariance needs at least two clips", given=self.count)
        return self.scatter / (self.count - 1)
