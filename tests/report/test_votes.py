"""No vote is lost, and nothing is counted that is none."""

import dataclasses

import pytest
from full_disk import files_of_at_most
from hypothesis import given
from hypothesis import strategies as st

from latentreel.core.errors import InputError
from latentreel.report.preference import preferences
from latentreel.report.votes import FIELDS, Vote, VoteFile, read_votes

VOTE = Vote(
    study="0123456789abcdef",
    a="runs/mine",
    b='say "b", twice',
    question="Which looks more realistic?",
    rater="Ann",
    pair="clip 1",
    left="a",
    choice="b",
)


def vote(**changes):
    return dataclasses.replace(VOTE, **changes)


def test_votes_come_back_and_a_study_goes_on(tmp_path):
    path = tmp_path / "new" / "votes.csv"
    first = VoteFile(path, study=VOTE.study)
    for each in (VOTE, vote(pair="clip 2"), vote(choice="none")):
        first.append(each)
    again = VoteFile(path, study=VOTE.study)
    assert again.votes == first.votes == (vote(pair="clip 2"), vote(choice="none"))
    again.append(vote(rater="Bob"))
    record = read_votes([path])
    assert len(record.votes) == 3
    assert (record.replaced, record.problems) == (1, ())
    assert path.read_text().count("study,a,b") == 1


@pytest.mark.parametrize("cut", range(1, 30, 4))
def test_a_file_that_was_cut_off_keeps_its_whole_lines(tmp_path, cut):
    path = tmp_path / "votes.csv"
    file = VoteFile(path, study=VOTE.study)
    file.append(VOTE)
    file.append(vote(pair="clip 2"))
    path.write_bytes(path.read_bytes()[:-cut])
    file = VoteFile(path, study=VOTE.study)
    file.append(vote(pair="clip 3"))
    record = read_votes([path])
    assert {VOTE, vote(pair="clip 3")} <= set(record.votes)
    assert len(record.problems) == (cut > 1)  # of the last line the end alone was missing, or more


@given(st.binary(max_size=200))
def test_damage_is_left_out_and_told(tmp_path_factory, damage):
    path = tmp_path_factory.mktemp("votes") / "votes.csv"
    VoteFile(path, study=VOTE.study).append(VOTE)
    path.write_bytes(path.read_bytes() + damage.replace(b"\x00", b"") + b"\n" + path.read_bytes())
    assert read_votes([path]).votes == (VOTE,)


def test_what_is_no_file_of_votes_costs_one_line(tmp_path):
    for content, problem in ((b"", "holds no vote"), (b"a,b\n", "holds no vote.*line 1"), (b"\xff\x00PK", "holds no vote")):
        (tmp_path / "x").write_bytes(content)
        with pytest.raises(InputError, match=problem):
            read_votes([tmp_path / "x"])
    with pytest.raises(InputError, match="cannot read"):
        read_votes([tmp_path / "missing"])
    with pytest.raises(InputError, match="no file of votes"):
        read_votes([tmp_path])


def test_votes_of_different_studies_are_not_mixed(tmp_path):
    for number, study in enumerate(("0" * 16, "1" * 16)):
        VoteFile(tmp_path / f"{number}.csv", study=study).append(vote(study=study))
    with pytest.raises(InputError, match="different studies"):
        read_votes([tmp_path / "0.csv", tmp_path / "1.csv"])
    with pytest.raises(InputError, match="of another study"):
        VoteFile(tmp_path / "0.csv", study="1" * 16)


@pytest.mark.parametrize("files", [("0.csv", "1.csv"), ("1.csv", "0.csv")])
def test_the_later_vote_counts_in_whatever_order_files_come(tmp_path, files):
    earlier, later = vote(at="2026-01-02T03:04:05+00:00"), vote(at="2026-01-02T03:04:05.600Z", choice="a")
    VoteFile(tmp_path / "0.csv", study=VOTE.study).append(earlier)
    VoteFile(tmp_path / "1.csv", study=VOTE.study).append(later)
    record = read_votes([tmp_path / name for name in files])
    assert (record.votes, record.replaced) == ((later,), 1)


def test_a_study_without_a_vote_stops_nothing(tmp_path):
    (tmp_path / "none.csv").write_text(",".join(FIELDS) + "\n")
    VoteFile(tmp_path / "one.csv", study=VOTE.study).append(VOTE)
    assert read_votes([tmp_path / "none.csv", tmp_path / "one.csv"]).votes == (VOTE,)
    file = VoteFile(tmp_path / "none.csv", study=VOTE.study)
    file.append(VOTE)
    assert read_votes([file.path]).votes == (VOTE,)


@pytest.mark.parametrize("wrong", [{"rater": "=cmd()"}, {"rater": ""}, {"left": "c"}, {"choice": "left"}, {"pair": "a\nb"}])
def test_a_vote_that_cannot_be_is_refused(wrong):
    with pytest.raises(InputError):
        vote(**wrong)


def test_a_full_disk_is_told_and_the_vote_can_be_given_again(tmp_path):
    file = VoteFile(tmp_path / "votes.csv", study=VOTE.study)
    with files_of_at_most(60), pytest.raises(OSError):
        file.append(VOTE)
    assert file.votes == ()
    file.append(VOTE)
    assert read_votes([file.path]).votes == (VOTE,)


def test_shares_have_intervals_and_places_are_counted_too():
    # 73.6 % of 1,000 for A, as in MoCoGAN-HD, Tab. 2; three of four of these votes went to the left clip.
    votes = [
        vote(rater=f"r{n % 10}", pair=f"p{n}", choice="a" if n < 736 else "b", left="a" if n % 4 else "b") for n in range(1000)
    ]
    (found,) = preferences([*votes, vote(pair="undecided", choice="none")])
    share = found.prefers_a
    assert (share.count, share.total, found.undecided, found.raters, found.pairs) == (736, 1000, 1, 11, 1001)
    assert (round(share.low, 4), round(share.high, 4)) == (0.7078, 0.7624)  # Wilson, by hand: (p + z²/2n ± ...) / (1 + z²/n)
    assert share.p_value < 1e-40
    assert found.prefers_left.count == sum(vote.choice == vote.left for vote in votes)
    (none,) = preferences([vote(choice="none")])
    assert none.prefers_a is None
    assert [each.question for each in preferences([VOTE, vote(question="Other?")])] == [VOTE.question, "Other?"]
