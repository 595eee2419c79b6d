"""What a page shows besides charts: clips, grids of clips, pictures, facts and commands; each knows its HTML."""

import base64
import html
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from latentreel.core.errors import InputError
from latentreel.media.contact_sheet import GAP_PIXELS, video_grid
from latentreel.report.inline_video import enlarged, mp4_bytes

Pixels = npt.NDArray[np.uint8]

HEM_PIXELS = 1
"""Width of the repeated edge around each clip of a grid: it keeps the white of the gaps out when the browser enlarges."""


@dataclass(frozen=True, eq=False)
class Clip:
    """One moving picture."""

    frames: Pixels
    """RGB, uint8 [T, H, W, 3]."""

    _: KW_ONLY

    fps: float
    """Frames per second."""

    caption: str
    """What to see in it, under the clip."""

    description: str
    """What can be seen, for those who do not see it."""

    def markup(self) -> str:
        """A figure with the video inside."""
        return ClipGrid([self.frames], fps=self.fps, columns=1, caption=self.caption, description=self.description).markup()


@dataclass(frozen=True, eq=False)
class ClipGrid:
    """Several clips that play together, as one video."""

    clips: Sequence[Pixels]
    """Row by row, RGB, uint8 [T, H, W, 3] each; a shorter clip holds its last frame."""

    _: KW_ONLY

    fps: float
    """Frames per second."""

    columns: int
    """Clips in a row; 4 are still easy to see on a phone."""

    caption: str
    """What to see in it, under the grid."""

    description: str
    """What can be seen, for those who do not see it."""

    row_labels: Sequence[str] = ()
    """One or two words per row, written upward at its left; none, or one per row."""

    column_labels: Sequence[str] = ()
    """One or two words over each column; none, or one per column."""

    def __post_init__(self) -> None:
        rows = math.ceil(len(self.clips) / max(1, self.columns))
        for name, labels, count in (("row", self.row_labels, rows), ("column", self.column_labels, self.columns)):
            if len(labels) not in (0, count):
                raise InputError(f"not every {name} has a label", given=len(labels), allowed=f"0 or {count}")

    def markup(self) -> str:
        """A figure with the video inside and labels along its edges."""
        tiles = [_hemmed(clip) for clip in self.clips]
        frames = video_grid(tiles, columns=self.columns)
        tiling = ""
        for axis, size, whole in zip("yx", tiles[0].shape[1:3], frames.shape[1:3], strict=True):
            edges = {"start": HEM_PIXELS, "end": size - HEM_PIXELS, "step": size + GAP_PIXELS}
            tiling += "".join(f"--{name}-{axis}:{100 * edge / whole:.4f}%;" for name, edge in edges.items())
        shown = min(self.columns, len(self.clips))
        style = f"--width:{24 if shown == 1 else 12 * shown}rem;{tiling}"
        screen = "screen tiled" if len(self.clips) > 1 else "screen"
        video = _video(frames, self.fps, description=self.description)
        labels = _labels(self.column_labels, "across", "Columns") + _labels(self.row_labels, "down", "Rows")
        stage = f'<div class="stage" style="{style}">{labels}<div class="{screen}">{video}</div></div>'
        return f"<figure>{stage}{_caption(self.caption)}</figure>"


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture that does not move, kept without loss."""

    pixels: Pixels
    """RGB, uint8 [H, W, 3]."""

    _: KW_ONLY

    caption: str
    """What to see in it, under the picture."""

    description: str
    """What can be seen, for those who do not see it."""

    def markup(self) -> str:
        """A figure with the picture inside."""
        height, width = self.pixels.shape[:2]
        address, description = _image_address(self.pixels, "png"), html.escape(self.description)
        image = f'<img src="{address}" width="{width}" height="{height}" alt="{description}">'
        return f"<figure>{image}{_caption(self.caption)}</figure>"


@dataclass(frozen=True)
class Facts:
    """Names and what they stand for."""

    facts: Mapping[str, object]
    """In the order they are shown; values are shown as `str` gives them."""

    title: str = ""
    """A few words over the table."""

    folded: bool = False
    """Show the title alone until it is asked for the rest; for long tables."""

    def __post_init__(self) -> None:
        if self.folded and not self.title:
            raise InputError("folded facts need a title")

    def markup(self) -> str:
        """A list of definitions; nothing if there are no facts."""
        rows = "".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(str(value))}</dd>" for name, value in self.facts.items())
        title = html.escape(self.title)
        if not rows:
            return ""
        if self.folded:
            return f"<details><summary>{title}</summary><dl>{rows}</dl></details>"
        return f"<h3>{title}</h3><dl>{rows}</dl>" if title else f"<dl>{rows}</dl>"


@dataclass(frozen=True)
class Command:
    """What was typed, to be typed again."""

    text: str
    """One or more lines."""

    caption: str = ""
    """What it does."""

    def markup(self) -> str:
        """A figure with the lines as they are."""
        return f"<figure><pre><code>{html.escape(self.text)}</code></pre>{_caption(self.caption)}</figure>"


def _hemmed(clip: Pixels) -> Pixels:
    """A clip as it is encoded: large enough, and its edge repeated around it."""
    hem = (HEM_PIXELS, HEM_PIXELS)
    return np.pad(enlarged(clip), ((0, 0), hem, hem, (0, 0)), mode="edge")


def _video(frames: Pixels, fps: float, *, description: str) -> str:
    """A video whose bytes stand in the page; its first frame is shown until it plays."""
    height, width = frames.shape[1:3]
    address = f"data:video/mp4;base64,{base64.b64encode(mp4_bytes(frames, fps)).decode()}"
    return (
        f'<video autoplay loop muted playsinline controls width="{width}" height="{height}" '
        f'aria-label="{html.escape(description)}" poster="{_image_address(frames[0], "jpeg")}" src="{address}"></video>'
    )


def _image_address(pixels: Pixels, format: str) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format, quality=90, subsampling=0)
    return f"data:image/{format};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _labels(labels: Sequence[str], direction: str, name: str) -> str:
    items = "".join(f"<li>{html.escape(label)}</li>" for label in labels)
    return f'<ul class="labels {direction}" aria-label="{name}">{items}</ul>' if items else ""


def _caption(text: str) -> str:
    return f"<figcaption>{html.escape(text)}</figcaption>" if text else ""
