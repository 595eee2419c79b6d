"""A model is measured by the factors that readers find in its clips."""

import numpy as np
import pytest

from latentreel.core.errors import InputError
from latentreel.pipelines.known_truth import measure_known_truth
from latentreel.pipelines.video_pipeline import VideoPipeline
from latentreel.worlds.faces import FacesWorld


class TrueFaces:
    """Stands in for a perfect model: contents are people of the world, motions its performances."""

    def __init__(self, *, shuffled: bool = False) -> None:
        self.shuffled = shuffled

    def drawn_at(self, fps: float) -> None:
        assert fps == 12.5  # every second frame of the world's videos: what a model that draws any time is asked for

    def generate(self, *, seed: int, motion_seed: int, num_frames: int, fps: None):
        world = FacesWorld(num_frames=2 * num_frames, seed=77)
        people = [world.video(seed + 50 * t if self.shuffled else seed).identity for t in range(num_frames)]
        motion = world.video(1000 + motion_seed).motion[::2][:num_frames]
        return type("Clip", (), {"frames": world.render(np.stack(people), motion)})()


SIZES = {"contents": 6, "motions": 5, "num_frames": 9, "real_clips": 60}


@pytest.fixture(scope="module")
def perfect():
    return measure_known_truth(TrueFaces(), world="faces", **SIZES)


def test_a_perfect_model_is_as_good_as_the_world_itself(perfect):
    assert perfect.identity_drift == pytest.approx(perfect.real_identity_drift, abs=0.12)
    assert perfect.drift_curve[0] == 0
    assert perfect.summary()["motion match"] < 0.6  # thirty clips of five performances against sixty
    assert {"yaw", "pitch", "mouth_open"} <= set(perfect.factors)
    assert min(perfect.transfer[name] for name in ("yaw", "pitch", "mouth_open")) > 0.8
    assert abs(perfect.transfer_floor) < 0.5
    assert perfect.summary()["motion diversity"] > 0.5


def test_people_who_change_are_found_out(perfect):
    changing = measure_known_truth(TrueFaces(shuffled=True), world="faces", **SIZES)
    assert changing.identity_drift > perfect.identity_drift + 0.4
    assert changing.identity_drift == pytest.approx(1, abs=0.2)


def test_the_shipped_model_is_measured_and_progress_told():
    told = []
    truth = measure_known_truth(
        VideoPipeline.load("faces"),
        world="faces",
        contents=3,
        motions=2,
        num_frames=9,
        real_clips=4,
        progress=lambda *steps: told.append(steps),
    )
    assert told[-1] == (3 * 2 + 2 * 4, 3 * 2 + 2 * 4)
    assert truth.identity_drift < 0.7
    assert truth.motion_match.keys() == truth.diversity.keys() == truth.transfer.keys() == set(truth.factors)


def test_worlds_that_move_otherwise_are_refused():
    with pytest.raises(InputError, match="different motion factors; given: faces, skies"):
        measure_known_truth(VideoPipeline.load("faces"), world="faces", motion_world="skies")
