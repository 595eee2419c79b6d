"""MoCoGAN-HD's released state dicts: motion generator (`modelR_*`) and discriminators (`modelD_3d_*`, `modelD_img_*`).

Every key may carry the prefix `module.` of a model that was saved while spread over several devices. All sizes are found from
the tensors. What the files do not hold is asked for: the principal components, their standard deviations, and the step size.

The patch discriminators' instance norms carry running statistics that no forward pass reads: they are dropped on import, and
written as those of a fresh network (mean 0, variance 1, 0 batches) on export. Their networks are numbered from the smallest input
up: theirs of scale 1 is our `scales.0`, for the input at full size.
"""

from collections.abc import Collection, Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn

from latentreel.checkpoints.key_table import (
    Entry,
    ForeignState,
    check_state,
    empty_network,
    export_state,
    import_module,
    refuse_key_mismatch,
    require_keys,
    tensors_of,
    without_prefix,
)
from latentreel.checkpoints.stored_tensor import StoredTensor
from latentreel.core.errors import InputError
from latentreel.core.shapes import check_shape
from latentreel.mocogan_hd.image_discriminator import RESOLUTION_OF_BLOCKS, ContrastiveDiscriminator, PairDiscriminator
from latentreel.mocogan_hd.latent_basis import LatentBasis
from latentreel.mocogan_hd.motion_generator import MotionGenerator
from latentreel.mocogan_hd.video_discriminator import VideoDiscriminator
from latentreel.nn.patch_network import MultiScalePatchDiscriminator

MOTION_FORMAT = "a motion generator of the MoCoGAN-HD release"
DISCRIMINATOR_FORMAT = "a discriminator of the MoCoGAN-HD release"
WRAPPED, COPY, BANKS = "modelD.", "modelD_ema.", ("q_real", "q_fake", "q_ptr")
DOMAINS: dict[int, Literal["in", "cross"]] = {6: "in", 3: "cross"}  # by input channels, Sec. 3.1

MOTION_GENERATOR = [
    Entry("encoder.weight_ih", "enc_cell.weight_ih"),
    Entry("encoder.weight_hh", "enc_cell.weight_hh"),
    Entry("encoder.bias_ih", "enc_cell.bias_ih"),
    Entry("encoder.bias_hh", "enc_cell.bias_hh"),
    Entry("decoder.weight_ih", "cell.weight_ih"),
    Entry("decoder.weight_hh", "cell.weight_hh"),
    Entry("decoder.bias_ih", "cell.bias_ih"),
    Entry("decoder.bias_hh", "cell.bias_hh"),
    Entry("to_components.weight", "w", "k h -> h k"),
    Entry("to_components.bias", "b"),
    Entry("reconstruction.0.weight", "fc1.weight"),
    Entry("reconstruction.0.bias", "fc1.bias"),
    Entry("reconstruction.2.weight", "fc2.weight"),
    Entry("reconstruction.2.bias", "fc2.bias"),
]

PATCH_DISCRIMINATOR = [
    Entry(f"scales.{1 - scale}.layers.{layer}.{part}", f"netD.scale{scale}_layer{layer}.0.{part}")
    for scale in (0, 1)
    for layer in range(5)
    for part in ("weight", "bias")
]


def contrastive_discriminator_table(num_blocks: int, shortcuts: Collection[int]) -> list[Entry]:
    """The two-way table of the cross-domain image discriminator; `shortcuts` are the blocks that have one."""
    heads = {"embed": "proj0", "output": "linear", "project.0": "proj1", "project.2": "proj2"}
    layers = heads | {f"blocks.{i}.conv{j}": f"blocks.{i}.0.conv{j + 1}" for i in range(num_blocks) for j in (0, 1)}
    layers |= {f"blocks.{i}.shortcut": f"blocks.{i}.0.conv_sc" for i in shortcuts}
    parts = {
        "bias": "bias",
        "weight": "weight_orig",
        "u": "weight_u",
        "v": "weight_v",
    }
    return [Entry(f"{a}.{p}", f"{b}.{q}") for a, b in layers.items() for p, q in parts.items()]


def recognizes_discriminator(content: Any) -> bool:
    """Whether a loaded file looks like one of the released discriminators."""
    return _kind_of_discriminator(content) is not None


def import_discriminator(
    content: Mapping[str, Any], *, where: str
) -> VideoDiscriminator | PairDiscriminator | ContrastiveDiscriminator:
    """A released discriminator of whichever kind the file holds, in eval mode, frozen.

    Args:
        content: What the file holds.
        where: The file's name, for messages.

    Raises:
        InputError: Keys are missing or left over, or shapes contradict each other.
    """
    kind = _kind_of_discriminator(content)
    if kind == "contrastive":
        return import_contrastive_discriminator(content, where=where)
    return (import_video_discriminator if kind == "video" else import_pair_discriminator)(content, where=where)


def _kind_of_discriminator(content: Any) -> Literal["video", "pair", "contrastive"] | None:
    if not isinstance(content, Mapping):
        return None
    state = without_prefix(content)
    if "proj0.weight_orig" in state or f"{WRAPPED}proj0.weight_orig" in state:
        return "contrastive"
    first = state.get("netD.scale1_layer0.0.weight", state.get("netD.scale0_layer0.0.weight"))
    if first is None:
        return None
    return "video" if getattr(first, "ndim", 0) == 5 else "pair"


def recognizes_motion_generator(content: Any) -> bool:
    """Whether a loaded file looks like a released motion generator."""
    return isinstance(content, Mapping) and {"enc_cell.weight_ih", "cell.weight_ih"} <= without_prefix(content).keys()


def import_motion_generator(
    state: Mapping[str, Any], *, components: Tensor, stdev: Tensor, step_size: float, where: str
) -> MotionGenerator:
    """A motion generator in eval mode, frozen.

    Args:
        state: What the file holds.
        components: Principal components of the image generator's latents, [K or more, D], largest variance first.
        stdev: Standard deviations along them, [K or more].
        step_size: lambda of Eq. 2; 0.2 as released.
        where: The file's name, for messages.

    Raises:
        InputError: Keys are missing or left over, or shapes contradict each other or the basis.
    """
    foreign = tensors_of(state, where=where)
    latent_dim, hidden_dim, num_components = motion_sizes(foreign, where=where)
    basis = import_latent_basis(components, stdev, where=where)
    if len(basis.components) < num_components or basis.components.shape[1] != latent_dim:
        raise InputError(
            f"{where}: the principal components do not fit",
            given=list(components.shape),
            allowed=f"[{num_components} or more, {latent_dim}]",
        )
    basis = basis.truncated(num_components)
    with empty_network(where=where):
        motion = MotionGenerator(basis=basis, latent_dim=latent_dim, hidden_dim=hidden_dim, step_size=step_size)
    return import_module(motion, MOTION_GENERATOR, foreign, where=where)


def motion_sizes(foreign: ForeignState, *, where: str) -> tuple[int, int, int]:
    """D, the width of the recurrent state, and K, of a motion generator whose tensors all fit them.

    Raises:
        InputError: Keys are missing or left over, or shapes contradict each other.
    """
    require_keys(MOTION_GENERATOR, foreign, where=where)
    check_shape(foreign["w"], "hidden K", name=f"{where}: w")
    check_shape(foreign["enc_cell.weight_ih"], "4hidden D", name=f"{where}: enc_cell.weight_ih")
    (hidden, k), d = foreign["w"].shape, foreign["enc_cell.weight_ih"].shape[1]
    if min(hidden, k, d) < 1:
        raise InputError(f"{where}: a size is zero", given=[d, hidden, k], allowed="positive numbers")
    with empty_network(where=where):
        basis = LatentBasis(torch.empty(k, d), torch.empty(k), torch.empty(d), torch.empty(k))
        sketch = MotionGenerator(basis=basis, latent_dim=d, hidden_dim=hidden)
    check_state(MOTION_GENERATOR, foreign, own=sketch.state_dict(), where=where)
    return d, hidden, k


def import_latent_basis(components: Tensor, stdev: Tensor, *, mean: Tensor | None = None, where: str) -> LatentBasis:
    """The release's `pca_comp.npy` and `pca_stdev.npy` as a basis.

    Args:
        components: [K, D].
        stdev: [K].
        mean: Mean latent [D], which the release keeps with the image generator; zeros if absent, for the walk does not need it.
        where: The files' name, for messages.

    Returns:
        A basis whose variance ratios are shares of the K given components' variance, which is all of it when K = D.

    Raises:
        InputError: The shapes do not fit each other.
    """
    check_shape(components, "K D", name=f"{where}: components")
    check_shape(stdev, "K", name=f"{where}: stdev", K=len(components))
    mean = torch.zeros(components.shape[1]) if mean is None else mean
    variance = stdev.double().square()
    return LatentBasis(components.float(), stdev.float(), mean.float(), (variance / variance.sum()).float())


def export_motion_generator(motion: MotionGenerator) -> dict[str, Tensor]:
    """The content of a `modelR_*.pth` file; components, standard deviations and step size have no place in it.

    Raises:
        InputError: The motion generator has another form than the released program's.
    """
    form = (motion.config.residual, motion.config.noise_from)
    if form != ("released", "state_and_cell"):
        raise InputError(
            "the released program has no such motion generator",
            given="residual {}, noise_from {}".format(*form),
            allowed="residual released, noise_from state_and_cell",
        )
    return export_state(MOTION_GENERATOR, motion.state_dict())


def import_video_discriminator(state: Mapping[str, Any], *, where: str) -> VideoDiscriminator:
    """D_V, cross-domain or in-domain according to its input channels.

    Args:
        state: What the file holds.
        where: The file's name, for messages.

    Raises:
        InputError: Keys are missing or left over, or shapes contradict each other.
    """
    foreign, width, channels = _read_patches(state, kernel_axes="kt kh kw", where=where)
    if channels not in DOMAINS:
        raise InputError(
            f"{where}: the number of input channels fits no domain", given=channels, allowed="6 (in-domain), 3 (cross-domain)"
        )
    with empty_network(where=where):
        discriminator = VideoDiscriminator(domain=DOMAINS[channels], base_width=width)
    return import_module(discriminator, PATCH_DISCRIMINATOR, foreign, where=where)


def import_pair_discriminator(state: Mapping[str, Any], *, where: str) -> PairDiscriminator:
    """The in-domain D_I, on pairs of frames.

    Args:
        state: What the file holds.
        where: The file's name, for messages.

    Raises:
        InputError: Keys are missing or left over, or shapes contradict each other.
    """
    foreign, width, channels = _read_patches(state, kernel_axes="kh kw", where=where)
    if channels != 6:
        raise InputError(f"{where}: the number of input channels fits no pair of frames", given=channels, allowed=6)
    with empty_network(where=where):
        discriminator = PairDiscriminator(base_width=width)
    return import_module(discriminator, PATCH_DISCRIMINATOR, foreign, where=where)


def import_contrastive_discriminator(content: Mapping[str, Any], *, where: str) -> ContrastiveDiscriminator:
    """The cross-domain D_I, on single frames.

    Args:
        content: What the file holds: the network alone, or wrapped together with its momentum copy and its memory banks, which are
            left where they are.
        where: The file's name, for messages.

    Raises:
        InputError: Keys are missing or left over, or shapes contradict each other.
    """
    foreign = tensors_of(content, where=where)
    if any(key.startswith(WRAPPED) for key in foreign):
        foreign = {
            key.removeprefix(WRAPPED): value for key, value in foreign.items() if key not in BANKS and not key.startswith(COPY)
        }
    blocks = sum(key.startswith("blocks.") and key.endswith(".0.conv1.weight_orig") for key in foreign)
    sizes = []
    for key in ("blocks.0.0.conv1.weight_orig", "proj0.weight_orig"):
        if key not in foreign or foreign[key].ndim < 2:
            refuse_key_mismatch(missing={key}, extra=set(), where=where)
        sizes.append(foreign[key].shape[0])
    if blocks not in RESOLUTION_OF_BLOCKS:
        raise InputError(
            f"{where}: no image discriminator has so many blocks",
            given=blocks,
            allowed=", ".join(map(str, RESOLUTION_OF_BLOCKS)),
        )
    with empty_network(where=where):
        resolution = RESOLUTION_OF_BLOCKS[blocks]
        empty = ContrastiveDiscriminator(resolution=resolution, base_width=sizes[0], projection_dim=sizes[1])
    return import_module(empty, _contrastive_table_of(empty), foreign, where=where)


def export_contrastive_discriminator(discriminator: ContrastiveDiscriminator) -> dict[str, Tensor]:
    """The content of a `modelD_img_*.pth` file, the network alone."""
    return export_state(_contrastive_table_of(discriminator), discriminator.state_dict())


def _contrastive_table_of(discriminator: ContrastiveDiscriminator) -> list[Entry]:
    blocks = list(discriminator.blocks)
    return contrastive_discriminator_table(
        len(blocks), [i for i, block in enumerate(blocks) if getattr(block, "shortcut", None) is not None]
    )


def export_discriminator(discriminator: nn.Module) -> dict[str, Tensor]:
    """The content of the file of a discriminator of any kind.

    Raises:
        InputError: The released program has no such network.
    """
    if isinstance(discriminator, ContrastiveDiscriminator):
        return export_contrastive_discriminator(discriminator)
    if isinstance(discriminator, MultiScalePatchDiscriminator):
        return export_patch_discriminator(discriminator)
    raise InputError("the released program has no such discriminator", given=type(discriminator).__name__)


def export_patch_discriminator(discriminator: MultiScalePatchDiscriminator) -> dict[str, Tensor]:
    """The content of a `modelD_3d_*.pth` or `modelD_img_*.pth` file."""
    foreign = export_state(PATCH_DISCRIMINATOR, discriminator.state_dict())
    for norm in _norms():
        width = len(foreign[f"{norm.removesuffix('.1')}.0.bias"])
        foreign[f"{norm}.running_mean"] = torch.zeros(width)
        foreign[f"{norm}.running_var"] = torch.ones(width)
        foreign[f"{norm}.num_batches_tracked"] = torch.zeros([], dtype=torch.long)
    return foreign


def _read_patches(
    state: Mapping[str, Any], *, kernel_axes: str, where: str
) -> tuple[dict[str, Tensor | StoredTensor], int, int]:
    """Weights without unused statistics, base width, input channels."""
    foreign = tensors_of(state, where=where)
    for norm in _norms():
        for part in ("running_mean", "running_var", "num_batches_tracked"):
            foreign.pop(f"{norm}.{part}", None)
    require_keys(PATCH_DISCRIMINATOR, foreign, where=where)
    first = foreign["netD.scale1_layer0.0.weight"]
    check_shape(first, f"width channels {kernel_axes}", name=f"{where}: netD.scale1_layer0.0.weight")
    return foreign, first.shape[0], first.shape[1]


def _norms() -> list[str]:
    return [f"netD.scale{scale}_layer{layer}.1" for scale in (0, 1) for layer in (1, 2, 3)]
