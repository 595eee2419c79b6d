"""Network pickles of StyleGAN-V's program (`.pkl`): G, G_ema and D.

They are StyleGAN2-ADA's form with other networks in it, and with OmegaConf objects, which stay inert records: sizes come from the
tensors' shapes, and from the records the few numbers and switches that no shape tells. What a condition on classes adds follows the
layout of StyleGAN2-ADA; no released file was at hand to hold it to.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from latentreel.checkpoints.key_table import Entry, ForeignState, empty_network, import_module, loaded, refuse_key_mismatch
from latentreel.checkpoints.network_pickle import (
    discriminator_sizes,
    generator_sizes,
    judging_table,
    mapping_table,
    synthesis_table,
)
from latentreel.checkpoints.pickled_modules import (
    GENERATORS,
    NETWORKS,
    axis_size,
    check_multiplier,
    default_network,
    flatten,
    holds_networks,
    network_record,
    take_filters,
)
from latentreel.checkpoints.plain_values import Record, shown
from latentreel.checkpoints.stored_tensor import StoredTensor
from latentreel.core.errors import InputError
from latentreel.stylegan_v.config import StyleGANVConfig, StyleGANVDiscriminatorConfig
from latentreel.stylegan_v.discriminator import StyleGANVDiscriminator
from latentreel.stylegan_v.generator import StyleGANVGenerator
from latentreel.stylegan_v.time_encoding import difference_frequencies, frequencies

FORMAT = "a network pickle of StyleGAN-V"
MOTION, WAVES, DIFFERENCES = "synthesis.motion_encoder", "synthesis.motion_encoder.time_encoder", "time_encoder"
SWITCHES = {  # of the generator's settings: what this program's networks are
    "input.type": "temporal",
    "motion.gen_strategy": "conv",
    "motion.fourier": True,
    "time_enc.cond_type": "concat_const",
    "use_noise": False,
}
TOLERANCE = 1e-4  # relative, of frequencies and scales, which follow from the periods


def recognizes(content: Any) -> bool:
    """Whether a loaded file looks like this format: one of its networks knows time."""
    if not holds_networks(content):
        return False
    records = [content[name] for name in NETWORKS if isinstance(content.get(name), Record)]
    return any(_part(_part(one, "synthesis"), "motion_encoder") or _part(one, DIFFERENCES) for one in records)


def import_generator(content: Mapping[str, Any], *, network: str | None = None, where: str) -> StyleGANVGenerator:
    """A generator in eval mode, frozen.

    Args:
        content: What the file holds.
        network: "G_ema", the averaged one, or "G"; by default the averaged one if it is there.
        where: The file's name, for messages.

    Raises:
        InputError: It is not there, or a variant that is not known here; keys are missing or left over, or shapes contradict each
            other.
    """
    network = network or default_network(content)
    if network not in GENERATORS:
        raise InputError("there is no such generator in a network pickle", given=network, allowed=", ".join(GENERATORS))
    record = network_record(content, network, kind="Generator", where=where)
    state, attributes = flatten(record, where=where)
    config = _generator_config(state, attributes, where=where)
    take_filters(state, where=where)
    _check_constant(state, f"{WAVES}.freqs", frequencies(config), where=where)
    _check_constant(state, f"{WAVES}.phase_scales", frequencies(config) * (config.max_period / (2 * torch.pi)), where=where)
    with empty_network(where=where):
        empty = StyleGANVGenerator(config)
    return import_module(empty, generator_table(config), state, where=where)


def import_discriminator(content: Mapping[str, Any], *, where: str) -> StyleGANVDiscriminator:
    """The discriminator D in eval mode, frozen; arguments and errors are those of `import_generator`."""
    record = network_record(content, "D", kind="Discriminator", where=where)
    state, attributes = flatten(record, where=where)
    config = _discriminator_config(state, attributes, where=where)
    take_filters(state, where=where)
    key = f"{DIFFERENCES}.time_encoder.fourier_coefs"
    _check_constant(state, key, difference_frequencies(config.max_frames), where=where)
    del state[key]
    with empty_network(where=where):
        empty = StyleGANVDiscriminator(config)
    return import_module(empty, discriminator_table(config), state, where=where)


def generator_table(config: StyleGANVConfig) -> list[Entry]:
    """The two-way table for a generator of the given sizes."""
    table = mapping_table(config.mapping_layers, conditional=config.num_classes > 0) + synthesis_table(config, noise=False)
    table += [
        Entry("mean_latent", "mapping.w_avg"),
        Entry("blocks.0.constant", "synthesis.b4.input.input.const", "c h w -> 1 c h w"),
        Entry("motion.encoding.frequency", f"{WAVES}.freqs", "f -> 1 f"),
        Entry("motion.encoding.phase_scale", f"{WAVES}.phase_scales", "f -> 1 f"),
        Entry("motion.encoding.periods.weight", f"{WAVES}.periods_predictor.weight"),
        Entry("motion.encoding.phases.weight", f"{WAVES}.phase_predictor.weight"),
        Entry("motion.encoding.aligners.weight", f"{WAVES}.aligners_predictor.weight"),
    ]
    return table + [
        Entry(f"motion.layers.{layer}.{part}", f"{MOTION}.conv.{layer}.{part}")
        for layer in (0, 1)
        for part in ("weight", "bias")
    ]


def discriminator_table(config: StyleGANVDiscriminatorConfig) -> list[Entry]:
    """The two-way table for a discriminator of the given sizes."""
    embedding = [Entry("differences.table", f"{DIFFERENCES}.const_embed.weight")]
    return mapping_table(config.mapping_layers, conditional=True) + judging_table(config) + embedding


# --- finding sizes and variants ------------------------------------------------------------------------------------------


def _generator_config(state: ForeignState, attributes: Mapping[str, Any], *, where: str) -> StyleGANVConfig:
    settings = attributes.get("cfg")
    for name, ours in SWITCHES.items():
        theirs = _setting(settings, name)
        if theirs is not None and theirs != ours:
            raise InputError(f"{where}: a variant that is not known here: {name}", given=shown(theirs), allowed=ours)
    for layer in (0, 1):
        check_multiplier(attributes, f"{MOTION}.conv.{layer}", where=where)
    sizes = generator_sizes(state, attributes, where=where)
    entering = axis_size(state, f"{MOTION}.conv.0.weight", 1, where=where)
    motion_dim = _whole(settings, "motion.z_dim", where=where)
    return StyleGANVConfig(
        **sizes,
        motion_dim=motion_dim,
        motion_sees_class=sizes["num_classes"] > 0 and entering == motion_dim + sizes["num_classes"],
        code_dim=axis_size(state, f"{MOTION}.conv.0.weight", 0, where=where),
        motion_kernel=axis_size(state, f"{MOTION}.conv.0.weight", 2, where=where),
        anchor_distance=_whole(settings, "motion.motion_z_distance", where=where),
        num_frequencies=axis_size(state, f"{WAVES}.freqs", 1, where=where),
        min_period=_number(settings, "time_enc.min_period_len", where=where),
        max_period=_number(settings, "time_enc.max_period_len", where=where),
        fps=25.0 if _setting(settings, "sampling.fps") is None else _number(settings, "sampling.fps", where=where),
    )


def _discriminator_config(state: ForeignState, attributes: Mapping[str, Any], *, where: str) -> StyleGANVDiscriminatorConfig:
    if _setting(attributes.get("cfg"), "dummy_c"):
        raise InputError(f"{where}: a variant that is not known here: dummy_c", given="True", allowed="False")
    sizes = discriminator_sizes(state, attributes, where=where)
    join = _join(state, sizes["resolution"], where=where)
    width = sizes["channels"][join.bit_length() - 3]
    part, joined = (axis_size(state, key, axis, where=where) for key, axis in ((_above(join), 0), (_below(join), 1)))
    if not 1 <= part <= width or joined % part:
        raise InputError(f"{where}: {_below(join)} does not fit", given=f"{joined} features", allowed=f"a multiple of {part}")
    rows, row = (axis_size(state, f"{DIFFERENCES}.const_embed.weight", axis, where=where) for axis in (0, 1))
    differences = (joined // part - 1) * (row + 2 * max(rows - 1, 0).bit_length())
    if sizes["num_classes"] < differences:
        given = f"{sizes['num_classes']} numbers for {joined // part} frames"
        raise InputError(
            f"{where}: D is told fewer differences of time than it sees frames", given=given, allowed=f"{differences}"
        )
    return StyleGANVDiscriminatorConfig(
        **sizes | {"num_classes": sizes["num_classes"] - differences},
        clip_frames=joined // part,
        max_frames=rows,
        difference_dim=row,
        join_resolution=join,
        join_divisor=width // part,
    )


def _join(state: ForeignState, resolution: int, *, where: str) -> int:
    """The size at which frames are joined: there more features come in than the block before gives."""
    size = resolution // 2
    while size > 4:
        if axis_size(state, _above(size), 0, where=where) != axis_size(state, _below(size), 1, where=where):
            return size
        size //= 2
    raise InputError(f"{where}: D joins no frames", allowed="a block that takes the features of several frames")


def _above(size: int) -> str:
    return f"b{2 * size}.conv1.weight"


def _below(size: int) -> str:
    return f"b{size}.conv0.weight"


def _check_constant(state: Mapping[str, Tensor | StoredTensor], key: str, ours: Tensor, *, where: str) -> None:
    """Raises unless a row of constants is what its settings make it."""
    if key not in state:
        refuse_key_mismatch(missing={key}, extra=set(), where=where)
    theirs = state[key]
    if theirs.shape != (1, len(ours)):
        raise InputError(f"{where}: {key} has the wrong shape", given=list(theirs.shape), allowed=[1, len(ours)])
    values = loaded(theirs).double()[0]
    wrong = ~torch.isclose(values, ours.double(), rtol=TOLERANCE, atol=0)
    if wrong.any():
        place = int(wrong.int().argmax())
        given, allowed = (f"{float(row[place]):g} at place {place}" for row in (values, ours))
        raise InputError(f"{where}: {key} is not what its settings make it", given=given, allowed=allowed)


# --- the settings in the file --------------------------------------------------------------------------------------------


def _setting(settings: Any, path: str) -> Any:
    """A value of an OmegaConf object, by names with dots between them; None if it is not there."""
    value = settings
    for name in path.split("."):
        content = value.get("_content") if isinstance(value, Record) else None
        value = content.get(name) if isinstance(content, dict) else None
    return value.get("_val") if isinstance(value, Record) else value


def _number(settings: Any, path: str, *, where: str) -> float:
    value = _setting(settings, path)
    if type(value) not in (int, float) or not 0 < value < 2**31:
        raise InputError(f"{where}: the setting {path} is out of range", given=shown(value), allowed="a number above 0")
    return float(value)


def _whole(settings: Any, path: str, *, where: str) -> int:
    number = _number(settings, path, where=where)
    if not number.is_integer():
        raise InputError(f"{where}: the setting {path} is no whole number", given=number)
    return int(number)


def _part(record: Any, name: str) -> Any:
    modules = record.get("_modules") if isinstance(record, Record) else None
    return modules.get(name) if isinstance(modules, dict) else None
