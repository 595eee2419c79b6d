"""Motion diversity: how far apart one content is moved by different motion codes.

Tian et al. 2021, App. D: videos that share their first frame are averaged; the more their frames differ, the larger the deviation.
"""

import numpy as np
import numpy.typing as npt

from latentreel.core.errors import InputError


def motion_diversity(videos: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Deviation of every value of a pixel over the videos, averaged over the picture, frame by frame.

    Args:
        videos: uint8 [V, T, H, W, 3]: one content under V motion codes.

    Returns:
        float64 [T], pixels in [0, 1]; 0 where all videos show the same, as in the first frame. The paper's figure is the last.

    Raises:
        InputError: There are fewer than two videos.
    """
    if len(videos) < 2:
        raise InputError("motion diversity needs at least two videos of one content", given=len(videos))
    by_frame = [videos[:, t].astype(np.float64).std(axis=0).mean() / 255.0 for t in range(videos.shape[1])]
    return np.asarray(by_frame)
