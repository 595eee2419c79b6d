"""What an evaluation found, with all that it depends on; and which results may stand side by side."""

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dacite

from latentreel.core.errors import InputError
from latentreel.core.files import atomic_path
from latentreel.metrics.protocols import Protocol


@dataclass(frozen=True, kw_only=True)
class Score:
    """One number, and how far it may be trusted."""

    value: float
    """The score; with repeats, their mean."""

    clips: int
    """How many clips it comes from, on either side of a distance; or how many pairs."""

    low: float | None = None
    """Lower end of the 95 % interval of resampled clips."""

    high: float | None = None
    """Its upper end."""

    deviation: float | None = None
    """Over the protocol's repeats, or over the parts of an inception score."""

    real: float | None = None
    """The same of real clips alone: the distance between two sets of them, or their own score."""

    real_clips: int | None = None
    """How many there are in either set. Distances grow where there are fewer: with fewer than `clips`, `real` is too large."""

    by_frame: list[float] | None = None
    """The score of each frame, where it has one."""

    def __post_init__(self) -> None:
        if (self.low is None) != (self.high is None):
            raise InputError("an interval has two ends", given=f"{self.low} to {self.high}")


@dataclass(frozen=True, kw_only=True)
class Side:
    """The clips of one side."""

    name: str
    num_clips: int
    manifest: list[tuple[str, int]]
    """Video and first frame of each clip, in the first repeat."""

    digest: str
    """SHA-256 over the pixels of all clips, in the first repeat."""

    left_out: list[str]
    """Videos that could not be read, with their reasons."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Scores, and all that they depend on."""

    protocol: Protocol
    network: dict[str, Any]
    """Its name, the digest of its weights, its width, what it looks at, and its number format; the digest of LPIPS, if used."""

    clip_shape: list[int]
    """T, H, W, 3."""

    real: Side
    fake: Side
    scores: dict[str, Score]
    """By name."""

    variance: dict[int, float] | None = None
    """For models: share of the latents' variance that the first components hold, by their number."""

    warnings: list[str]
    seed: int
    versions: dict[str, str]

    def __post_init__(self) -> None:
        if len(self.clip_shape) != 4:
            raise InputError("clips have another shape", given=self.clip_shape, allowed="T, H, W, 3")
        if "name" not in self.network:
            raise InputError("the network has no name", given=", ".join(self.network))

    def save(self, path: Path) -> None:
        """Writes it as JSON."""
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(dataclasses.asdict(self), indent=1) + "\n")


def read_result(path: Path) -> dict[str, Any]:
    """What `Evaluation.save` wrote, as plain values: every field of its type; absent ones have their defaults.

    Raises:
        InputError: The file cannot be read, or is something else.
    """
    problem, allowed = f"{path} is no result of an evaluation", "what latentreel evaluate --out wrote"
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(problem, given="no JSON", allowed=allowed) from error
    if not isinstance(told, dict):
        raise InputError(problem, given=type(told).__name__, allowed=allowed)
    try:
        return dataclasses.asdict(dacite.from_dict(Evaluation, told, _AS_WRITTEN))
    except dacite.DaciteFieldError as error:
        raise InputError(f"{problem}: {error.field_path} is missing or wrong", allowed=allowed) from error
    except (InputError, dacite.DaciteError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise InputError(problem, allowed=allowed) from error


def score_text(score: dict[str, Any]) -> str:
    """A score as people read it, with its interval or deviation."""
    text = f"{score['value']:.4g}"
    if score["low"] is not None:
        return f"{text} [{score['low']:.2g}, {score['high']:.2g}]"
    return text if score["deviation"] is None else f"{text} ± {score['deviation']:.2g}"


def real_text(score: dict[str, Any], num_clips: int) -> str:
    """The same score of real clips alone; empty where there is none."""
    if score["real"] is None:
        return ""
    few = score["real_clips"] is not None and score["real_clips"] < num_clips
    return f"{score['real']:.4g}" + (f" (of {score['real_clips']} clips)" if few else "")


def compare_results(results: list[dict[str, Any]]) -> None:
    """Makes sure that results may stand side by side.

    Args:
        results: As `Evaluation.save` wrote them.

    Raises:
        InputError: They come from different protocols, networks, sizes or real clips.
    """
    for what, key in _MUST_AGREE.items():
        found = {json.dumps(key(result), sort_keys=True) for result in results}
        if len(found) > 1:
            shown = ", ".join(sorted(_brief(text) for text in found))
            raise InputError(f"these results cannot be compared: {what} differ", given=shown, fix="evaluate anew, alike")


_MUST_AGREE: dict[str, Callable[[dict[str, Any]], Any]] = {
    "protocols": lambda result: result["protocol"],
    "networks": lambda result: result["network"],
    "sizes": lambda result: result["clip_shape"],
    "seeds": lambda result: result["seed"],
    "the real clips": lambda result: result["real"]["digest"],
    "numbers of clips": lambda result: result["fake"]["num_clips"],
}


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, int) else value


def _shares(value: Any) -> Any:
    return {int(count): _number(share) for count, share in value.items()} if isinstance(value, dict) else value


_AS_WRITTEN = dacite.Config(strict=True, cast=[tuple], type_hooks={float: _number, dict[int, float]: _shares})
"""How JSON, which knows neither tuples nor names that are numbers, becomes an `Evaluation`."""


def _brief(text: str) -> str:
    return text if len(text) < 60 else f"{text[:57]}..."
