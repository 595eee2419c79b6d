"""Opens networks of any known format, found from the content."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from torch import nn

from latentreel.checkpoints import (
    biggan_pytorch,
    hub,
    mocogan_hd_release,
    network_pickle,
    stylegan2_state_dict,
    stylegan_v_pickle,
)
from latentreel.checkpoints.bundle import is_bundle, load_image_generator_bundle, load_stylegan_v_bundle, read_card
from latentreel.checkpoints.pickled_modules import default_network
from latentreel.checkpoints.torch_file import read_checkpoint
from latentreel.core.errors import InputError
from latentreel.core.image_generator import UNSTATED
from latentreel.image_generators.build import Network, family_of
from latentreel.stylegan_v.generator import StyleGANVGenerator

G = TypeVar("G", bound=Network | StyleGANVGenerator)
SHIPPED = Path(__file__).parents[1] / "weights"

IMAGE_GENERATORS = {
    "a StyleGAN2 g_ema state dict": stylegan2_state_dict,
    network_pickle.FORMAT: network_pickle,
    "a BigGAN-PyTorch state dict": biggan_pytorch,
}
FORMATS = f"a bundle folder, a run's folder, hf://user/name, {', '.join(IMAGE_GENERATORS)}, or a name that ships"
VIDEO_FORMATS = f"a bundle folder, a run's folder, hf://user/name, or {stylegan_v_pickle.FORMAT}"
DISCRIMINATORS = f"{network_pickle.FORMAT}, {stylegan_v_pickle.FORMAT}, or {mocogan_hd_release.DISCRIMINATOR_FORMAT}"


def shipped_names() -> list[str]:
    """Names of the bundles that come with the package."""
    return sorted(folder.name for folder in SHIPPED.iterdir() if is_bundle(folder)) if SHIPPED.is_dir() else []


def find_bundle(source: Path | str) -> Path | None:
    """The bundle folder that a source means; None if there is none.

    Args:
        source: The folder itself, the folder of the run that made it, a name that ships, or "hf://user/name" on the hub.

    Raises:
        InputError: The hub has no such bundle, or cannot be reached.
    """
    if str(source).startswith(hub.PREFIX):
        return hub.pull_bundle(str(source))
    path = Path(source)
    for candidate in (path, path / "bundle"):
        if is_bundle(candidate):
            return candidate
    shipped = SHIPPED / str(source)
    return shipped if str(source) in shipped_names() and not path.exists() else None


def load_image_generator(source: Path | str, *, network: str | None = None) -> Network:
    """A frozen image generator in eval mode.

    Args:
        source: A bundle, a run's folder, a foreign checkpoint, or the name of one that ships.
        network: Which generator of a network pickle: "G_ema" (the default, if it is there) or "G".

    Raises:
        InputError: Nothing is there, or it is in no known format, or damaged, or asks for code to be run.
    """
    generator = load_generator(source, network=network, what="image generator")
    if isinstance(generator, StyleGANVGenerator):
        problem = f"{source} is no image generator of a known format"
        raise InputError(problem, given="a StyleGAN-V, which generates videos", allowed=FORMATS)
    return generator


def load_video_generator(source: Path | str, *, network: str | None = None) -> StyleGANVGenerator:
    """A frozen StyleGAN-V in eval mode: `map`, `motion_codes` and `synthesize` draw frames at any times.

    Args:
        source: A bundle, a run's folder, or a network pickle of StyleGAN-V's program.
        network: Which generator of a network pickle: "G_ema" (the default, if it is there) or "G".

    Raises:
        InputError: Nothing is there, or it is another kind of model, or damaged, or asks for code to be run.
    """
    generator = load_generator(source, network=network, what="video generator")
    if not isinstance(generator, StyleGANVGenerator):
        problem = f"{source} is no StyleGAN-V"
        raise InputError(problem, given=f"an image generator, {type(generator).__name__}", allowed=VIDEO_FORMATS)
    return generator


def load_generator(source: Path | str, *, network: str | None = None, what: str = "generator") -> Network | StyleGANVGenerator:
    """A frozen generator of images or, a StyleGAN-V, of videos; `what` is wanted, for messages, the rest is as above."""
    bundle = find_bundle(source)
    if bundle is not None:
        _refuse_choice(network, source)
        if read_card(bundle)["kind"] == "stylegan_v":
            return load_stylegan_v_bundle(bundle)
        return load_image_generator_bundle(bundle)
    path = existing_file(source, what=what, allowed=f"{FORMATS}: {', '.join(shipped_names())}")
    content = read_checkpoint(path)
    if network_pickle.recognizes(content):
        network = network or default_network(content)
        if stylegan_v_pickle.recognizes(content):
            videos = stylegan_v_pickle.import_generator(content, network=network, where=str(path))
            return _from(path, f"{network} of {stylegan_v_pickle.FORMAT}", videos)
        generator = network_pickle.import_generator(content, network=network, where=str(path))
        return _from(path, f"{network} of {network_pickle.FORMAT}", generator)
    _refuse_choice(network, source)
    for name, module in IMAGE_GENERATORS.items():
        if module.recognizes(content):
            images: Network = module.import_generator(content, where=str(path))
            return _from(path, name, images)
    raise InputError(f"{path} is no image generator of a known format", given=describe_content(content), allowed=FORMATS)


def load_discriminator(source: Path | str) -> nn.Module:
    """A released discriminator, frozen and in eval mode.

    Args:
        source: A network pickle: `D(images, labels)` gives logits [N, 1]; that of a StyleGAN-V, `D(video, t, labels)` with
            clips [N, k, 3, H, W] and times [N, k], gives logits [N]. Or one of the MoCoGAN-HD release: the video discriminator
            and the one on pairs of frames give a list of patch logits, one tensor per scale, full size first; the contrastive
            one gives logits [N, 1] and projections [N, P].

    Raises:
        InputError: Nothing is there, or it is in no known format, or damaged, or asks for code to be run.
    """
    path = existing_file(source, what="discriminator", allowed=DISCRIMINATORS)
    content = read_checkpoint(path)
    if stylegan_v_pickle.recognizes(content):
        return stylegan_v_pickle.import_discriminator(content, where=str(path))
    if network_pickle.recognizes(content):
        return network_pickle.import_discriminator(content, where=str(path))
    if mocogan_hd_release.recognizes_discriminator(content):
        return mocogan_hd_release.import_discriminator(content, where=str(path))
    raise InputError(f"{path} holds no known discriminator", given=describe_content(content), allowed=DISCRIMINATORS)


def exporter_of(generator: Network) -> Any:
    """The module whose `export_generator` writes a generator in the format of its family, with the files' usual `SUFFIX`."""
    return {"stylegan2": stylegan2_state_dict, "biggan": biggan_pytorch}[family_of(generator)]


def describe_content(content: Any) -> str:
    """What a file holds that is not what was wanted, in a few words."""
    if mocogan_hd_release.recognizes_motion_generator(content):
        return mocogan_hd_release.MOTION_FORMAT
    if mocogan_hd_release.recognizes_discriminator(content):
        return mocogan_hd_release.DISCRIMINATOR_FORMAT
    if isinstance(content, Mapping):
        return f"keys {', '.join(str(key)[:50] for key in list(content)[:4])}, ..."
    return type(content).__name__


def existing_file(source: Path | str, *, what: str, allowed: str) -> Path:
    """The path of a file that is there.

    Raises:
        InputError: There is nothing, or a folder; `what` and `allowed` go into the message.
    """
    path = Path(source)
    if not path.exists():
        raise InputError(f"there is no such {what}", given=source, allowed=allowed)
    if path.is_dir():
        raise InputError(f"{path} holds no bundle", allowed=allowed, fix="for a run, wait until it has saved its first state")
    return path


def _from(path: Path, what: str, generator: G) -> G:
    """The generator, which from now on says where it came from."""
    generator.provenance = {"origin": f"{path.name}, {what}", "licence": UNSTATED}
    return generator


def _refuse_choice(network: str | None, source: Path | str) -> None:
    if network is not None:
        raise InputError(f"{source} holds one image generator, and no choice", given=network, fix="leave the choice out")
