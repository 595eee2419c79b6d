"""A page is whole by itself: it loads nothing, shows what it was given as it was given, and brings its videos along."""

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from latentreel.core.errors import InputError
from latentreel.media.decode import load_video
from latentreel.report.blocks import Clip, ClipGrid, Command, Facts, Picture
from latentreel.report.chart import Chart
from latentreel.report.page import Page, Section, write_page

VOID = {"meta", "img", "link", "br", "hr", "input", "source"}
HOSTILE = """</code><script>alert("1 & 2")</script>"""


class Reader(HTMLParser):
    """Keeps all text and attributes; raises where tags are not balanced."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute of <{tag}> stands twice"
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def values(self, name: str) -> list[str]:
        return [value for _, its_name, value in self.attributes if its_name == name]


def clips(count: int, size: int = 16) -> np.ndarray:
    """Grey clips, each of its own brightness, that get brighter with time. [N, 6, H, W, 3]."""
    brightness = np.linspace(20, 200, count)[:, None] + np.arange(6) * 8
    return np.broadcast_to(brightness[..., None, None, None], (count, 6, size, size, 3)).astype(np.uint8)


def page_with(*blocks) -> Page:
    return Page("A page", "What it is.", [Section("First", "One paragraph.\n\nAnother.", blocks), Section("Second")])


@pytest.fixture
def everything() -> Page:
    grid = {"fps": 12.5, "caption": HOSTILE, "description": HOSTILE}
    return page_with(
        Clip(clips(1)[0], fps=25, caption="one", description="a grey clip"),
        ClipGrid(clips(4), columns=2, row_labels=("a", HOSTILE), column_labels=("c", HOSTILE), **grid),
        Picture(clips(1)[0, 0], caption="still", description=HOSTILE),
        Chart({HOSTILE: (range(5), [1, 2, float("nan"), 4, 5]), "$x_1$": ([0], [1])}, title=HOSTILE, x_label=f"${HOSTILE}$"),
        Chart({}, title="nothing", x_label="x"),
        Facts({HOSTILE: HOSTILE}),
        Facts({"a": 1}, "Folded", folded=True),
        Command(HOSTILE),
    )


def read(page: Page, folder: Path) -> Reader:
    return Reader(write_page(page, folder / "new" / "report.html").read_text(encoding="utf-8"))


def test_everything_loads_from_the_page_itself(everything, tmp_path):
    page = read(everything, tmp_path)
    addresses = [value for name in ("src", "href", "poster", "srcset", "data") for value in page.values(name)]
    assert len(addresses) > 4
    assert [address[:40] for address in addresses if not address.startswith(("data:", "#section-"))] == []
    styles = "".join(page.values("style")) + page.text
    assert re.findall(r"url\(|@import|https?:", styles) == []


def test_tags_are_balanced_and_names_occur_once(everything, tmp_path):
    page = read(everything, tmp_path)
    assert {"main", "h1", "h2", "nav", "figcaption", "dl", "svg"} <= set(page.tags)
    assert len(set(page.values("id"))) == len(page.values("id"))
    assert ("html", "lang", "en") in page.attributes


def test_text_stays_text(everything, tmp_path):
    page = read(everything, tmp_path)
    assert page.tags.count("script") == 1
    assert page.text.count(HOSTILE) == 9  # two labels, caption, title, legend, axis, two facts, command
    assert page.values("alt") == [HOSTILE]
    assert HOSTILE in page.values("aria-label")


def test_a_video_is_in_the_page_and_plays_all_clips(tmp_path):
    grid = ClipGrid(clips(3), fps=12.5, columns=2, caption="", description="three grey clips")
    (address,) = [
        value for value in read(page_with(grid), tmp_path).values("src") if value.startswith("data:video/mp4;base64,")
    ]
    file = tmp_path / "taken_out.mp4"
    file.write_bytes(base64.b64decode(address.partition(",")[2], validate=True))
    video = load_video(file)
    assert (len(video), video.fps) == (6, 12.5)
    quarters = video.frames[:, ::2].reshape(6, -1)  # all of the picture, for its range
    assert quarters.min() < 40
    height, width = video.frames.shape[1:3]
    for clip, (row, column) in zip(clips(3), [(0.25, 0.25), (0.25, 0.75), (0.75, 0.25)], strict=True):
        shown = video.frames[:, int(row * height), int(column * width)].astype(int)
        assert np.abs(shown - clip[:, 0, 0]).max() < 8


def test_what_moves_can_be_stopped_and_is_described(everything, tmp_path):
    page = read(everything, tmp_path)
    videos = page.tags.count("video")
    for name in ("controls", "muted", "loop", "playsinline"):
        assert len(page.values(name)) == videos
    described = [value for tag, name, value in page.attributes if tag in ("video", "svg") and name == "aria-label"]
    assert len(described) == videos + page.tags.count("svg")
    assert "prefers-reduced-motion" in page.text


def test_a_grid_wants_a_label_for_every_row():
    with pytest.raises(InputError, match="row"):
        ClipGrid(clips(4), fps=25, columns=2, row_labels=("only one",), caption="", description="")


def test_a_path_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(InputError, match="cannot write"):
        write_page(page_with(), tmp_path / "file" / "report.html")


def test_a_page_that_fails_leaves_the_one_before(tmp_path):
    path = write_page(page_with(), tmp_path / "report.html")
    before = path.read_bytes()
    with pytest.raises(InputError):
        write_page(page_with(Clip(clips(1)[0], fps=-1, caption="", description="")), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
