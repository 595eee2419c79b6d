"""Votes of a preference study: one line each, appended and synced as they come, so that none is lost when anything stops."""

import csv
import io
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from latentreel.core.errors import InputError
from latentreel.core.text import printable

SIDES = ("a", "b")
CHOICES = ("a", "b", "none")
RATER = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}")
"""What raters may call themselves: safe in a spreadsheet, too."""

MOST_BYTES = 256 * 2**20
"""Of a file of votes; a million votes take less."""

MOST_LETTERS = 1000
"""Of what a vote names."""


def can_be_told(text: str) -> bool:
    """Whether a vote may name something so: on one line, and not without end."""
    return 0 < len(text) <= MOST_LETTERS and printable(text) == text


@dataclass(frozen=True, kw_only=True)
class Vote:
    """One answer."""

    study: str
    """Digest of the study."""

    a: str
    """What stood on side A."""

    b: str
    question: str
    rater: str
    pair: str
    left: str
    """Which side stood at the left: a or b."""

    choice: str
    """a, b, or none."""

    at: str = ""
    """When, UTC."""

    def __post_init__(self) -> None:
        if not all(map(can_be_told, (self.study, self.a, self.b, self.question, self.pair))):
            raise InputError("a vote lacks something, or holds what cannot be printed")
        if not RATER.fullmatch(self.rater):
            raise InputError(
                "a rater cannot be called so", given=self.rater, allowed="up to 40 letters, digits, spaces and ._-"
            )
        if self.left not in SIDES or self.choice not in CHOICES:
            raise InputError("there is no such answer", given=f"{self.left}, {self.choice}", allowed=", ".join(CHOICES))

    @property
    def place(self) -> tuple[str, str, str]:
        """What a rater can vote on once; a later vote replaces an earlier one."""
        return self.rater, self.question, self.pair

    @property
    def when(self) -> datetime:
        """`at` as a time; the first of all where it says none."""
        try:
            told = datetime.fromisoformat(self.at)
        except ValueError:
            return datetime.min.replace(tzinfo=UTC)
        return told.replace(tzinfo=told.tzinfo or UTC)


FIELDS = tuple(field.name for field in fields(Vote))


@dataclass(frozen=True, kw_only=True)
class VoteRecord:
    """What a file of votes holds."""

    votes: tuple[Vote, ...]
    """In the order of their lines; of votes on the same place the latest one alone."""

    replaced: int
    """Votes for which a later one stands."""

    problems: tuple[str, ...]
    """Lines that are no votes, and why."""


def read_votes(paths: Sequence[Path]) -> VoteRecord:
    """Reads files of one study, in any order, for votes say when they were given; what is damaged is left out, and told.

    Raises:
        InputError: A file cannot be read or is none of votes, or there are votes of different studies.
    """
    votes: dict[tuple[str, str, str], Vote] = {}
    problems: list[str] = []
    read, studies = 0, dict[str, str]()
    for path in paths:
        found, wrong, is_ours = _read(path)
        if not is_ours:
            raise InputError(
                f"{path} holds no vote", given=wrong[0] if wrong else "no line", allowed="what latentreel compare wrote"
            )
        problems += [f"{path}: {line}" for line in wrong]
        read += len(found)
        for vote in found:
            studies.setdefault(vote.study, f"{vote.a} against {vote.b} ({vote.study}) in {path}")
            if vote.place not in votes or votes[vote.place].when <= vote.when:
                votes.pop(vote.place, None)
                votes[vote.place] = vote
    if len(studies) > 1:
        fix = "the clips differ, so the votes do not add up: give the files of one study"
        raise InputError("these are votes of different studies", given=" | ".join(studies.values()), fix=fix)
    return VoteRecord(votes=tuple(votes.values()), replaced=read - len(votes), problems=tuple(problems))


class VoteFile:
    """The file that a study's votes go to."""

    def __init__(self, path: Path, *, study: str) -> None:
        """Looks at what is there, and makes sure that more can be written.

        Raises:
            InputError: It holds votes of another study or something else, or cannot be written to.
        """
        self.path = path
        self._votes: dict[tuple[str, str, str], Vote] = {}
        self.problems: tuple[str, ...] = ()
        if path.exists() and path.stat().st_size:
            record = read_votes([path])
            if record.votes and (other := record.votes[0]).study != study:
                given = f"{other.a} against {other.b} ({other.study}); these clips are {study}"
                raise InputError(f"{path} holds votes of another study", given=given, fix="give another --out")
            self._votes = {vote.place: vote for vote in record.votes}
            self.problems = record.problems
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab+") as file:
                end = file.seek(0, os.SEEK_END)
                torn = end and (file.seek(end - 1), file.read(1))[1] != b"\n"
        except OSError as error:
            raise InputError(f"cannot write to {path}: {error.strerror}", fix="give another --out") from error
        self._before = "\n" if torn else "" if end else _line(FIELDS)

    @property
    def votes(self) -> tuple[Vote, ...]:
        """All that count."""
        return tuple(self._votes.values())

    def append(self, vote: Vote) -> None:
        """Adds a vote; it has reached the disk when this returns.

        Raises:
            OSError: It has not.
        """
        line = (self._before + _line(astuple(vote))).encode()
        with self.path.open("ab", buffering=0) as file:
            if file.write(line) != len(line):
                self._before = "\n"
                raise OSError("the disk is full")
            os.fsync(file.fileno())
        self._before = ""
        self._votes.pop(vote.place, None)
        self._votes[vote.place] = vote


def now() -> str:
    """The time as it stands in votes."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _read(path: Path) -> tuple[list[Vote], list[str], bool]:
    """Votes, what is wrong with other lines, and whether it is a file of votes at all: has one, or the line of names."""
    try:
        size = path.stat().st_size
        if not path.is_file() or size > MOST_BYTES:
            raise InputError(f"{path} is no file of votes", given=f"{size} bytes", allowed="what latentreel compare wrote")
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise InputError(f"cannot read the votes {path}: {error.strerror}") from error
    votes, problems, has_names = [], [], False
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            cells = next(csv.reader([line.rstrip("\r")]), [])
            if tuple(cells) == FIELDS:
                has_names = True
                continue
            if len(cells) != len(FIELDS):
                raise InputError("is no vote", given=f"{len(cells)} fields", allowed=len(FIELDS))
            votes.append(Vote(**dict(zip(FIELDS, cells, strict=True))))
        except (InputError, csv.Error) as error:
            problems.append(printable(f"line {number}: {error}"))
    return votes, problems, has_names or bool(votes)


def _line(cells: Iterable[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()
