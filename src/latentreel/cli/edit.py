"""`latentreel edit MODEL`: what the components of the latent basis change (App. E.1): sheets, walks, directions to keep."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from latentreel.cli.arguments import parse
from latentreel.core.errors import InputError


@dataclass(frozen=True, kw_only=True)
class EditConfig:
    """Shows what the components of a model's latent basis change (App. E.1): w + strength sigma_k v_k.

    Writes a sheet, a row for each component. With one of --components and an .mp4 as --out: a walk along it. With --save, that one
    becomes a direction for `latentreel generate --directions`.
    """

    model: Annotated[str, tyro.conf.Positional] = "faces"
    """A bundle, the folder of a run, or the name of a model that ships."""

    components: tuple[int, ...] = tuple(range(10))
    """Which components; 0 holds the most variance."""

    out: Path = Path("runs/edit.png")
    """A picture, or with one component a video: .mp4 or .gif."""

    seed: int = 0
    """The content to start from."""

    truncation: float = 1.0
    """1 leaves the content as drawn; smaller values are plainer and cleaner."""

    reach: float = 3.0
    """How far to walk to either side, in standard deviations; the paper goes to 3."""

    steps: int | None = None
    """Pictures in a row, by default 7; frames of a video, by default 50."""

    save: Path | None = None
    """A file for the direction, if one component is chosen."""

    device: Literal["auto", "cpu"] = "auto"
    """auto takes the accelerator if there is one."""

    def __post_init__(self) -> None:
        suffixes = (".png", ".mp4", ".gif")
        if self.out.suffix not in suffixes:
            raise InputError("unknown suffix", given=self.out.name, allowed=", ".join(suffixes))
        if len(self.components) != 1 and (self.out.suffix != ".png" or self.save is not None):
            raise InputError("a walk or a direction needs one component", given=f"{len(self.components)} components")
        if self.shown < 2 or not 0 < self.reach <= 20:
            given = f"steps {self.shown}, reach {self.reach}"
            raise InputError("a walk's size is out of range", given=given, allowed="steps of at least 2, a reach of up to 20")

    @property
    def shown(self) -> int:
        """Pictures in a row, or frames."""
        return (7 if self.out.suffix == ".png" else 50) if self.steps is None else self.steps


def run(arguments: list[str]) -> None:
    """Parses, draws, prints the paths."""
    config = parse(EditConfig, arguments, command="edit")
    from accelerate import Accelerator

    from latentreel.checkpoints.recordings import save_direction
    from latentreel.cli.progress import console
    from latentreel.core.video import Video
    from latentreel.media.contact_sheet import contact_sheet, save_image
    from latentreel.media.encode import save_video
    from latentreel.pipelines.edits import component_walks
    from latentreel.pipelines.mocogan_hd_pipeline import MoCoGANHDPipeline
    from latentreel.sampling.directions import Direction

    pipe = MoCoGANHDPipeline.load(config.model).to(Accelerator(cpu=config.device == "cpu").device)
    directions = [Direction.component(pipe.basis, index) for index in config.components]
    rows = component_walks(
        pipe, directions, seed=config.seed, truncation=config.truncation, reach=config.reach, steps=config.shown
    )
    if config.out.suffix == ".png":
        names = [str(index) for index in config.components]
        save_image(config.out, contact_sheet(rows, columns=config.shown, names=names))
    else:
        save_video(Video(rows[0], fps=pipe.fps), config.out)
    console.print(str(config.out), soft_wrap=True)
    if config.save is not None:
        save_direction(directions[0], config.save)
        console.print(str(config.save), soft_wrap=True)
