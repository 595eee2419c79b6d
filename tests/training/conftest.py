"""Runs side by side."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file


def flat(value: Any, name: str = "") -> dict[str, Any]:
    """Nested dicts and lists as one dict."""
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        return {key: leaf for part, inner in pairs for key, leaf in flat(inner, f"{name}/{part}").items()}
    return {name: value}


def content(run: Path) -> dict[str, Any]:
    """Everything that the newest state and the bundle of a run hold, but the time that it took."""
    newest = max((run / "state").glob("step-*.pt"))
    state = flat(torch.load(newest, weights_only=True), newest.name)
    weights = {
        f"{path.name}/{key}": value for path in (run / "bundle").glob("*.safetensors") for key, value in load_file(path).items()
    }
    return {key: value for key, value in {**state, **weights}.items() if not key.endswith("/seconds")}


@pytest.fixture
def differences() -> Callable[[Path, Path], list[str]]:
    """Names of what is not, bit for bit, the same in two runs."""

    def compare(one: Path, other: Path) -> list[str]:
        left, right = content(one), content(other)
        assert len(left) > 50
        unequal = [
            name
            for name in left.keys() & right.keys()
            if not (torch.equal(left[name], right[name]) if isinstance(left[name], torch.Tensor) else left[name] == right[name])
        ]
        return sorted(unequal) + sorted(left.keys() ^ right.keys())

    return compare
