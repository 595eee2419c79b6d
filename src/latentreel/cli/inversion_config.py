"""What inverts a picture, as flags: what `invert`, `predict` and `transfer drive` share."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from latentreel.core.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from latentreel.image_generators.build import Network
    from latentreel.pipelines.inversion import InversionSettings
    from latentreel.pipelines.mocogan_hd_pipeline import MoCoGANHDPipeline
    from latentreel.pipelines.picture_distance import PictureDistance
    from latentreel.pipelines.video_pipeline import VideoPipeline


@dataclass(frozen=True, kw_only=True)
class InversionConfig:
    """A model, and how latents are searched in it."""

    model: Annotated[str, tyro.conf.Positional] = "faces"
    """A bundle, the folder of a run, or the name of a model that ships."""

    space: Literal["auto", "w", "w+"] = "auto"
    """w: one latent for all layers; w+: one for each, which is nearer to pictures that the model does not know. auto: w+ where the
    image generator has layers of styles."""

    steps: int = 150
    """Steps of the search."""

    starts: int = 4
    """Starts of the search: the mean latent and the best of the random candidates."""

    candidates: int = 48
    """Random latents that are looked at for starts."""

    patience: int = 30
    """Steps without getting nearer after which the search ends."""

    noise_maps: bool = False
    """Search the per-layer noise of a StyleGAN2, too: details that no latent knows, which stay in place when the picture moves."""

    label: int | None = None
    """The class that the picture shows, for image generators that have classes."""

    perceptual: str = ""
    """LPIPS, to be made small beside pixels: a TorchScript archive, vgg16.pt of NVIDIA's StyleGAN3 metrics or a traced LPIPS; or
    hf://user/name/file. It is a program that is run."""

    discriminator: Path | None = None
    """A StyleGAN2 discriminator of the same resolution, whose features are compared, too."""

    feature_weight: float = 1.0
    """What the distance that networks see is multiplied by; that of pixels counts 1."""

    seed: int = 0
    """Chooses the candidates."""

    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Number format of the heavy operators."""

    device: Literal["auto", "cpu"] = "auto"
    """auto takes the accelerator if there is one."""


def open_model(config: InversionConfig) -> "MoCoGANHDPipeline":
    """The model that a config names, on its device, in its precision."""
    from accelerate import Accelerator

    from latentreel.core.precision import set_precision
    from latentreel.pipelines.mocogan_hd_pipeline import MoCoGANHDPipeline

    set_precision(config.precision)
    return MoCoGANHDPipeline.load(config.model).to(Accelerator(cpu=config.device == "cpu").device)


def search_settings(config: InversionConfig, generator: "Network") -> "InversionSettings":
    """How the search goes.

    Raises:
        InputError: A number is out of range, or the image generator has no such space.
    """
    from latentreel.core.labels import one_label
    from latentreel.image_generators.stylegan2.generator import StyleGAN2Generator
    from latentreel.pipelines.inversion import InversionSettings

    by_layers = isinstance(generator, StyleGAN2Generator)
    same = ("steps", "starts", "candidates", "patience", "seed")
    settings = InversionSettings(
        space=config.space if config.space != "auto" else "w+" if by_layers else "w",
        noise=config.noise_maps,
        **{name: getattr(config, name) for name in same},
    )
    settings.check(generator)
    one_label(config.label, num_images=1, num_classes=generator.num_classes)  # fails now where it would fail in the end
    return settings


def open_distance(config: InversionConfig, pipe: "MoCoGANHDPipeline") -> "PictureDistance":
    """What the search makes small.

    Raises:
        InputError: A network is missing, damaged, or of another kind or resolution.
    """
    from latentreel.checkpoints.hub import PREFIX, pull_file
    from latentreel.checkpoints.load import load_discriminator
    from latentreel.metrics.perceptual_distance import PerceptualDistance
    from latentreel.pipelines.picture_distance import PictureDistance

    device = next(pipe.image_generator.parameters()).device
    perceptual, discriminator = None, None
    if config.perceptual:
        path = pull_file(config.perceptual) if config.perceptual.startswith(PREFIX) else Path(config.perceptual)
        perceptual = PerceptualDistance(path, device=device)
    if config.discriminator is not None:
        discriminator = load_discriminator(config.discriminator).to(device)
    distance = PictureDistance(perceptual=perceptual, discriminator=discriminator, feature_weight=config.feature_weight)
    distance.check(pipe.image_generator.resolution)
    return distance


def square_picture(path: Path, resolution: int) -> "npt.NDArray[np.uint8]":
    """A still at the size of a model, with notes on the screen where it had another shape.

    Raises:
        InputError: It cannot be read.
    """
    from latentreel.media.decode import load_image

    return _squared(load_image(path), path, resolution)


def square_frames(path: Path, pipe: "VideoPipeline", *, at_least: int, at_most: int | None = None) -> "npt.NDArray[np.uint8]":
    """A video's frames at the size and rate of a model, with notes on the screen where it had others.

    Args:
        path: The video.
        pipe: The model.
        at_least: Frames that are needed at the model's rate.
        at_most: Frames that are taken; by default all.

    Raises:
        InputError: It cannot be decoded, or is too short.
    """
    import itertools

    import numpy as np

    from latentreel.cli.progress import console
    from latentreel.data.framing import centre_square
    from latentreel.media.decode import open_video
    from latentreel.media.video_stream import at_rate

    stream = open_video(path)
    if abs(stream.fps / pipe.fps - 1) > 0.01:
        console.print(
            f"note: {path}: {stream.fps:.4g} frames per second, brought to the model's {pipe.fps:.4g}", soft_wrap=True
        )
        stream = at_rate(stream, pipe.fps)
    size = pipe.resolution
    frames: list[npt.NDArray[np.uint8]] = []
    for frame in itertools.islice(stream.frames, at_most):
        frames.append(centre_square(frame, size) if frames else _squared(frame, path, size))
    if len(frames) < at_least:
        given = f"{len(frames)} frames at the model's {pipe.fps:.4g} per second"
        raise InputError(f"{path} is too short", given=given, allowed=f"{at_least} frames or more")
    return np.stack(frames)


def _squared(frame: "npt.NDArray[np.uint8]", path: Path, resolution: int) -> "npt.NDArray[np.uint8]":
    import numpy as np

    from latentreel.cli.progress import console
    from latentreel.data.framing import centre_square, framing_notes

    for note in framing_notes(frame, resolution):
        console.print(f"note: {path}: {note}", soft_wrap=True)
    return np.array(centre_square(frame, resolution))
