"""Models of the MoCoGAN-HD release, file by file as they are published: `import_mocogan_hd`, and the way back."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from latentreel.checkpoints import mocogan_hd_release
from latentreel.checkpoints.load import describe_content, exporter_of, load_image_generator
from latentreel.checkpoints.torch_file import read_checkpoint
from latentreel.core.errors import InputError
from latentreel.core.files import atomic_path
from latentreel.pipelines.mocogan_hd_pipeline import MoCoGANHDPipeline

MOTION, COMPONENTS, STDEV = "modelR_epoch_0.pth", "pca_comp.npy", "pca_stdev.npy"


def import_mocogan_hd(
    *,
    image_generator: Path | str,
    motion: Path | str,
    basis: Path | str | tuple[Path | str, Path | str],
    step_size: float = 0.2,
    frame_step: int = 2,
    video_fps: float = 25.0,
) -> MoCoGANHDPipeline:
    """Opens a released model.

    Args:
        image_generator: The checkpoint of the image generator, in any known format.
        motion: The motion generator, `modelR_*.pth`.
        basis: The folder that holds `pca_comp.npy` and `pca_stdev.npy`, the first of the two, or both.
        step_size: lambda of Eq. 2, which the files do not say; 0.2 as released.
        frame_step: Every how many-th frame of its training videos the model saw, which the files do not say; 2 as released.
        video_fps: Frames per second of those videos; a generated clip has `video_fps / frame_step`.

    Returns:
        A pipeline; `save` makes a bundle of it, from which training can go on.

    Raises:
        InputError: A file is missing, damaged, of another format, or does not fit the others.
    """
    for name, value in {"step_size": step_size, "frame_step": frame_step, "video_fps": video_fps}.items():
        if not 0 < value < 1000:
            raise InputError(f"{name} is out of range", given=value, allowed="above 0 and below 1000")
    generator = load_image_generator(image_generator)
    path = Path(motion)
    if not path.is_file():
        raise InputError("there is no such motion generator", given=motion, allowed="a modelR_*.pth file")
    content = read_checkpoint(path)
    if not mocogan_hd_release.recognizes_motion_generator(content):
        raise InputError(
            f"{path} is no released motion generator", given=describe_content(content), allowed="a modelR_*.pth file"
        )
    components, stdev = map(read_numbers, _basis_files(basis))
    motion_generator = mocogan_hd_release.import_motion_generator(
        content, components=components, stdev=stdev, step_size=step_size, where=str(path)
    )
    mean = getattr(generator, "mean_latent", None)
    latent_basis = mocogan_hd_release.import_latent_basis(components, stdev, mean=mean, where="the basis")
    return MoCoGANHDPipeline(
        image_generator=generator, basis=latent_basis, motion_generator=motion_generator, fps=video_fps / frame_step
    )


def _basis_files(basis: Path | str | tuple[Path | str, Path | str]) -> tuple[Path, Path]:
    if isinstance(basis, tuple):
        return Path(basis[0]), Path(basis[1])
    folder = Path(basis).parent if Path(basis).is_file() else Path(basis)
    return folder / COMPONENTS, folder / STDEV


def export_mocogan_hd(
    pipe: MoCoGANHDPipeline,
    folder: Path,
    *,
    discriminators: Mapping[str, nn.Module] | None = None,
    drop_clamp: bool = False,
) -> list[Path]:
    """Writes a model as the files that the released program reads; step size and frame rate have no place in them.

    Args:
        pipe: The model.
        folder: Where to; a new or empty one.
        discriminators: Those it was trained against, by the names of their files.
        drop_clamp: Leave out a StyleGAN2's conv_clamp, for which the files have no place.

    Returns:
        The files.

    Raises:
        InputError: The image generator is of a variant that the released program cannot read, or the folder is in use.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is in use", fix="choose a new folder")
    module = exporter_of(pipe.image_generator)
    with atomic_path(folder) as temporary:
        temporary.mkdir()
        torch.save(
            module.export_generator(pipe.image_generator, drop_clamp=drop_clamp), temporary / f"image_generator{module.SUFFIX}"
        )
        torch.save(mocogan_hd_release.export_motion_generator(pipe.motion_generator), temporary / MOTION)
        for name, discriminator in (discriminators or {}).items():
            torch.save(mocogan_hd_release.export_discriminator(discriminator), temporary / name)
        np.save(temporary / COMPONENTS, pipe.basis.components.numpy())
        np.save(temporary / STDEV, pipe.basis.stdev.numpy())
        names = sorted(path.name for path in temporary.iterdir())
    return [folder / name for name in names]


def read_numbers(path: Path) -> Tensor:
    """The real numbers of a `.npy` file, float32, without running anything in it.

    Raises:
        InputError: The file is missing, damaged, declares more than it holds, or holds something else.
    """
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is no file", given="a folder, a pipe or a device", allowed="a .npy file")
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)  # mapped: what the header declares takes no memory
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or 'it ends too early'}") from error
    except Exception as error:  # of a dozen kinds: numpy reads the header with Python's parser and tokenizer
        raise InputError(f"{path} is damaged, or no array of numbers", allowed="a .npy file") from error
    if not isinstance(array, np.ndarray) or array.dtype.kind != "f" or array.size == 0:
        given = f"{array.dtype} {list(array.shape)}" if isinstance(array, np.ndarray) else "an archive"
        raise InputError(f"{path} holds no real numbers", given=given)
    return torch.from_numpy(array.astype(np.float32))
