"""A run of a StyleGAN-V, as far as the commands that use one look at it."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def stylegan_v_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the bundle of a small one with random weights; to be copied where a test changes it."""
    import torch

    from latentreel.checkpoints.bundle import save_stylegan_v
    from latentreel.stylegan_v.config import StyleGANVConfig
    from latentreel.stylegan_v.generator import StyleGANVGenerator

    folder = tmp_path_factory.mktemp("stylegan-v")
    torch.manual_seed(0)
    sizes = {"resolution": 16, "channels": (8, 8, 6), "mapping_layers": 2, "z_dim": 12, "w_dim": 10}
    config = StyleGANVConfig(**sizes, motion_dim=6, code_dim=7, motion_kernel=3, num_frequencies=5, max_period=64.0)
    save_stylegan_v(StyleGANVGenerator(config), folder / "bundle", origin="random weights")
    return folder
