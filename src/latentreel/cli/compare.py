"""`latentreel compare A B`: people see clips of A and of B side by side and vote; `latentreel compare --result` sums votes up."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from latentreel.cli.arguments import parse, without_effect
from latentreel.core.errors import InputError

if TYPE_CHECKING:
    from latentreel.report.preference import Preference, Share
    from latentreel.report.preference_study import Study
    from latentreel.report.votes import VoteRecord

MOST_SHOWN = 3
"""Damaged lines that are named."""

WITHOUT_EFFECT = {
    "a result": ("out", "questions", "pairs", "frames", "truncation", "forced", "seed", "port"),
    "a page that is a file": ("out", "port"),
    "two collections of videos": ("frames", "truncation"),
}
"""Which flags mean nothing for what."""

USAGE = "latentreel compare A B, or latentreel compare --result votes.csv"


@dataclass(frozen=True, kw_only=True)
class CompareConfig:
    """The pairwise preference study of the paper: which of two clips looks more realistic?

    `latentreel compare A B` serves a page on this machine that shows clips of A and B side by side, in an order and on sides of
    each rater's own, and adds every vote to a file; the same command goes on with it. With --page it writes the page as one file
    for raters elsewhere, who send back a file of votes. `latentreel compare --result FILE ...` reports the share that prefers A.
    (Scores are laid side by side by another command, `latentreel evaluate compare`.)
    """

    a: Annotated[str, tyro.conf.Positional] = ""
    """A folder of videos, a bundle, or the name of a model that ships."""

    b: Annotated[str, tyro.conf.Positional] = ""
    """What it is compared with. Clips are paired by name, else in their order; of two models by seed."""

    out: Path = Path("runs/votes.csv")
    """The file that votes are added to."""

    page: Path | None = None
    """Write the study as one HTML file instead, which works from the disk."""

    result: tuple[Path, ...] = ()
    """Report on these files of votes, all of one study."""

    questions: tuple[str, ...] = ("Which looks more realistic?",)
    """What is asked of each pair; the paper also asks which moves in more ways."""

    pairs: int | None = None
    """How many pairs, the first of each side; by default all, of two models 20."""

    frames: int = 16
    """Of models: frames of a clip."""

    truncation: float = 1.0
    """Of models: 1 leaves contents as drawn."""

    forced: bool = False
    """Offer two answers, as in the paper; else "no difference" is a third, which counts for neither."""

    seed: int = 0
    """Another seed is another order for every rater."""

    port: int = 0
    """Of the page on this machine; 0 takes a free one."""

    device: Literal["auto", "cpu"] = "auto"
    """Of models: auto takes the accelerator if there is one."""

    def __post_init__(self) -> None:
        if self.result and (self.a or self.page):
            raise InputError("a study and the result of one are two commands", allowed=USAGE)
        if not self.result and not (self.a and self.b):
            raise InputError("two sides are needed", given=self.a or "none", allowed=USAGE)
        if not 1 <= self.frames <= 300:
            raise InputError("frames is out of range", given=self.frames, allowed="1 to 300")
        if self.page is not None and self.page.suffix not in (".html", ".htm"):
            raise InputError("the page needs another suffix", given=self.page.name, allowed=".html")


def run(arguments: list[str]) -> None:
    """Holds a study, or reports on one."""
    config = parse(CompareConfig, arguments, command="compare")
    if config.result:
        from latentreel.report.votes import read_votes

        _note(config, "a result")
        _show_result(read_votes(config.result))
        return
    if config.page is not None:
        _write_page(config, config.page)
        return
    _serve(config)


def _note(config: CompareConfig, what: str) -> None:
    from latentreel.cli.progress import console

    for note in without_effect(config, WITHOUT_EFFECT[what], what):
        console.print(note)


def _study(config: CompareConfig) -> "Study":
    from accelerate import Accelerator

    from latentreel.checkpoints.load import find_bundle
    from latentreel.cli.progress import console, counting
    from latentreel.report.preference_study import Study, make_pairs

    if find_bundle(config.a) is None and find_bundle(config.b) is None:
        _note(config, "two collections of videos")
    with counting("preparing pairs") as progress:
        pairs, told = make_pairs(
            config.a,
            config.b,
            count=config.pairs,
            num_frames=config.frames,
            truncation=config.truncation,
            device=Accelerator(cpu=config.device == "cpu").device,
            progress=progress,
        )
    study = Study(
        a=_printable(config.a),
        b=_printable(config.b),
        pairs=pairs,
        questions=config.questions,
        forced=config.forced,
        seed=config.seed,
    )
    console.print(f"{len(pairs)} pairs: {told}", soft_wrap=True)
    return study


def _serve(config: CompareConfig) -> None:
    from latentreel.cli.progress import console
    from latentreel.report.study_server import StudyServer
    from latentreel.report.votes import VoteFile, VoteRecord

    study = _study(config)
    votes = VoteFile(config.out, study=study.digest)
    _show_problems(votes.problems)
    server = StudyServer(study, votes, port=config.port)
    try:
        if votes.votes:
            console.print(f"{config.out} holds {len(votes.votes)} votes of this study: it goes on with them", soft_wrap=True)
        console.print(f"open in a browser on this machine: {server.address}", soft_wrap=True)
        console.print(f"votes go to {config.out} as they come; Ctrl-C ends the study", soft_wrap=True)
        server.run()
    except KeyboardInterrupt:
        console.print()
    finally:
        server.close()
    _show_result(VoteRecord(votes=votes.votes, replaced=0, problems=()))


def _write_page(config: CompareConfig, path: Path) -> None:
    from latentreel.cli.progress import console
    from latentreel.core.files import removed_if_empty, require_writable
    from latentreel.report.page import write_html
    from latentreel.report.study_page import study_page

    _note(config, "a page that is a file")
    with removed_if_empty(path.parent):
        require_writable(path.parent)
        write_html(study_page(_study(config)), path)
    size = path.stat().st_size / 2**20
    console.print(f"{path} ({size:.1f} MiB): raters open it, download their votes and send them to you", soft_wrap=True)
    console.print("then: latentreel compare --result votes-*.csv")


def _show_result(record: "VoteRecord") -> None:
    from latentreel.cli.progress import console
    from latentreel.report.preference import preferences

    _show_problems(record.problems)
    if not record.votes:
        console.print("no vote was given")
        return
    first = record.votes[0]
    console.print(f"A: {first.a}\nB: {first.b}", soft_wrap=True)
    for found in preferences(record.votes):
        for line in _lines(found):
            console.print(line, soft_wrap=True)
    raters = len({vote.rater for vote in record.votes})
    if record.replaced:
        console.print(f"note: {record.replaced} votes were replaced by later ones of the same rater on the same pair")
    if len(record.votes) > raters:
        told = (
            "votes are counted as independent; those of one person are not quite, so with few raters the interval is too narrow"
        )
        console.print(f"note: {told}", soft_wrap=True)


def _lines(found: "Preference") -> list[str]:
    total = found.undecided + (found.prefers_a.total if found.prefers_a else 0)
    lines = [f"\n{found.question}  {total} votes by {_counted(found.raters, 'rater')} on {_counted(found.pairs, 'pair')}"]
    if found.prefers_a is None:
        return [*lines, "  nobody had a preference"]
    lines.append(f"  prefer A: {_share(found.prefers_a)}")
    if found.undecided:
        lines.append(f"  no difference: {found.undecided}, which count for neither")
    if found.prefers_left is not None:
        lines.append(
            f"  chose the left clip: {_share(found.prefers_left)}; A stood at the left in {found.a_at_left} of {total}"
        )
    return lines


def _share(share: "Share") -> str:
    interval = f"95 % interval {100 * share.low:.1f} to {100 * share.high:.1f} % (Wilson)"
    test = f"p = {share.p_value:.3g} (two-sided binomial test)"
    return f"{100 * share.value:.1f} % ({share.count} of {share.total}), {interval}, {test}"


def _show_problems(problems: tuple[str, ...]) -> None:
    from latentreel.cli.progress import console

    for problem in problems[:MOST_SHOWN]:
        console.print(f"left out: {problem}", soft_wrap=True)
    if len(problems) > MOST_SHOWN:
        console.print(f"left out: {len(problems) - MOST_SHOWN:,} more lines that are no votes")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _printable(name: str) -> str:
    from latentreel.core.text import printable

    return printable(name)
