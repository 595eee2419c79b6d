"""A split keeps together what belongs together, today and when files are added."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentreel.core.errors import InputError
from latentreel.data.frame_store import open_frame_store
from latentreel.data.splits import group_of, split

CLIPS = st.tuples(st.sampled_from(["walk", "run", "bend"]), st.integers(0, 99), st.integers(0, 9))
NAMES = st.sets(CLIPS, min_size=60, max_size=90).map(lambda clips: [f"{c}/s{s}_{i}.mp4" for c, s, i in sorted(clips)])
HALVES = {"train": 0.5, "test": 0.5}


@given(NAMES, st.integers(0, 10**6), st.sampled_from(["file", "prefix", r"s(\d+)_", r"(\w+)/s\d"]))
def test_groups_are_never_parted_and_every_clip_is_in_one_part(names, seed, by):
    try:
        parts = split(names, HALVES, by=by, seed=seed)
    except InputError as error:
        assert "no clip falls into the part" in str(error)
        assert len({group_of(name, by) for name in names}) < 20
        return
    assert sorted(parts["train"] + parts["test"]) == list(range(len(names)))
    groups = {part: {group_of(names[index], by) for index in indices} for part, indices in parts.items()}
    assert not groups["train"] & groups["test"]


@settings(max_examples=25)
@given(NAMES, st.randoms(use_true_random=False), st.integers(0, 1000))
def test_the_part_of_a_clip_depends_on_nothing_but_its_group_and_the_seed(names, random, seed):
    def parts_of(some: list[str]) -> dict[str, str]:
        return {some[index]: part for part, indices in split(some, HALVES, seed=seed).items() for index in indices}

    shuffled = random.sample(names, len(names))
    assert parts_of(shuffled) == parts_of(names)
    fewer = parts_of(names[: len(names) // 2])
    assert fewer == {name: part for name, part in parts_of(names).items() if name in fewer}


def test_shares_are_kept_where_there_are_many_groups():
    parts = split([f"{i}.mp4" for i in range(10_000)], {"train": 0.8, "val": 0.15, "test": 0.05})
    assert [len(parts[part]) for part in ("train", "val", "test")] == pytest.approx([8000, 1500, 500], abs=100)


def test_a_clip_is_in_the_same_part_in_every_form():
    for name in ("a/b.mp4", "a/b.MKV", "a/b", "a/b.jpg", "a/b[000012-000040]", "a/b[0-3]"):
        assert group_of(name) == "a/b"


@pytest.mark.parametrize(
    ("by", "group"),
    [("file", "walk/s01_c02"), ("class", "walk"), ("prefix", "s01"), (r"s(\d+)_c(\d+)", "01/02"), (r"c\d+", "c02")],
)
def test_clips_are_grouped_as_told(by, group):
    assert group_of("walk/s01_c02.avi", by) == group


def test_what_cannot_be_split_is_told():
    with pytest.raises(InputError, match=r"shares.*given: \{'train': 0\.9\}; allowed: 0 to 1 each, 1 together"):
        split(["a"], {"train": 0.9})
    with pytest.raises(InputError, match="no clip falls into the part 'test'; given: 1 groups; group by something smaller"):
        split(["x/a.mp4", "x/b.mp4"], {"train": 1 - 1e-7, "test": 1e-7}, by="class")
    with pytest.raises(InputError, match=r"a.mp4 has no group; given: grouped by 'class'"):
        split(["a.mp4"], HALVES, by="class")
    with pytest.raises(InputError, match=r"a.mp4 has no group; given: grouped by 'folder'; allowed: .*file, class, prefix"):
        split(["a.mp4"], HALVES, by="folder")
    with pytest.raises(InputError, match="no regular expression"):
        split(["a.mp4"], HALVES, by="(")


def test_real_clips_are_split_by_subject(shared_data, tmp_path):
    store = open_frame_store(shared_data / "actions", resolution=16, cache=tmp_path)
    parts = split(store.names, {"train": 0.7, "test": 0.3}, by=r"subject\d+", seed=1)
    train, test = (store.take(parts[part]) for part in ("train", "test"))
    assert len(train.names) + len(test.names) == 28
    assert {name[-12:] for name in train.names}.isdisjoint({name[-12:] for name in test.names})
    assert train.classes == test.classes == store.classes == ("bend", "jumping_jack", "one_hand_wave", "two_hand_wave")
    video = store.names.index(test.names[0])
    begin = test.offsets[0]
    assert begin == store.offsets[video]
    assert test.labels[0] == store.labels[video]
    assert test.digest != train.digest


def test_shares_that_few_groups_miss_are_told_of(caplog):
    names = [f"subject{number % 2}/{number}" for number in range(20)]
    split(names, {"train": 0.8, "test": 0.2}, by="class", seed=next(s for s in range(99) if _both(names, s)))
    assert "few groups (2) divide unevenly: train 10 of 20 clips (0.8 asked for), test 10" in caplog.text
    caplog.clear()
    split([f"{number}.mp4" for number in range(1000)], {"train": 0.8, "test": 0.2})
    assert not caplog.text


def _both(names: list[str], seed: int) -> bool:
    try:
        return len(split(names, {"train": 0.8, "test": 0.2}, by="class", seed=seed)["train"]) == 10
    except InputError:
        return False
