"""latentreel: make videos with image generators.

The public names are handed out on first use, so that importing the package loads neither torch nor anything else heavy.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES: dict[str, str] = {
    "Video": "latentreel.core.video",
    "InputError": "latentreel.core.errors",
    "ImageGenerator": "latentreel.core.image_generator",
    "set_precision": "latentreel.core.precision",
    "load_video": "latentreel.media.decode",
    "save_video": "latentreel.media.encode",
    "build_image_generator": "latentreel.image_generators.build",
    "load_image_generator": "latentreel.checkpoints.load",
    "load_video_generator": "latentreel.checkpoints.load",
    "load_discriminator": "latentreel.checkpoints.load",
    "LatentBasis": "latentreel.mocogan_hd.latent_basis",
    "MotionGenerator": "latentreel.mocogan_hd.motion_generator",
    "VideoPipeline": "latentreel.pipelines.video_pipeline",
    "import_mocogan_hd": "latentreel.pipelines.mocogan_hd_release",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'latentreel' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
