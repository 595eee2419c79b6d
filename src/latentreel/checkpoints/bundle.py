"""Bundles: a folder with `card.json` and safetensors files. No weight travels without its card, and none as a pickle.

The card says what the weights are (kind, configs), where they come from (origin, licence), what exactly they are (SHA-256 digests)
and what wrote them (versions).
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

import latentreel
from latentreel.checkpoints.key_table import refuse_key_mismatch
from latentreel.core.config import from_dict, to_dict
from latentreel.core.digests import file_digest
from latentreel.core.errors import InputError
from latentreel.core.files import atomic_path
from latentreel.core.image_generator import UNSTATED
from latentreel.image_generators.build import FAMILIES, Network, family_of
from latentreel.mocogan_hd.latent_basis import LatentBasis
from latentreel.mocogan_hd.motion_generator import MotionGenerator, MotionGeneratorConfig
from latentreel.stylegan_v.config import StyleGANVConfig
from latentreel.stylegan_v.generator import StyleGANVGenerator

CARD = "card.json"
FORMAT = 1

M = TypeVar("M", bound=nn.Module)


def is_bundle(path: Path) -> bool:
    """Whether a folder claims to be a bundle."""
    return (path / CARD).is_file()


def save_image_generator(generator: Network, folder: Path, *, origin: str, licence: str = UNSTATED) -> None:
    """Writes a bundle of kind "image_generator".

    Args:
        generator: What is saved.
        folder: Where; an older bundle there is replaced.
        origin: Where the weights come from, in words.
        licence: Under which terms they stand.
    """
    configs = {"image_generator": {"family": family_of(generator), **to_dict(generator.config)}}
    parts = {"image_generator": generator.state_dict()}
    _write(folder, kind="image_generator", configs=configs, parts=parts, origin=origin, licence=licence)


def save_mocogan_hd(
    generator: Network,
    basis: LatentBasis,
    motion: MotionGenerator,
    folder: Path,
    *,
    origin: str,
    licence: str = UNSTATED,
    fps: float,
) -> None:
    """Writes a bundle of kind "mocogan_hd": image generator, basis, motion generator, and the frame rate of its videos."""
    configs = {
        "image_generator": {"family": family_of(generator), **to_dict(generator.config)},
        "motion_generator": to_dict(motion.config),
        "video": {"fps": fps},
    }
    sources = {"image_generator": generator.provenance}
    parts = {"image_generator": generator.state_dict(), "basis": basis.tensors(), "motion_generator": motion.state_dict()}
    _write(folder, kind="mocogan_hd", configs=configs, parts=parts, origin=origin, licence=licence, parts_from=sources)


def save_stylegan_v(generator: StyleGANVGenerator, folder: Path, *, origin: str, licence: str = UNSTATED) -> None:
    """Writes a bundle of kind "stylegan_v"; arguments are those of `save_image_generator`."""
    configs = {"stylegan_v": to_dict(generator.config)}
    _write(
        folder, kind="stylegan_v", configs=configs, parts={"stylegan_v": generator.state_dict()}, origin=origin, licence=licence
    )


def load_image_generator_bundle(folder: Path) -> Network:
    """The image generator of a bundle of any kind, in eval mode, frozen.

    Raises:
        InputError: The card or the weights are missing, damaged, or do not fit each other.
    """
    card = read_card(folder)
    values = dict(_section(card, "image_generator", folder))
    family = values.pop("family", None)
    if family not in FAMILIES:
        raise InputError(f"{folder}: unknown image generator family", given=family, allowed=", ".join(FAMILIES))
    config_type, network = FAMILIES[family]
    config = from_dict(config_type, values, where=str(folder / CARD))
    generator = _sketch(lambda: network(config), where=str(folder / CARD))
    load_module(generator, _read_part(folder, card, "image_generator"), where=str(folder / "image_generator.safetensors"))
    source = card.get("parts", {}).get("image_generator", card)
    generator.provenance = {name: str(source.get(name, UNSTATED)) for name in ("origin", "licence")}
    return generator.eval().requires_grad_(False)


def load_stylegan_v_bundle(folder: Path) -> StyleGANVGenerator:
    """The generator of a bundle of kind "stylegan_v", in eval mode, frozen.

    Raises:
        InputError: It is another kind of bundle, or something is missing, damaged, or does not fit.
    """
    card = read_card(folder)
    if card["kind"] != "stylegan_v":
        raise InputError(f"{folder} holds no StyleGAN-V", given=f"a bundle of kind {card['kind']}", allowed="stylegan_v")
    config = from_dict(StyleGANVConfig, _section(card, "stylegan_v", folder), where=str(folder / CARD))
    generator = _sketch(lambda: StyleGANVGenerator(config), where=str(folder / CARD))
    load_module(generator, _read_part(folder, card, "stylegan_v"), where=str(folder / "stylegan_v.safetensors"))
    generator.provenance = {name: str(card.get(name, UNSTATED)) for name in ("origin", "licence")}
    return generator.eval().requires_grad_(False)


def load_motion_bundle(folder: Path) -> tuple[LatentBasis, MotionGenerator, float]:
    """Basis, motion generator (eval mode, frozen) and frame rate of a bundle of kind "mocogan_hd".

    Raises:
        InputError: It is another kind of bundle, or something is missing, damaged, or does not fit.
    """
    card = read_card(folder)
    if card["kind"] != "mocogan_hd":
        fix = (
            f"train one: latentreel train motion PRESET --image-generator {folder}"
            if card["kind"] == "image_generator"
            else None
        )
        raise InputError(f"{folder} holds no motion generator", given=f"a bundle of kind {card['kind']}", fix=fix)
    basis = LatentBasis.from_tensors(_read_part(folder, card, "basis"), where=str(folder / "basis.safetensors"))
    config = from_dict(MotionGeneratorConfig, _section(card, "motion_generator", folder), where=str(folder / CARD))
    motion = _sketch(lambda: MotionGenerator.from_config(config, basis=basis), where=str(folder / CARD))
    load_module(motion, _read_part(folder, card, "motion_generator"), where=str(folder / "motion_generator.safetensors"))
    motion.provenance = {name: str(card.get(name, UNSTATED)) for name in ("origin", "licence")}
    fps = _section(card, "video", folder).get("fps")
    if not isinstance(fps, int | float) or not 0 < fps < 1000:
        raise InputError(
            f"{folder / CARD}: the frame rate is out of range", given=fps, allowed="above 0 and below 1000 frames per second"
        )
    return basis, motion.eval().requires_grad_(False), float(fps)


def check_bundle(folder: Path) -> dict[str, Any]:
    """The card of a bundle whose files are all there and are what the card says.

    Raises:
        InputError: The card or a file is missing, damaged, or another.
    """
    card = read_card(folder)
    for name, digest in card["files"].items():
        path = folder / str(name)
        if path.parent != folder or path.suffix != ".safetensors":
            raise InputError(f"{folder / CARD} names a file that no bundle has", given=name, allowed="*.safetensors beside it")
        if not path.is_file() or file_digest(path) != digest:
            raise InputError(f"{path} is not the file that its card describes", fix="download or export the bundle again")
    return card


def read_card(folder: Path) -> dict[str, Any]:
    """The card of a bundle.

    Raises:
        InputError: There is none, it cannot be read, or it was written by a later version.
    """
    path = folder / CARD
    try:
        card = json.loads(path.read_text())
    except OSError as error:
        raise InputError(
            f"{folder} is no bundle: {CARD}: {error.strerror}", fix="give a folder that holds card.json"
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is damaged: {error}") from error
    parts = {"format": int, "kind": str, "configs": dict, "files": dict}
    if not isinstance(card, dict) or not all(isinstance(card.get(name), kind) for name, kind in parts.items()):
        raise InputError(f"{path} lacks parts of a card", allowed=", ".join(parts))
    if card["format"] > FORMAT:
        raise InputError(
            f"{path} was written by a later latentreel", given=f"format {card['format']}", allowed=FORMAT, fix="upgrade"
        )
    return card


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file; half-precision ones become float32, which weights are inside.

    Raises:
        InputError: The file is missing or damaged.
    """
    tensors = {}
    try:
        with safetensors.safe_open(path, "pt") as file:
            keys = list(file.keys())
        for key in keys:  # mapped, copied and unmapped one by one, so that the file does not take memory beside its copy
            with safetensors.safe_open(path, "pt") as file:
                tensors[key] = file.get_tensor(key).clone()
        return {key: value.float() if value.is_floating_point() else value for key, value in tensors.items()}
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except (
        safetensors.SafetensorError,
        NotImplementedError,
    ) as error:  # the latter for number formats that torch cannot convert
        raise InputError(f"{path} is damaged: {error}") from error


def write_tensors(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Writes a safetensors file. By way of memory, for the library's own writer lets nobody but the owner read it.

    Raises:
        OSError: It cannot be written.
    """
    plain = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
    path.write_bytes(safetensors.torch.save(plain))


def load_module(module: nn.Module, state: Mapping[str, Tensor], *, where: str) -> None:
    """Loads weights, naming every key or shape that does not fit. A module on the meta device takes the tensors as its own.

    Raises:
        InputError: Something does not fit.
    """
    own = module.state_dict()
    refuse_key_mismatch(missing=own.keys() - state.keys(), extra=state.keys() - own.keys(), where=where)
    for key, tensor in state.items():
        if tensor.shape != own[key].shape:
            raise InputError(f"{where}: {key} has the wrong shape", given=list(tensor.shape), allowed=list(own[key].shape))
        if tensor.dtype != own[key].dtype:
            raise InputError(f"{where}: {key} has the wrong number format", given=tensor.dtype, allowed=own[key].dtype)
    module.load_state_dict(state, assign=any(tensor.is_meta for tensor in own.values()))


def _write(
    folder: Path,
    *,
    kind: str,
    configs: dict[str, Any],
    parts: Mapping[str, Mapping[str, Tensor]],
    origin: str,
    licence: str,
    parts_from: Mapping[str, Mapping[str, str]] | None = None,
) -> None:
    require_free(folder)
    with atomic_path(folder) as temporary:
        temporary.mkdir()
        for name, state in parts.items():
            write_tensors(state, temporary / f"{name}.safetensors")
        card = {
            "format": FORMAT,
            "kind": kind,
            "licence": licence,
            "origin": origin,
            "parts": parts_from or {},
            "configs": configs,
            "files": {f"{name}.safetensors": file_digest(temporary / f"{name}.safetensors") for name in parts},
            "versions": {"latentreel": latentreel.__version__, "torch": torch.__version__.split("+")[0]},
            "written": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        (temporary / CARD).write_text(json.dumps(card, indent=2) + "\n")


def require_free(folder: Path) -> None:
    """Raises an `InputError` unless the folder is new, empty, or an older bundle and nothing else: it will be replaced."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"{folder} is a file, where a bundle would be a folder", fix="choose another folder")
    others = [path.name for path in folder.iterdir() if path.name != CARD and path.suffix != ".safetensors"]
    if others:
        raise InputError(
            f"{folder} holds other files, which a bundle would replace", given=others[0], fix="choose another folder"
        )


def _read_part(folder: Path, card: dict[str, Any], name: str) -> dict[str, Tensor]:
    path = folder / f"{name}.safetensors"
    tensors = read_tensors(path)
    if file_digest(path) != card["files"].get(path.name):
        raise InputError(f"{path} is not the file that its card describes", fix="download or export the bundle again")
    return tensors


def _sketch(build: Callable[[], M], *, where: str) -> M:
    """A module without weights: a card may claim any size, and memory is taken only once the weights are seen to have it."""
    try:
        with torch.device("meta"):
            return build()
    except (RuntimeError, TypeError, OverflowError) as error:
        raise InputError(f"{where}: no network has these sizes: {str(error).splitlines()[0]}") from error


def _section(card: dict[str, Any], name: str, folder: Path) -> dict[str, Any]:
    section = card["configs"].get(name)
    if not isinstance(section, dict):
        raise InputError(
            f"{folder / CARD} describes no {name}", given=", ".join(card["configs"]), allowed=f"configs with {name}"
        )
    return section
