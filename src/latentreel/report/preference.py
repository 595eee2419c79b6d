"""What votes say: the share that prefers A, how sure that is, and whether the place on the screen decided."""

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import binomtest

from latentreel.report.votes import Vote

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Share:
    """A part of votes with a preference."""

    count: int
    total: int
    value: float
    low: float
    """Lower end of Wilson's 95 % interval."""

    high: float
    p_value: float
    """Two-sided binomial test against one half."""


@dataclass(frozen=True, kw_only=True)
class Preference:
    """What was answered to one question."""

    question: str
    prefers_a: Share | None
    """None where nobody had a preference."""

    prefers_left: Share | None
    """The same votes by place: far from one half, the place decided and not the clip."""

    undecided: int
    """Votes for "no difference", which count for neither."""

    a_at_left: int
    """Of all votes, how many had A at the left."""

    raters: int
    pairs: int


def preferences(votes: Sequence[Vote]) -> list[Preference]:
    """Sums votes up, question by question, in the order in which these first appear.

    Args:
        votes: Of one study. Each counts as much as any other, and as independent of them.
    """
    questions = dict.fromkeys(vote.question for vote in votes)
    return [_preference(question, [vote for vote in votes if vote.question == question]) for question in questions]


def _preference(question: str, votes: Sequence[Vote]) -> Preference:
    decided = [vote for vote in votes if vote.choice != "none"]
    return Preference(
        question=question,
        prefers_a=_share(sum(vote.choice == "a" for vote in decided), len(decided)),
        prefers_left=_share(sum(vote.choice == vote.left for vote in decided), len(decided)),
        undecided=len(votes) - len(decided),
        a_at_left=sum(vote.left == "a" for vote in votes),
        raters=len({vote.rater for vote in votes}),
        pairs=len({vote.pair for vote in votes}),
    )


def _share(count: int, total: int) -> Share | None:
    if not total:
        return None
    test = binomtest(count, total)
    interval = test.proportion_ci(CONFIDENCE, method="wilson")
    return Share(count, total, count / total, float(interval.low), float(interval.high), float(test.pvalue))
