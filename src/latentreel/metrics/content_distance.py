"""Average content distance: how far a clip's frames are apart in an embedding of identity.

Tulyakov et al. 2018 (MoCoGAN), Sec. 4: ACD; with a face recogniser as the embedding in Tian et al. 2021, Sec. 4.1.
"""

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import pdist

from latentreel.core.errors import InputError


def content_distances(embeddings: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Mean distance of all pairs of frames within each clip; lower is steadier. The score is the mean over clips.

    Args:
        embeddings: [N, T, E].

    Returns:
        [N]

    Raises:
        InputError: A clip has fewer than two frames.
    """
    clips = np.asarray(embeddings, dtype=np.float64)
    if clips.shape[1] < 2:
        raise InputError("the average content distance needs clips of two frames or more", given=clips.shape[1])
    return np.array([pdist(clip).mean() for clip in clips])
