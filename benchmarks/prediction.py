"""Inversion, prediction and driving, on held-out clips of the world `faces`; the tables go into docs/evidence.md.

The clips come at the model's rate, 12.5 frames per second. Predicted are 16 frames, from one or two given ones. Motions found in a
clip are then applied to the face of the next one, and the factor reader says how well pose follows the driver's. Sheets to look
at go into runs/bench-prediction.
"""

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from rich.progress import track

from evidence import write_table
from latentreel.media.contact_sheet import contact_sheet, save_image
from latentreel.metrics.factor_measures import read_clips
from latentreel.metrics.factor_reader import legible_motion, load_factor_reader
from latentreel.pipelines.driving import driving_motion
from latentreel.pipelines.inversion import Inversion, invert
from latentreel.pipelines.known_truth import HELD_OUT
from latentreel.pipelines.mimicry import mimicked_motion
from latentreel.pipelines.mocogan_hd_pipeline import MoCoGANHDPipeline
from latentreel.pipelines.prediction import Lookahead, go_on
from latentreel.pipelines.prediction_scores import REPEAT, PredictionScores, compare_prediction
from latentreel.sampling.motion import Motion
from latentreel.worlds.registry import open_world
from measure import write_result

MODEL = "faces"
SHEETS = Path("runs/bench-prediction")
CLIPS, FRAMES, STEP = 16, 16, 2  # every second frame: the world's 25 frames per second at the model's 12.5
GIVEN = (1, 2)
SAMPLES = 4
MIMICS = 4
SHOWN = (0, 3, 7, 14)  # of the predicted frames, in the table of single frames


class Measured(NamedTuple):
    """What one clip gives."""

    scores: dict[int, PredictionScores]
    """By the number of given frames."""

    clips: dict[str, npt.NDArray[np.uint8]]
    """For the sheet: of one given frame."""

    inversion: Inversion
    motion: Motion
    followed: npt.NDArray[np.uint8]
    """Every frame inverted."""


def real_clip(index: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """Frames and true motion factors."""
    world = open_world(MODEL, num_frames=(FRAMES - 1) * STEP + 1, seed=HELD_OUT).video(index)
    return world.video.frames[::STEP], world.motion[::STEP]


def measure_clip(index: int) -> Measured:
    """Inverts, predicts and compares one clip."""
    torch.set_num_threads(1)
    pipe, (real, _) = MoCoGANHDPipeline.load(MODEL), real_clip(index)
    first = invert(pipe.image_generator, real[0])
    followed = driving_motion(pipe, real, first.latent)
    compared = {}
    for given in GIVEN:
        ahead = Lookahead(FRAMES, range(SAMPLES), given)
        prediction = go_on(pipe, first, None if given == 1 else followed, ahead)
        compared[given] = compare_prediction(pipe, prediction, real, followed, given_frames=given)
    scores = {given: one.scores for given, one in compared.items()}
    return Measured(scores, compared[1].clips, first, followed.motion, followed.pictures)


def mimic(index: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """A clip of a face, and a creature moved so that it is read alike."""
    torch.set_num_threads(1)
    pipe, (real, _) = MoCoGANHDPipeline.load("creatures"), real_clip(index)
    shown = {"seed": 40 + index, "truncation": 0.8}
    motion = mimicked_motion(pipe, pipe.content(**shown), real, world="creatures", clip_world=MODEL)
    return real, pipe.generate(motion=motion, **shown).frames


def prediction_rows(measured: list[Measured], given: int) -> dict[str, list[float]]:
    """Mean PSNR and SSIM, 95 % of the clips' PSNR over that of standing still, and PSNR of single frames, by predictor."""
    scores = [one.scores[given] for one in measured]
    rows = {}
    for name in scores[0].psnr:
        means = np.array([one.means()[name] for one in scores])
        better = np.mean([one.means()[name][0] > one.means()[REPEAT][0] for one in scores])
        course = np.mean([one.psnr[name] for one in scores], axis=0)
        single = [float(course[at]) if at < len(course) else float("nan") for at in SHOWN if at < FRAMES - given]
        rows[name] = [*means.mean(axis=0).tolist(), float(better), *single]
    return rows


def driving(measured: list[Measured]) -> dict[str, list[float]]:
    """Correlation of pose factors with the driver's true ones, over the frames of a clip, means over clips, by what is read."""
    pipe, reader = MoCoGANHDPipeline.load(MODEL), load_factor_reader(MODEL)
    truth = [real_clip(index)[1] for index in range(len(measured))]
    count = len(measured)
    moved = [
        pipe.generate(latent=measured[(index + 1) % count].inversion.latent, motion=one.motion).frames
        for index, one in enumerate(measured)
    ]
    seeded = [pipe.generate(seed=index, motion=one.motion, truncation=0.8).frames for index, one in enumerate(measured)]
    read = {
        "the driver itself, read": [real_clip(index)[0] for index in range(count)],
        "its frames inverted": [one.followed for one in measured],
        "the next clip's face, moved by it": moved,
        "a face from a seed, moved by it": seeded,
        "the next clip's face, moved by another": [*moved[3:], *moved[:3]],
    }
    sheet = [clip for index in range(3) for clip in (read["the driver itself, read"][index], moved[index], seeded[index])]
    save_image(SHEETS / "driving.png", contact_sheet(sheet, columns=12))
    readings = {name: read_clips(reader, np.stack(clips)).motion for name, clips in read.items()}
    legible = legible_motion(MODEL)
    return {
        name: [float(np.mean([_correlation(a[:, at], b[:, at]) for a, b in zip(truth, values, strict=True)])) for at in legible]
        for name, values in readings.items()
    }


def _correlation(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> float:
    """0 where one of the courses stands still."""
    return float(np.corrcoef(a, b)[0, 1]) if min(a.std(), b.std()) > 1e-9 else 0.0


def mimicry(clips: list[tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]]) -> dict[str, float]:
    """Correlation of what is read of the creature with the driver's true factors, by factor."""
    reader, legible = load_factor_reader("creatures"), sorted(set(legible_motion("creatures")) & set(legible_motion(MODEL)))
    save_image(SHEETS / "mimicry.png", contact_sheet([clip for pair in clips for clip in pair], columns=12))
    readings = read_clips(reader, np.stack([creature for _, creature in clips])).motion
    names, truth = open_world(MODEL).motion_names, [real_clip(index)[1] for index in range(len(clips))]
    return {
        names[at]: float(np.mean([_correlation(a[:, at], b[:, at]) for a, b in zip(truth, readings, strict=True)]))
        for at in legible
    }


def main() -> None:
    """Measures all clips, several at a time, and writes the tables; arguments: another number of clips, of processes."""
    count, processes = ([int(word) for word in sys.argv[1:]] + [CLIPS, os.cpu_count() or 1][len(sys.argv) - 1 :])[:2]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        measured = list(track(pool.map(measure_clip, range(count)), total=count, description="clips"))
        mimics = list(track(pool.map(mimic, range(min(count, MIMICS))), total=min(count, MIMICS), description="mimicry"))
    shown = [clip for one in measured[:2] for clip in one.clips.values()]
    save_image(SHEETS / "prediction.png", contact_sheet(shown, columns=15))
    stills = np.stack([[real_clip(index)[0][0] for index in range(count)], [one.inversion.picture for one in measured]])
    save_image(SHEETS / "inversion.png", contact_sheet(list(stills), columns=16))

    result: dict[str, object] = {"clips": count, "samples": SAMPLES}
    for given in GIVEN:
        rows = prediction_rows(measured, given)
        frames = [f"PSNR, frame {given + 1 + at}" for at in SHOWN if at < FRAMES - given]
        cells = {name: [f"{row[0]:.2f}", f"{row[1]:.3f}", f"{row[2]:.2f}", *map(_shown, row[3:])] for name, row in rows.items()}
        write_table(f"prediction from {given}", ["PSNR", "SSIM", "clips above standing still", *frames], cells)
        result[f"prediction from {given}"] = rows
    names = [open_world(MODEL).motion_names[at] for at in legible_motion(MODEL)]
    correlations = driving(measured)
    cells = {name: [f"{value:.2f}" for value in [*row, np.mean(row)]] for name, row in correlations.items()}
    write_table("driving", [*names, "mean"], cells)
    result["driving"] = {name: dict(zip(names, row, strict=True)) for name, row in correlations.items()}
    mimicked = mimicry(mimics)
    write_table(
        "mimicry", [*mimicked, "mean"], {"creatures": [f"{v:.2f}" for v in [*mimicked.values(), np.mean([*mimicked.values()])]]}
    )
    result["mimicry"] = mimicked
    write_result("prediction", result)


def _shown(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.1f}"


if __name__ == "__main__":
    main()
