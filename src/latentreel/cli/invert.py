"""`latentreel invert MODEL --image FILE`: the latent whose picture is nearest to a given one (Eq. 8)."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from latentreel.cli.arguments import parse
from latentreel.cli.inversion_config import InversionConfig, open_distance, open_model, search_settings, square_picture

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt

SECONDS_BETWEEN_PICTURES = 2.0


@dataclass(frozen=True, kw_only=True)
class InvertConfig(InversionConfig):
    """Finds the latent whose picture is nearest to a given one (Eq. 8).

    Writes latent.safetensors, which `latentreel generate --latent` moves, reached.png, rewritten as the search goes, and sheet.png:
    the picture given beside the one reached.
    """

    image: Path
    """The picture. Its centre square is taken."""

    out: Path = Path("runs/invert")
    """A folder."""


def run(arguments: list[str]) -> None:
    """Parses, inverts, prints distances and paths."""
    config = parse(InvertConfig, arguments, command="invert")
    import numpy as np

    from latentreel.checkpoints.recordings import save_latent
    from latentreel.cli.progress import console, counting
    from latentreel.core.files import removed_if_empty, require_writable
    from latentreel.media.contact_sheet import contact_sheet, save_image
    from latentreel.pipelines.inversion import invert, picture_psnr

    pipe = open_model(config)
    settings, distance = search_settings(config, pipe.image_generator), open_distance(config, pipe)
    picture = square_picture(config.image, pipe.image_generator.resolution)
    with removed_if_empty(config.out), counting("inverting") as bar:
        require_writable(config.out)
        show = picture_writer(config.out / "reached.png")

        def told(done: int, total: int, current: "npt.NDArray[np.uint8]") -> None:
            bar(done, total)
            show(current)

        found = invert(pipe.image_generator, picture, settings, label=config.label, distance=distance, progress=told)
    save_latent(found.latent, config.out / "latent.safetensors")
    save_image(config.out / "reached.png", found.picture)
    save_image(config.out / "sheet.png", contact_sheet([np.stack([picture, found.picture])], columns=2, scale=2))
    console.print(f"distance {found.distance:.5f} ({distance.name}), after {found.steps} steps")
    console.print(f"PSNR {picture_psnr(picture, found.picture):.2f} dB")
    for name in ("latent.safetensors", "reached.png", "sheet.png"):
        console.print(str(config.out / name), soft_wrap=True)


def picture_writer(path: Path) -> "Callable[[npt.NDArray[np.uint8]], None]":
    """Writes the newest picture under one name, every two seconds at most."""
    from latentreel.media.contact_sheet import save_image

    last = [time.monotonic()]

    def write(picture: "npt.NDArray[np.uint8]") -> None:
        if time.monotonic() - last[0] >= SECONDS_BETWEEN_PICTURES:
            save_image(path, picture)
            last[0] = time.monotonic()

    return write
