"""Models as collections of clips: the clips of their seeds, at the rate and size that a protocol asks for; and their measures."""

import dataclasses

import numpy as np
import torch

from latentreel.data.clip_decoding import centre_square
from latentreel.metrics.clip_choice import ClipRef
from latentreel.metrics.protocols import Protocol
from latentreel.pipelines.clip_collections import open_clips
from latentreel.pipelines.model_measures import DIVERSITY, measure_model

PROTOCOL = Protocol(name="a test", num_clips=32, num_frames=4)


def test_a_model_gives_the_clips_of_its_seeds(pipe, tmp_path):
    protocol = dataclasses.replace(PROTOCOL, num_clips=16, size=8)
    collection = open_clips(pipe, protocol)
    clip = collection.clip(ClipRef(3, 0), protocol)
    frames = pipe.generate(seed=3, motion_seed=3, num_frames=4).frames
    assert clip.shape == (4, 8, 8, 3)
    np.testing.assert_array_equal(clip, np.stack([centre_square(frame, 8) for frame in frames]))
    whole = dataclasses.replace(protocol, size=None, frame_step=2, num_frames=3)  # trained at the protocol's step: its own is 1
    np.testing.assert_array_equal(open_clips(pipe, whole).clip(ClipRef(3, 0), whole), frames[:3])
    again = dataclasses.replace(whole, generated_step=2)
    np.testing.assert_array_equal(
        open_clips(pipe, again).clip(ClipRef(3, 0), again), pipe.generate(seed=3, motion_seed=3, num_frames=5).frames[::2]
    )


def test_a_model_is_measured(pipe):
    measures = measure_model(pipe, num_frames=4)
    assert measures.scores.keys() == {DIVERSITY}
    assert measures.scores[DIVERSITY].value > 0
    assert list(measures.variance) == sorted(measures.variance)
    assert max(measures.variance.values()) <= 1 + 1e-6
    size = pipe.image_generator.resolution
    assert measures.diversity_sheet.shape == (4 * size + 3 * 2, 3 * size + 2 * 2, 3)
    torch.nn.init.zeros_(pipe.motion_generator.to_components.weight)
    torch.nn.init.zeros_(pipe.motion_generator.to_components.bias)
    assert measure_model(pipe, num_frames=4).scores[DIVERSITY].value == 0


def test_a_model_of_any_time_gives_the_moments_that_a_protocol_asks_for(sgv, tmp_path, fixtures_dir):
    protocol = dataclasses.replace(PROTOCOL, frame_step=3, size=None)
    collection, every = open_clips(sgv, protocol), sgv.generate(seed=3, motion_seed=3, num_frames=40).frames
    assert set(collection.lengths) == {protocol.span}
    for start in (0, 7):
        clip = collection.clip(ClipRef(3, start), protocol)
        assert np.abs(clip.astype(int) - every[start:][: protocol.span : 3]).max() <= 1
    sgv.save(tmp_path / "bundle")
    for source in (tmp_path / "bundle", fixtures_dir / "stylegan_v" / "network-snapshot.pkl"):
        assert open_clips(source, protocol).clip(ClipRef(0, 0), protocol).shape[0] == protocol.num_frames
    measures = measure_model(sgv, num_frames=4, frame_step=3)
    assert measures.variance is None
    assert measures.scores[DIVERSITY].value > 0
