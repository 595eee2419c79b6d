"""What an evaluation found, with all that it depends on; and which results may stand side by side."""

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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

    def save(self, path: Path) -> None:
        """Writes it as JSON."""
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(dataclasses.asdict(self), indent=1) + "\n")


def read_result(path: Path) -> dict[str, Any]:
    """What `Evaluation.save` wrote, as plain values.

    Raises:
        InputError: The file cannot be read, or is something else.
    """
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{path} is no result of an evaluation", given="no JSON") from error
    parts: dict[type[Any], list[Any]] = {Evaluation: [result]}
    if _has_fields(result, Evaluation):
        scores = result["scores"]
        parts |= {Side: [result["real"], result["fake"]], Score: list(scores.values()) if isinstance(scores, dict) else [None]}
    if not all(_has_fields(value, kind) for kind, values in parts.items() for value in values):
        raise InputError(f"{path} is no result of an evaluation", allowed="what latentreel evaluate --out wrote")
    told: dict[str, Any] = result
    return told


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


def _has_fields(value: Any, kind: type[Any]) -> bool:
    return isinstance(value, dict) and {field.name for field in dataclasses.fields(kind)} <= value.keys()


def _brief(text: str) -> str:
    return text if len(text) < 60 else f"{text[:57]}..."
