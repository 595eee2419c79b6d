"""Sizes that fit, and a refusal with the allowed ones for those that do not."""

import pytest

from latentreel.core.errors import InputError
from latentreel.image_generators.stylegan2.config import StyleGAN2Config, default_channels


def test_the_default_widths_are_config_f():
    assert default_channels(1024) == (512, 512, 512, 512, 512, 256, 128, 64, 32)
    config = StyleGAN2Config(resolution=64)
    assert (config.channels, config.sizes, config.num_layers) == ((512,) * 5, (4, 8, 16, 32, 64), 10)


@pytest.mark.parametrize("resolution", [-64, 0, 4, 48, 100])
def test_a_resolution_that_is_no_power_of_two_is_refused(resolution):
    with pytest.raises(InputError, match=f"given: {resolution}; allowed: a power of two from 8 up"):
        StyleGAN2Config(resolution=resolution)


@pytest.mark.parametrize(
    "sizes", [{"channels": (8, 8)}, {"channels": (8, 8, 0)}, {"z_dim": 0}, {"w_dim": -1}, {"mapping_layers": 0}]
)
def test_sizes_that_do_not_fit_are_refused(sizes):
    with pytest.raises(InputError, match=next(iter(sizes))):
        StyleGAN2Config(resolution=16, **sizes)
