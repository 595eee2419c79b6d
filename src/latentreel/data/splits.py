"""Training and test clips that never share a source: parts by the hash of a group's name, so that neighbours stay together.

A group's part depends on its name and the seed alone: files that are added or removed do not move the others.
"""

import logging
import math
import re
from collections.abc import Iterable, Mapping, Sequence

from latentreel.core.errors import InputError
from latentreel.core.randomness import derive_seed
from latentreel.media.decode import IMAGE_SUFFIXES, VIDEO_SUFFIXES

WAYS = ("file", "class", "prefix")

FAR_OFF = 0.1
"""A part whose share of the clips is so far from the one asked for is told of."""

_log = logging.getLogger(__name__)

_SPAN = re.compile(r"\[\d+-\d+\]$")  # of a frame folder that was cut where frames are missing
_SEPARATOR = re.compile(r"[-_. ]")


def split(names: Sequence[str], parts: Mapping[str, float], *, by: str = "file", seed: int = 0) -> dict[str, list[int]]:
    """Divides clips into parts.

    Args:
        names: What the clips are called: `FrameStore.names`, or the names of a source's items.
        parts: Name and share of each part, e.g. {"train": 0.9, "test": 0.1}; shares add up to 1. They are shares of groups: with
            few groups, or groups of unequal size, shares of clips may differ much.
        by: How clips are grouped (`group_of`).
        seed: Other seeds give other divisions.

    Returns:
        The indices of each part's clips, rising; every clip is in one part.

    Raises:
        InputError: Shares are out of range, a clip has no group, or a part has no clip.
    """
    shares = list(parts.values())
    if not parts or not all(0 <= share <= 1 for share in shares) or not math.isclose(sum(shares), 1, abs_tol=1e-6):
        raise InputError("the shares of a split are out of range", given=dict(parts), allowed="0 to 1 each, 1 together")
    chosen = {group: _part(group, parts, seed) for group in {group_of(name, by) for name in names}}
    divided: dict[str, list[int]] = {part: [] for part in parts}
    for index, name in enumerate(names):
        divided[chosen[group_of(name, by)]].append(index)
    for part, indices in divided.items():
        if parts[part] and not indices:
            fix = "group by something smaller, take another seed, or give the part a larger share"
            raise InputError(f"no clip falls into the part {part!r}", given=f"{len(chosen)} groups", fix=fix)
    if any(abs(len(divided[part]) / max(len(names), 1) - share) > FAR_OFF for part, share in parts.items()):
        found = ", ".join(f"{part} {len(divided[part])} of {len(names)} clips ({parts[part]:.2g} asked for)" for part in parts)
        _log.warning("few groups (%d) divide unevenly: %s; another seed divides them otherwise", len(chosen), found)
    return divided


def group_of(name: str, by: str = "file") -> str:
    """What a clip must not be parted from.

    Args:
        name: What it is called.
        by: "file": the video or frame folder that it is from, whatever the suffix. "class": the first folder of its name.
            "prefix": the name of its file up to the first of "-_. ", in whatever folder. Anything else is a regular expression to
            be found in the name: its groups count, or the whole if it has none, e.g. "subject[0-9]+".

    Returns:
        The group's name.

    Raises:
        InputError: There is no such group in the name.
    """
    source = _without_suffix(_SPAN.sub("", name))
    if by == "file":
        return source
    if by == "class":
        folder, slash, _ = source.partition("/")
        return folder if slash else _refuse(name, by, "names with a folder")
    if by == "prefix":
        return _SEPARATOR.split(source.rpartition("/")[2])[0]
    try:
        found = re.search(by, name)
    except re.error as error:
        raise InputError("the groups of a split are no regular expression", given=by, allowed=f"one, or {_listed()}") from error
    if found is None:
        return _refuse(name, by, f"an expression that is found in every name, or {_listed()}")
    return "/".join(part or "" for part in found.groups()) or found[0]


def _part(group: str, parts: Mapping[str, float], seed: int) -> str:
    place = derive_seed(seed, "split", group) / 2**63  # in [0, 1)
    for part, share in parts.items():
        if place < share:
            return part
        place -= share
    return max(parts, key=lambda part: parts[part])  # what rounding left over


def _without_suffix(name: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    return stem if f"{dot}{suffix}".lower() in VIDEO_SUFFIXES | IMAGE_SUFFIXES else name


def _refuse(name: str, by: str, allowed: str) -> str:
    raise InputError(f"{name} has no group", given=f"grouped by {by!r}", allowed=allowed)


def _listed(ways: Iterable[str] = WAYS) -> str:
    return ", ".join(ways)
