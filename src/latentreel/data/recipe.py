"""What a recipe is: how a published dataset lies on disk, which of its files are clips, and how its authors split it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from latentreel.core.errors import InputError
from latentreel.data.source_items import Expect
from latentreel.data.splits import split

Parts = dict[str, str]
"""The part of each clip, by name; clips that are not named are in none."""


class SplitRule(Protocol):
    """How clips are divided."""

    @property
    def told(self) -> str:
        """In a few words, for the manifest."""
        ...

    def parts(self, names: Sequence[str], root: Path) -> Parts:
        """The part of each clip.

        Raises:
            InputError: A list that the division needs is missing or damaged.
        """
        ...


@dataclass(frozen=True)
class ByName:
    """The dataset's own division, seen in the names of its clips."""

    patterns: Mapping[str, str]
    """A part, and an expression that is found in the names of its clips."""

    told: str = "official, by folder"

    def parts(self, names: Sequence[str], root: Path) -> Parts:  # noqa: ARG002 (only lists lie there)
        """The first part whose expression is found."""
        found = {name: [part for part, pattern in self.patterns.items() if re.search(pattern, name)] for name in names}
        return {name: parts[0] for name, parts in found.items() if parts}


@dataclass(frozen=True)
class ByList:
    """The dataset's own division, in lists that come with it."""

    files: Mapping[str, str]
    """A part, and where its list lies below the dataset's folder or the one above."""

    read: Callable[[str], Sequence[str]]
    """The names in a list's text. Raises ValueError."""

    key: Callable[[str], str]
    """What a clip's name and a list's have in common."""

    origin: str
    """Where to get the lists."""

    told: str = "official, by list"

    def parts(self, names: Sequence[str], root: Path) -> Parts:
        """What the lists say; a clip in none of them is in no part."""
        listed: dict[str, str] = {}
        for part, file in self.files.items():
            path = next((path for path in (root / file, root.parent / file) if path.is_file()), None)
            if path is None:
                raise InputError(f"{file} is missing below {root}", fix=f"get {self.origin}")
            try:
                listed |= dict.fromkeys(self.read(path.read_text(encoding="utf-8")), part)
            except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
                raise InputError(f"{path} is no list of clips: {error}", fix=f"get {self.origin} again") from error
        return {name: listed[self.key(name)] for name in names if self.key(name) in listed}


@dataclass(frozen=True)
class ByGroup:
    """A division of ours, where the dataset has none: by the hash of what must stay together."""

    by: str = "file"
    """As for `splits.split`."""

    shares: Mapping[str, float] = field(default_factory=lambda: {"train": 0.95, "test": 0.05})
    seed: int = 0

    what: str = ""
    """What `by` finds, in words."""

    @property
    def told(self) -> str:
        """In a few words, for the manifest."""
        shares = ", ".join(f"{part} {share:g}" for part, share in self.shares.items())
        return f"ours: {shares} by {self.what or self.by}, seed {self.seed}"

    def parts(self, names: Sequence[str], root: Path) -> Parts:  # noqa: ARG002 (only lists lie there)
        """What the hashes say."""
        divided = split(names, self.shares, by=self.by, seed=self.seed)
        return {names[index]: part for part, indices in divided.items() for index in indices}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One dataset."""

    title: str
    """As its authors call it."""

    paper: str
    """Who made it."""

    origin: str
    """What to get, and where."""

    terms: str
    """Its licence or terms, as far as they are known; who uses it reads the authors' own."""

    layout: tuple[str, ...]
    """The files as they must lie, one example per line."""

    clips: str
    """An expression that is found in the names of the clips that are used; its group `label`, if any, is their class."""

    split: SplitRule
    expect: Expect = "videos"
    resolution: int
    """Of the published experiments."""

    crop: Literal["centre", "boxes"] = "centre"
    """The centre square, or a square around a face."""

    count: int = 0
    """How many clips there are when all are there; 0: it is not known."""

    wrong: Mapping[str, str] = field(default_factory=dict)
    """Files that tell that a step was left out, as an expression, and that step."""

    def choose(self, names: Sequence[str], root: Path) -> dict[str, tuple[str, str]]:
        """The clips that are used, each with its part and its class; the class is empty where there is none.

        Args:
            names: Of all clips of a source.
            root: The source's folder.

        Raises:
            InputError: The files lie otherwise than they must; what is missing, and where to get it.
        """
        found = {name: match for name in names if (match := re.search(self.clips, name))}
        if not found:
            self.fail(root, given=f"{len(names)} clips, e.g. {names[0]}" if names else None)
        try:
            parts = self.split.parts(list(found), root)
        except InputError as error:
            raise InputError(f"{self.title}: {error}") from error
        if not parts:
            self.fail(root, given=f"{len(found)} clips, none of which is in a part of the split ({self.split.told})")
        return {name: (part, found[name].groupdict().get("label") or "") for name, part in parts.items()}

    def fail(self, root: Path, *, given: str | None = None) -> None:
        """Says in one line what is missing.

        Raises:
            InputError: Always.
        """
        problem = f"{root} is not laid out as {self.title}"
        for file in _some_files(root):
            for pattern, step in self.wrong.items():
                if re.search(pattern, file):
                    raise InputError(problem, given=file, fix=step)
        raise InputError(
            problem, given=given, allowed=f"{self.layout[0]} (below the folder that you name)", fix=f"get {self.origin}"
        )


def _some_files(root: Path) -> list[str]:
    try:
        return [path.relative_to(root).as_posix() for _, path in zip(range(10_000), root.rglob("*"), strict=False)]
    except OSError:
        return []
