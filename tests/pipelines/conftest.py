"""A pipeline, small."""

import pytest
import torch

from latentreel.pipelines.video_pipeline import VideoPipeline


@pytest.fixture
def pipe(debug_runs) -> VideoPipeline:
    """With motion that can be seen, as after training."""
    pipe = VideoPipeline.load(debug_runs / "motion")
    torch.nn.init.normal_(pipe.motion_generator.to_components.weight, std=3, generator=torch.Generator().manual_seed(0))
    return pipe
