"""Predictions beside what really came: PSNR and SSIM, the bound that inversion sets, plain baselines (Tian et al. 2021, Tab. 3)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latentreel.core.errors import InputError
from latentreel.metrics.frame_quality import FrameQuality, frame_quality
from latentreel.pipelines.driving import DrivenMotion
from latentreel.pipelines.mocogan_hd_pipeline import MoCoGANHDPipeline
from latentreel.pipelines.prediction import Pixels, Prediction, drawn, extrapolated

PREDICTION, BEST, MEAN = "prediction", "prediction, best sample", "prediction, mean of samples"
REPEAT, REPEAT_INVERTED, LINEAR = "repeat the last given frame", "repeat its inversion", "linear extrapolation"
BOUND, FIRST = "Up-B, every frame inverted", "Up-B, the first frame inverted"


@dataclass(frozen=True, kw_only=True)
class PredictionScores:
    """PSNR in dB and SSIM of the predicted frames, those after the given ones, by what predicted them."""

    given_frames: int
    """Frames that the model was given; the linear extrapolation always has at least two."""

    psnr: dict[str, tuple[float, ...]]
    """By frame."""

    ssim: dict[str, tuple[float, ...]]
    """By frame."""

    def means(self) -> dict[str, tuple[float, float]]:
        """PSNR and SSIM of each, means over frames."""
        return {name: (float(np.mean(self.psnr[name])), float(np.mean(self.ssim[name]))) for name in self.psnr}


@dataclass(frozen=True, eq=False)
class Comparison:
    """The scores, and the frames that they are of."""

    scores: PredictionScores
    clips: dict[str, Pixels]
    """Predicted frames by what predicted them, [T - t, H, W, 3] each; the real ones as "real"."""


def compare_prediction(
    pipe: MoCoGANHDPipeline,
    prediction: Prediction,
    real: Pixels,
    followed: DrivenMotion,
    *,
    given_frames: int = 1,
) -> Comparison:
    """Scores a prediction against the real continuation.

    - prediction: the mean over samples of each sample's score; best sample: that of the highest mean PSNR, chosen knowing the
      truth; mean of samples: their pixels averaged, which is blurred where they differ.
    - repeat the last given frame: the real one, standing still. Its inversion, standing still, says what motion adds.
    - linear extrapolation: of the last two given latents; where one frame is given, it alone also sees the second.
    - Up-B: every real frame inverted along the basis; and the first frame alone, against itself, as in the paper.

    Args:
        pipe: The model.
        prediction: Its prediction.
        real: The frames from the first given one on, uint8 [T, H, W, 3].
        followed: What all of them were inverted to.
        given_frames: How many of them the model was given.

    Raises:
        InputError: The lengths differ, or there are less than three frames.
    """
    num_frames = prediction.samples.shape[1]
    if len(real) != num_frames or num_frames < 3:
        raise InputError("prediction and reality differ in length", given=len(real), allowed=f"{num_frames} frames, 3 or more")
    content, after = pipe.content(latent=prediction.first.latent), slice(given_frames, None)
    line = extrapolated(followed.latents[: max(given_frames, 2)], num_frames)
    samples = prediction.samples[:, after]
    clips = {
        "real": real[after],
        REPEAT: np.repeat(real[given_frames - 1][None], num_frames - given_frames, axis=0),
        REPEAT_INVERTED: np.repeat(_inverted(prediction, followed, given_frames)[None], num_frames - given_frames, axis=0),
        LINEAR: drawn(pipe, content, line)[after],
        MEAN: np.rint(samples.mean(axis=0)).astype(np.uint8),
        BOUND: followed.pictures[after],
    }
    quality = {name: frame_quality(clips["real"], clip) for name, clip in clips.items() if name != "real"}
    each = [frame_quality(clips["real"], sample) for sample in samples]
    best = int(np.argmax([one.psnr.mean() for one in each]))
    clips |= {PREDICTION: samples[0], BEST: samples[best]}
    quality |= {PREDICTION: _mean(each), BEST: each[best]}
    quality[FIRST] = frame_quality(real[:1], prediction.first.picture[None])
    order = [PREDICTION, MEAN, BEST, REPEAT, REPEAT_INVERTED, LINEAR, BOUND, FIRST]
    scores = PredictionScores(
        given_frames=given_frames,
        psnr={name: tuple(quality[name].psnr.tolist()) for name in order},
        ssim={name: tuple(quality[name].ssim.tolist()) for name in order},
    )
    return Comparison(scores, clips)


def _inverted(prediction: Prediction, followed: DrivenMotion, given_frames: int) -> npt.NDArray[np.uint8]:
    """What the last given frame was inverted to."""
    return prediction.first.picture if given_frames == 1 else followed.pictures[given_frames - 1]


def _mean(each: list[FrameQuality]) -> FrameQuality:
    return FrameQuality(np.mean([one.psnr for one in each], axis=0), np.mean([one.ssim for one in each], axis=0))
