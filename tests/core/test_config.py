"""A config survives every plain form it is written in, and what it does not know is refused by name."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentreel.core.config import from_dict, load_yaml, save_yaml, to_dict
from latentreel.core.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Inner:
    depth: int = 1


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One field of each kind that configs have."""

    data: str = "videos"
    out: Path = Path("runs")
    grow_from: Path | None = None
    rate: float = 1e-4
    minutes: float | None = None
    steps: int = 3
    mirror: bool = False
    channels: tuple[int, ...] = ()
    betas: tuple[float, float] = (0.5, 0.999)
    mode: Literal["in", "cross"] = "in"
    inner: Inner = Inner()

    def __post_init__(self) -> None:
        if self.steps < 0:
            raise InputError("steps is out of range", given=self.steps, allowed="at least 0")


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
PATHS = st.text(min_size=1).map(Path)
SETTINGS = st.builds(
    Settings,
    data=st.text(),
    out=PATHS,
    grow_from=st.none() | PATHS,
    rate=NUMBERS,
    minutes=st.none() | NUMBERS,
    steps=st.integers(min_value=0),
    mirror=st.booleans(),
    channels=st.lists(st.integers()).map(tuple),
    betas=st.tuples(NUMBERS, NUMBERS),
    mode=st.sampled_from(["in", "cross"]),
    inner=st.builds(Inner, depth=st.integers()),
)


@settings(max_examples=40)
@given(SETTINGS)
def test_what_is_written_is_what_is_read(config):
    assert from_dict(Settings, to_dict(config), where="values") == config
    with tempfile.TemporaryDirectory() as folder:
        save_yaml(config, Path(folder) / "config.yaml")
        assert load_yaml(Settings, Path(folder) / "config.yaml") == config


@pytest.mark.parametrize(
    ("values", "hint"), [({"channel": [4]}, "did you mean channels"), ({"zzz": 1}, "allowed: data, out"), ({3: 1}, "given: 3")]
)
def test_an_unknown_field_is_named(values, hint):
    with pytest.raises(InputError, match=f"here: unknown field.*{hint}"):
        from_dict(Settings, values, where="here")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rate", "fast"),
        ("rate", True),
        ("rate", None),
        ("minutes", "ten"),
        ("steps", 1.5),
        ("steps", True),
        ("mirror", 1),
        ("out", 3),
        ("channels", 8),
        ("channels", [8, "8"]),
        ("betas", [0.5]),
        ("mode", "both"),
        ("inner", {"depth": "2"}),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_with_its_field(field, value):
    with pytest.raises(InputError, match=f"here:.*{field}"):
        from_dict(Settings, {field: value}, where="here")


def test_plain_numbers_become_what_the_field_holds(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("rate: 2e-3\nminutes: 5\nchannels: [8, 4]\nout: runs/a\n")  # to YAML 1.1, 2e-3 is text
    config = load_yaml(Settings, path)
    assert config == Settings(rate=0.002, minutes=5.0, channels=(8, 4), out=Path("runs/a"))
    assert isinstance(config.minutes, float)


def test_the_configs_own_checks_hold_for_files_too(tmp_path):
    (tmp_path / "config.yaml").write_text("steps: -1")
    with pytest.raises(InputError, match="steps is out of range"):
        load_yaml(Settings, tmp_path / "config.yaml")


@pytest.mark.parametrize(
    ("content", "problem"), [(None, "cannot read"), ("- 1", "holds no fields"), ("a: [", "not a YAML"), ("", "no fields")]
)
def test_a_file_that_is_no_config_is_named(tmp_path, content, problem):
    path = tmp_path / "config.yaml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match=problem) as caught:
        load_yaml(Settings, path)
    assert str(path) in str(caught.value)
