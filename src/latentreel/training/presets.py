"""Presets: one config per experiment, by family and name. Loads nothing heavy.

`debug` runs a few steps of everything in seconds; `small` suits a laptop; the others are named after their experiment.
"""

import dataclasses
from pathlib import Path

from latentreel.training.config import RunConfig
from latentreel.training.image_config import ImageTrainingConfig
from latentreel.training.motion_config import MotionTrainingConfig
from latentreel.training.stylegan_v_config import StyleGANVTrainingConfig

_SMALL_IMAGES = ImageTrainingConfig(
    data="",
    resolution=64,
    channels=(128, 128, 128, 64, 32),
    latent_dim=128,
    mapping_layers=4,
    batch_size=16,
    kimg=600,
    learning_rate=2.5e-3,
    r1_gamma=0.2,
    ema_kimg=5,
    noise=False,
    style_mixing=0.0,  # motion walks one latent for all layers; and poses were learned far sooner without
)

IMAGE: dict[str, ImageTrainingConfig] = {
    "debug": ImageTrainingConfig(
        data="world:faces",
        world_videos=4,
        resolution=16,
        channels=(8, 8, 8),
        latent_dim=16,
        mapping_layers=2,
        batch_size=4,
        kimg=0.04,
        path_length_weight=2.0,
        ada_target=0.6,
        log_every=1,
        sample_every=5,
        save_every=5,
        tracker="none",
    ),
    # Few videos on one's own machine: augmentation makes them last.
    "small": dataclasses.replace(_SMALL_IMAGES, ada_target=0.6, ada_kimg=100),
    "faces-world": dataclasses.replace(_SMALL_IMAGES, data="world:faces", world_videos=3072, r1_gamma=0.6, mirror=True),
    # Stills: another creature and another pose in each.
    "creatures-world": dataclasses.replace(
        _SMALL_IMAGES, data="world:creatures", world_videos=49_152, world_frames=1, r1_gamma=0.6, mirror=True
    ),
    # The last of four runs, each grown from the one before (docs/evidence.md, Skies): from scratch all skies become one pattern.
    "skies-world": dataclasses.replace(
        _SMALL_IMAGES,
        data="world:skies",
        world_videos=49_152,
        world_frames=1,
        batch_size=32,
        deviation_features=16,
        r1_gamma=0.1,
        mirror=True,
    ),
    # App. B: StyleGAN2s at full width, trained on the frames of the videos.
    "ucf101": ImageTrainingConfig(data="", resolution=256, batch_size=32, kimg=25_000, mirror=True),
    "faceforensics": ImageTrainingConfig(data="", resolution=256, batch_size=32, kimg=25_000, mirror=True),
    "sky-timelapse": ImageTrainingConfig(data="", resolution=128, batch_size=32, kimg=25_000, mirror=True),
    "bair": ImageTrainingConfig(data="", resolution=64, batch_size=32, kimg=25_000),
    # App. B: the one image domain that the paper trained a generator for beside the videos.
    "afhq-dog": ImageTrainingConfig(data="", resolution=512, batch_size=32, kimg=25_000, mirror=True, ada_target=0.6),
}

_SMALL_MOTION = MotionTrainingConfig(
    data="",
    image_generator="",
    batch_size=4,
    kclips=20,
    hidden_dim=128,
    num_components=64,
    basis_samples=100_000,
    learning_rate=1e-3,
    discriminator_learning_rate=4e-4,
    discriminator_every=1,
    video_discriminator_width=24,
    image_discriminator_width=24,
    gradient_penalty=0,
    sample_every=200,
    save_every=200,
)

# With few clips in a step D_V soon tells the domains' frames apart, and pulls at content instead of motion: changes differ less.
_SMALL_CROSS = dataclasses.replace(
    _SMALL_MOTION,
    domain="cross",
    memory_bank_size=1024,
    discriminator_learning_rate=3e-4,
    image_discriminator_weight=3.0,
    feature_matching_weight=2.0,
    video_sees="changes",
)

# Half the released step size: over 16 frames latents stay near the first one, and people stay themselves.
_FACES_MOTION = dataclasses.replace(
    _SMALL_MOTION,
    data="world:faces",
    image_generator="faces",
    world_videos=3072,
    step_size=0.1,
    image_discriminator_weight=2.0,
)

_DEBUG_MOTION = MotionTrainingConfig(
    data="world:faces",
    image_generator="faces",
    world_videos=4,
    batch_size=2,
    num_frames=4,
    kclips=0.02,
    hidden_dim=8,
    num_components=8,
    basis_samples=1000,
    discriminator_every=2,
    video_discriminator_width=4,
    image_discriminator_width=4,
    log_every=1,
    sample_every=5,
    save_every=5,
    tracker="none",
)

# App. B at full width: in-domain and across domains, with the settings of the released program.
_PAPER = MotionTrainingConfig(data="", image_generator="", batch_size=16)
_ACROSS = dataclasses.replace(_PAPER, domain="cross", image_discriminator_width=96)

MOTION: dict[str, MotionTrainingConfig] = {
    "debug": _DEBUG_MOTION,
    # In-domain in the paper's own form: Eq. 2, 3, 4 and 6 as written, without what only the released program does.
    "debug-paper": dataclasses.replace(
        _DEBUG_MOTION,
        residual="paper",
        noise_from="state",
        video_loss="logistic",
        content_matching="contrastive",
        own_entry=False,
        contrastive_weight=1.0,
        gradient_penalty=0.0,
        reverse_clips=False,
        memory_bank_size=8,
    ),
    "debug-cross": dataclasses.replace(_DEBUG_MOTION, domain="cross", memory_bank_size=8),
    "small": _SMALL_MOTION,
    "small-cross": _SMALL_CROSS,
    "faces-world": dataclasses.replace(_FACES_MOTION, batch_size=8, image_discriminator_weight=3.0),
    # What `latentreel demo` trains: the same for two minutes, on fewer videos.
    "demo": dataclasses.replace(_FACES_MOTION, minutes=2.0, world_videos=256, log_every=5),
    # For the image generator of `train image skies-world`.
    "skies-world": dataclasses.replace(_SMALL_MOTION, data="world:skies", world_videos=3072, batch_size=8),
    # Content from one world, motion from another.
    "creatures-faces": dataclasses.replace(
        _SMALL_CROSS, data="world:faces", image_generator="creatures", world_videos=3072, step_size=0.1
    ),
    # Tab. 1 to 4: videos and image generator of one domain.
    "ucf101": _PAPER,
    "faceforensics": _PAPER,
    "sky-timelapse": dataclasses.replace(_PAPER, batch_size=32),
    # Tab. 5, Fig. 4 to 6, App. C: videos teach the motion, the image generator brings the content.
    "ffhq-voxceleb": dataclasses.replace(_ACROSS, feature_matching_weight=5.0),
    "ffhq-voxceleb-1024": dataclasses.replace(_ACROSS, batch_size=8, feature_matching_weight=5.0),
    "afhq-dog-voxceleb": dataclasses.replace(_ACROSS, batch_size=8),
    "animefaces-voxceleb": dataclasses.replace(_ACROSS, batch_size=8),
    "lsun-church-tlvdb": _ACROSS,
    # App. E: the case that fails.
    "bair": dataclasses.replace(_PAPER, batch_size=32),
}

# Sec. 4: full width, 64 clips in a step.
_PAPER_CONTINUOUS = StyleGANVTrainingConfig(data="", weighting="videos")

_SMALL_CONTINUOUS = StyleGANVTrainingConfig(
    data="",
    resolution=64,
    channels=(128, 128, 128, 64, 32),
    latent_dim=128,
    mapping_layers=4,
    motion_dim=128,
    code_dim=128,
    num_frequencies=64,
    difference_dim=64,
    batch_size=8,
    kclips=60,
    learning_rate=2.5e-3,
    r1_gamma=0.6,
    ema_kclips=2.5,
    ada_target=0.0,
    sample_every=250,
    save_every=250,
)

STYLEGAN_V: dict[str, StyleGANVTrainingConfig] = {
    "debug": StyleGANVTrainingConfig(
        data="world:faces",
        world_videos=4,
        resolution=16,
        channels=(8, 8, 8),
        latent_dim=16,
        mapping_layers=2,
        motion_dim=8,
        code_dim=8,
        num_frequencies=8,
        max_period=64,
        difference_dim=8,
        batch_size=4,
        kclips=0.04,
        log_every=1,
        sample_every=5,
        save_every=5,
        tracker="none",
    ),
    # Few videos on one's own machine: augmentation makes them last.
    "small": dataclasses.replace(_SMALL_CONTINUOUS, ada_target=0.6, ada_kclips=100),
    "faces-world": dataclasses.replace(_SMALL_CONTINUOUS, data="world:faces", world_videos=3072, mirror=True),
    # Clouds drift slowly, and for longer than faces do anything.
    "skies-world": dataclasses.replace(_SMALL_CONTINUOUS, data="world:skies", world_videos=3072, mirror=True, min_period=64.0),
    # Tab. 1: the paper's data.
    "faceforensics": dataclasses.replace(_PAPER_CONTINUOUS, mirror=True),
    "sky-timelapse": dataclasses.replace(_PAPER_CONTINUOUS, mirror=True, min_period=256.0),  # slower than all else
    "ucf101": dataclasses.replace(_PAPER_CONTINUOUS, mirror=True),
    "rainbow-jelly": dataclasses.replace(_PAPER_CONTINUOUS, mirror=True),
    "mead-1024": dataclasses.replace(_PAPER_CONTINUOUS, resolution=1024, batch_size=32, mirror=True),
}

FAMILIES: dict[str, dict[str, ImageTrainingConfig] | dict[str, MotionTrainingConfig] | dict[str, StyleGANVTrainingConfig]] = {
    "image": IMAGE,
    "motion": MOTION,
    "stylegan-v": STYLEGAN_V,
}


def default_out(family: str, preset: str) -> Path:
    """Where a preset's run goes unless told otherwise."""
    return Path("runs") / f"{family}-{preset}"


def all_presets() -> list[tuple[str, str, RunConfig]]:
    """Every preset as (family, name, config)."""
    return [(family, name, config) for family, presets in FAMILIES.items() for name, config in presets.items()]
