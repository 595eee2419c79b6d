"""A list of files: what each looks like, what it is called, what is known of it, and what is wrong with it."""

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One file."""

    name: str
    """What it is called; printable."""

    facts: str = ""
    """Its size, length and the like, in one line."""

    remark: str = ""
    """What there is to say, under the facts."""

    picture: bytes = b""
    """What it looks like, as JPEG; empty where nothing could be seen."""


@dataclass(frozen=True)
class Catalogue:
    """Files one under the other, each with its picture beside it, or above it where there is little room."""

    entries: Sequence[Entry]

    def markup(self) -> str:
        """A list; nothing if there are no entries."""
        items = "".join(_item(entry) for entry in self.entries)
        return f'<ul class="catalogue">{items}</ul>' if items else ""


def _item(entry: Entry) -> str:
    name = html.escape(entry.name)
    lines = f'<p class="name">{name}</p>'
    lines += f'<p class="facts">{html.escape(entry.facts)}</p>' if entry.facts else ""
    lines += f"<p>{html.escape(entry.remark)}</p>" if entry.remark else ""
    return f"<li>{_picture(entry)}<div>{lines}</div></li>" if entry.picture else f'<li class="unseen"><div>{lines}</div></li>'


def _picture(entry: Entry) -> str:
    address = base64.b64encode(entry.picture).decode()
    return f'<img loading="lazy" src="data:image/jpeg;base64,{address}" alt="Frames of {html.escape(entry.name, quote=True)}">'
