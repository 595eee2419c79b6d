"""Pipelines, small: one of each kind."""

import pytest
import torch

from latentreel.pipelines.mocogan_hd_pipeline import MoCoGANHDPipeline
from latentreel.pipelines.picture_distance import PictureDistance
from latentreel.pipelines.stylegan_v_pipeline import StyleGANVPipeline
from latentreel.stylegan_v.config import StyleGANVConfig
from latentreel.stylegan_v.generator import StyleGANVGenerator

SMALL = {"resolution": 16, "channels": (8, 8, 6), "mapping_layers": 2, "z_dim": 12, "w_dim": 10}
TIME = {"motion_dim": 6, "code_dim": 7, "motion_kernel": 3, "num_frequencies": 5, "max_period": 64.0}


@pytest.fixture
def pipe(debug_runs) -> MoCoGANHDPipeline:
    """With motion that can be seen, as after training."""
    pipe = MoCoGANHDPipeline.load(debug_runs / "motion")
    torch.nn.init.normal_(pipe.motion_generator.to_components.weight, std=3, generator=torch.Generator().manual_seed(0))
    return pipe


@pytest.fixture
def build_sgv():
    """Builds a StyleGAN-V whose motion can be seen, as after training."""

    def build(**changes) -> StyleGANVPipeline:
        torch.manual_seed(0)
        generator = StyleGANVGenerator(StyleGANVConfig(**(SMALL | TIME | changes)))
        for layer in generator.motion.layers:
            torch.nn.init.normal_(layer.weight, std=100)  # the learning-rate multiplier makes it 1
        generator.estimate_mean_latent(num_samples=1000)
        return StyleGANVPipeline(generator)

    return build


@pytest.fixture
def sgv(build_sgv) -> StyleGANVPipeline:
    """The plain one: 25 frames a second, an anchor every 16."""
    return build_sgv()


@pytest.fixture
def broken_distance():
    """A distance of pictures whose weights are damaged: it is never a number."""

    class Broken(PictureDistance):
        def __call__(self, pictures, target, *, finest=None):
            return super().__call__(pictures, target, finest=finest) * torch.nan

    return Broken()
