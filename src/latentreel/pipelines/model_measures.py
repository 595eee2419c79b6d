"""What is measured of a model rather than of clips: how differently it moves one content, and what its latents spread over."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latentreel.media.contact_sheet import contact_sheet
from latentreel.metrics.motion_diversity import MotionDiversity, motion_diversity
from latentreel.pipelines.evaluation_result import Score
from latentreel.pipelines.known_truth import measure_known_truth
from latentreel.pipelines.video_pipeline import VideoPipeline

DIVERSITY = "motion diversity (App. D)"
CONTENTS, MOTIONS = 4, 32
SHARES = (1, 2, 5, 10, 20, 50, 100, 200, 384)  # components
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class ModelMeasures:
    """Scores of a model, and what goes with them."""

    scores: dict[str, Score]
    """By name."""

    variance: dict[int, float] | None
    """Share of the latents' variance that the first components of the basis hold, by their number (Tian et al. 2021, App. E.1);
    None for a model without a latent basis."""

    diversity_sheet: npt.NDArray[np.uint8]
    """A row for each content: its first frame, the mean of its last frames, and their deviation, white where it is largest."""


def measure_model(
    pipe: VideoPipeline,
    *,
    num_frames: int,
    frame_step: int = 1,
    world: str = "",
    motion_world: str = "",
    progress: Progress = lambda *_: None,
) -> ModelMeasures:
    """Measures a model.

    Args:
        pipe: The model.
        num_frames: Frames of a clip.
        frame_step: From one of them to the next, in frames of the training videos, for a model that draws any.
        world: Whose pictures its image generator draws, where that is a procedural world: its known truth is measured then.
        motion_world: Whose videos its motion was learned from; by default the same.
        progress: Told of the steps.

    Raises:
        InputError: The world has no reader, or the clips are too short for known truth.
    """
    rows, rate = [], pipe.drawn_at(pipe.fps / frame_step)
    for seed in range(CONTENTS):
        clips = []
        for motion_seed in range(MOTIONS):
            clips.append(pipe.generate(seed=seed, motion_seed=motion_seed, num_frames=num_frames, fps=rate).frames)
            progress("motion diversity", seed * MOTIONS + motion_seed + 1, CONTENTS * MOTIONS)
        rows.append((clips[0][0], motion_diversity(np.stack(clips))))
    values = [found.deviation.mean() for _, found in rows]
    scores = {DIVERSITY: Score(value=float(np.mean(values)), clips=CONTENTS * MOTIONS)}
    if world:
        scores |= _known_truth(pipe, world, motion_world, num_frames, progress)
    return ModelMeasures(scores=scores, variance=_variance(pipe), diversity_sheet=_sheet(rows))


def _variance(pipe: VideoPipeline) -> dict[int, float] | None:
    ratios = pipe.explained_variance_ratio
    if ratios is None:
        return None
    shares = ratios.cumsum(0).tolist()
    return {count: shares[count - 1] for count in sorted({*SHARES, len(shares)}) if count <= len(shares)}


def _known_truth(pipe: VideoPipeline, world: str, motion_world: str, num_frames: int, progress: Progress) -> dict[str, Score]:
    truth = measure_known_truth(
        pipe,
        world=world,
        motion_world=motion_world,
        num_frames=num_frames,
        progress=lambda done, total: progress("known truth", done, total),
    )
    real = {"identity drift": truth.real_identity_drift, "motion match": truth.real_motion_match}
    told = {name: Score(value=value, clips=truth.num_clips, real=real.get(name)) for name, value in truth.summary().items()}
    return {f"{name} (factors)": score for name, score in told.items()}


def _sheet(rows: list[tuple[npt.NDArray[np.uint8], MotionDiversity]]) -> npt.NDArray[np.uint8]:
    largest = max(float(found.deviation.max()) for _, found in rows) or 1.0
    pictures = []
    for first, found in rows:
        grey = (found.deviation / largest * 255).round().astype(np.uint8)
        pictures.append(np.stack([first, found.mean, np.repeat(grey[..., None], 3, axis=-1)]))
    return contact_sheet(pictures, columns=3)
