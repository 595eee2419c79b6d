"""Opens image generators of any known format, found from the content."""

import re
from pathlib import Path
from typing import Any

import torch

from latentreel.checkpoints import stylegan2_state_dict
from latentreel.checkpoints.bundle import UNSTATED, is_bundle, load_image_generator_bundle
from latentreel.core.errors import InputError
from latentreel.image_generators.stylegan2.generator import StyleGAN2Generator

SHIPPED = Path(__file__).parents[1] / "weights"
FORMATS = "a bundle folder, a run's folder, a StyleGAN2 g_ema state dict (.pt), or a name that ships"


def shipped_names() -> list[str]:
    """Names of the bundles that come with the package."""
    return sorted(folder.name for folder in SHIPPED.iterdir() if is_bundle(folder)) if SHIPPED.is_dir() else []


def find_bundle(source: Path | str) -> Path | None:
    """The bundle folder that a path or a shipped name means: itself, or the bundle inside a run's folder; None if there is none."""
    path = Path(source)
    for candidate in (path, path / "bundle"):
        if is_bundle(candidate):
            return candidate
    shipped = SHIPPED / str(source)
    return shipped if str(source) in shipped_names() and not path.exists() else None


def load_image_generator(source: Path | str) -> StyleGAN2Generator:
    """A frozen image generator in eval mode.

    Args:
        source: A bundle, a run's folder, a foreign checkpoint, or the name of one that ships.

    Raises:
        InputError: Nothing is there, or it is in no known format, or damaged.
    """
    bundle = find_bundle(source)
    if bundle is not None:
        return load_image_generator_bundle(bundle)
    path = Path(source)
    if not path.exists():
        raise InputError("there is no such image generator", given=source, allowed=f"{FORMATS}: {', '.join(shipped_names())}")
    if path.is_dir():
        raise InputError(f"{path} holds no bundle", allowed=FORMATS, fix="for a run, wait until it has saved its first state")
    content = read_checkpoint(path)
    if stylegan2_state_dict.recognizes(content):
        generator = stylegan2_state_dict.import_generator(content, where=str(path))
        generator.provenance = {"origin": f"{path.name}, a StyleGAN2 g_ema state dict", "licence": UNSTATED}
        return generator
    raise InputError(f"{path} is in no known format", given=_describe(content), allowed=FORMATS)


def read_checkpoint(path: Path) -> Any:
    """The content of a `.pt` or `.pth` file: tensors and plain containers only; nothing in the file is run.

    Raises:
        InputError: The file is damaged, or asks for more than that.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except Exception as error:
        asked_for = re.search(r"nsupported (?:global: )?GLOBAL (\S+)", str(error))
        if asked_for:
            raise InputError(
                f"{path} asks for code to be run, and is not loaded", given=asked_for[1], allowed="tensors and plain containers"
            ) from error
        raise InputError(f"{path} is damaged, or no checkpoint", allowed=FORMATS) from error


def _describe(content: Any) -> str:
    if isinstance(content, dict):
        return f"keys {', '.join(str(key) for key in list(content)[:4])}, ..."
    return type(content).__name__
