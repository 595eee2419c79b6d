"""Fréchet distance between Gaussians fitted to features: FID with features of images, FVD with features of clips.

Dowson & Landau 1982; Heusel et al. 2017 (FID), Eq. 6; Unterthiner et al. 2018 (FVD), Sec. 3.
"""

import numpy as np

from latentreel.metrics.moments import Floats, Moments


def frechet_distance(real: Moments, fake: Moments) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), at least 0.

    The trace of the root is the sum of the singular values of R1^T R2, where Ri Ri^T = Ci: no root of a product that is not
    symmetric, no imaginary parts to drop, and covariances without full rank are as good as others.

    Raises:
        InputError: One side has fewer than two features.
    """
    shift = real.mean - fake.mean
    first, second = real.covariance, fake.covariance
    shared = np.linalg.svd(_root(first).T @ _root(second), compute_uv=False).sum()
    return max(0.0, float(shift @ shift + np.trace(first) + np.trace(second) - 2.0 * shared))


def _root(covariance: Floats) -> Floats:
    """R with R R^T = C."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))
