"""The weights that a motion training starts from, and those that it leaves behind for other programs."""

import dataclasses
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from latentreel.checkpoints.bundle import load_motion_bundle, read_tensors, write_tensors
from latentreel.checkpoints.load import find_bundle, load_discriminator
from latentreel.core.config import load_yaml
from latentreel.core.errors import InputError
from latentreel.core.files import atomic_path
from latentreel.image_generators.build import Network
from latentreel.mocogan_hd.image_discriminator import RESOLUTION_OF_BLOCKS, ContrastiveDiscriminator, PairDiscriminator
from latentreel.mocogan_hd.latent_basis import LatentBasis
from latentreel.mocogan_hd.motion_generator import MotionGenerator
from latentreel.mocogan_hd.video_discriminator import VideoDiscriminator
from latentreel.training.motion_config import MotionTrainingConfig
from latentreel.training.state import read_state, saved_states

_log = logging.getLogger(__name__)


def resolve(config: MotionTrainingConfig) -> MotionTrainingConfig:
    """The config with the image generator and the sizes of the weights that training starts from; warns of what they replace.

    Raises:
        InputError: Weights to start from are missing, damaged, or of another kind.
    """
    brought: dict[str, Any] = {}
    if config.start_from:
        _, motion = starting_motion(config.start_from)
        names = ("hidden_dim", "num_components", "step_size", "residual", "noise_from")
        brought = {name: getattr(motion.config, name) for name in names} | {"image_generator": config.start_from}
    if config.video_discriminator:
        brought["video_discriminator_width"] = starting_video_discriminator(config).base_width
    if config.image_discriminator:
        brought["image_discriminator_width"] = starting_image_discriminator(config).base_width
    for name, value in brought.items():
        if getattr(config, name) not in (value, ""):
            _log.warning("the weights to start from bring %s %s; %s is not used", name, value, getattr(config, name))
    _warn_of_unused(config)
    return dataclasses.replace(config, **brought)


def _warn_of_unused(config: MotionTrainingConfig) -> None:
    """Names the options that were given and have no effect beside the others."""
    contrastive = ("contrastive_weight", "feature_matching_weight", "own_entry", "memory_bank_size", "momentum")
    unused: dict[str, tuple[str, ...]] = {}
    if not config.image_discriminator_weight:
        unused["image_discriminator_weight is 0"] = ("image_discriminator", "content_matching", *contrastive)
    elif not config.contrastive:
        unused["content_matching is pairs"] = contrastive
    elif not config.contrastive_weight:
        unused["contrastive_weight is 0"] = ("own_entry", "memory_bank_size", "momentum")
    if config.residual == "none":
        unused["residual is none"] = ("step_size",)
    defaults = {field.name: field.default for field in dataclasses.fields(MotionTrainingConfig)}
    for reason, names in unused.items():
        given = [name for name in names if getattr(config, name) != defaults[name]]
        if given:
            _log.warning("%s: %s %s no effect", reason, ", ".join(given), "has" if len(given) == 1 else "have")


def starting_motion(source: str) -> tuple[LatentBasis, MotionGenerator]:
    """The basis and the motion generator of a bundle or a run.

    Raises:
        InputError: There is none, or it is damaged.
    """
    folder = find_bundle(source)
    if folder is None:
        raise InputError("there is nothing to start from", given=source, allowed="a bundle or a run's folder")
    basis, motion, _ = load_motion_bundle(folder)
    return basis, motion


def starting_video_discriminator(config: MotionTrainingConfig) -> VideoDiscriminator:
    """The D_V that the config names.

    Raises:
        InputError: It is another kind of network, or for the other domain.
    """
    discriminator = load_discriminator(str(config.video_discriminator))
    if not isinstance(discriminator, VideoDiscriminator) or discriminator.domain != config.domain:
        domain = f", {discriminator.domain} domain" if isinstance(discriminator, VideoDiscriminator) else ""
        raise InputError(
            f"{config.video_discriminator} is no video discriminator for this training",
            given=type(discriminator).__name__ + domain,
            allowed=f"VideoDiscriminator, {config.domain} domain",
        )
    return discriminator


def starting_image_discriminator(config: MotionTrainingConfig) -> PairDiscriminator | ContrastiveDiscriminator:
    """The D_I that the config names.

    Raises:
        InputError: It is another kind of network.
    """
    discriminator = load_discriminator(str(config.image_discriminator))
    kind = ContrastiveDiscriminator if config.contrastive else PairDiscriminator
    if not isinstance(discriminator, kind):
        raise InputError(
            f"{config.image_discriminator} is no image discriminator for this training",
            given=type(discriminator).__name__,
            allowed=kind.__name__,
        )
    return discriminator


def trained_discriminators(run: Path) -> dict[str, nn.Module]:
    """The discriminators in a run's newest state, by the names that the MoCoGAN-HD release gives their files; none without a state.

    A D_V that looks at changes is left out: the released program's looks at frames.

    Raises:
        InputError: The state is damaged.
    """
    states = saved_states(run / "state")
    modules = read_state(states[0])["modules"] if states else {}
    kinds: dict[str, tuple[str, Callable[[dict[str, Tensor]], nn.Module]]] = {
        "modelD_3d_epoch_0.pth": ("video_discriminator", _video_discriminator_like),
        "modelD_img_epoch_0.pth": ("image_discriminator", _image_discriminator_like),
    }
    if modules and load_yaml(MotionTrainingConfig, run / "config.yaml").video_sees == "changes":
        _log.warning("D_V of this run looks at changes, which the released program does not know: it is left out")
        del kinds["modelD_3d_epoch_0.pth"]
    found: dict[str, nn.Module] = {}
    for file, (name, build) in kinds.items():
        if name in modules:
            found[file] = build(modules[name])
            found[file].load_state_dict(modules[name])
    return found


def _video_discriminator_like(weights: dict[str, Tensor]) -> nn.Module:
    """A D_V of the domain and width that the weights have."""
    width, channels = weights["scales.0.layers.0.weight"].shape[:2]
    return VideoDiscriminator(domain="in" if channels == 6 else "cross", base_width=width)


def _image_discriminator_like(weights: dict[str, Tensor]) -> nn.Module:
    """A D_I of the form and sizes that the weights have."""
    if "scales.0.layers.0.bias" in weights:
        return PairDiscriminator(base_width=len(weights["scales.0.layers.0.bias"]))
    num_blocks = len({key.split(".")[1] for key in weights if key.startswith("blocks.")})
    width, projection_dim = len(weights["blocks.0.conv0.bias"]), len(weights["embed.bias"])
    return ContrastiveDiscriminator(
        resolution=RESOLUTION_OF_BLOCKS[num_blocks], base_width=width, projection_dim=projection_dim
    )


def open_basis(
    config: MotionTrainingConfig,
    generator: Network,
    *,
    anew: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> LatentBasis:
    """The basis that a run keeps in its folder; at first it is computed, at most as wide as the latents, or taken from the start.

    Args:
        config: The run's.
        generator: The frozen image generator.
        anew: Compute it even if there is one: in a folder without a state, it may be another run's.
        progress: Called with samples done and samples in all.

    Raises:
        InputError: The folder cannot be written to, or the file there is damaged.
    """
    path = config.out / "basis.safetensors"
    if path.exists() and not anew:
        return LatentBasis.from_tensors(read_tensors(path), where=str(path))
    if config.start_from:
        basis = starting_motion(config.start_from)[0].truncated(config.num_components)
        return _keep_basis(basis, path)
    components, samples = min(config.num_components, generator.w_dim), max(config.basis_samples, generator.w_dim + 1)
    if (components, samples) != (config.num_components, config.basis_samples):
        _log.warning(
            "the latents are %d wide: the basis has %d components, from %d samples", generator.w_dim, components, samples
        )
    basis = LatentBasis.fit(generator, num_samples=samples, num_components=components, seed=config.seed, progress=progress)
    return _keep_basis(basis, path)


def _keep_basis(basis: LatentBasis, path: Path) -> LatentBasis:
    with atomic_path(path) as temporary:
        write_tensors(basis.tensors(), temporary)
    return basis
