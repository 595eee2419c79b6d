"""Configs: frozen keyword-only dataclasses that are flags, files and documentation at once.

A config validates itself in `__post_init__`; this module turns it into plain values and back, and refuses what it does not know.
"""

import dataclasses
import difflib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import dacite
import yaml

from latentreel.core.errors import InputError
from latentreel.core.files import atomic_path

C = TypeVar("C")


def to_dict(config: Any) -> dict[str, Any]:
    """A config as plain values: nested dicts, lists instead of tuples."""
    plain = dataclasses.asdict(config)
    return {key: _plain(value) for key, value in plain.items()}


def from_dict(kind: type[C], values: Mapping[str, Any], *, where: str) -> C:
    """A config from plain values.

    Args:
        kind: The config's dataclass.
        values: Field values; absent fields keep their defaults.
        where: What the values come from (a file's name), for messages.

    Raises:
        InputError: A field is unknown, has the wrong type, or the config refuses its value.
    """
    hooks: dict[type[Any], Callable[[Any], Any]] = {float: _float, int: _int, Path: _path}
    try:
        return dacite.from_dict(
            kind, {key: _tuples(value) for key, value in values.items()}, dacite.Config(strict=True, type_hooks=hooks)
        )
    except dacite.UnexpectedDataError as error:
        unknown = sorted(str(key) for key in error.keys)[0]
        names = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
        close = difflib.get_close_matches(unknown, names, n=1)
        hint = f"did you mean {close[0]}?" if close else None
        raise InputError(f"{where}: unknown field", given=unknown, allowed=", ".join(names), fix=hint) from error
    except dacite.WrongTypeError as error:
        problem = f"{where}: {error.field_path} has a wrong value"
        raise InputError(problem, given=repr(error.value), allowed=_described(error.field_type)) from error
    except dacite.DaciteError as error:
        raise InputError(f"{where}: {error}") from error


def save_yaml(config: Any, path: Path) -> None:
    """Writes a config as YAML, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(yaml.safe_dump(to_dict(config), sort_keys=False))


def load_yaml(kind: type[C], path: Path) -> C:
    """Reads a config from YAML.

    Raises:
        InputError: The file is missing, is not YAML, or its fields do not fit.
    """
    return from_dict(kind, read_yaml(path), where=str(path))


def read_yaml(path: Path) -> dict[str, Any]:
    """Reads fields of any names from YAML. What they hold is no larger than the file, for no part may stand for another.

    Raises:
        InputError: The file is missing, is not YAML, or holds no fields.
    """
    try:
        values = yaml.load(path.read_text(), _WithoutAliases)
        repr(values)  # numbers of thousands of digits have none
    except OSError as error:
        raise InputError(f"cannot read the config {path}: {error.strerror}") from error
    except (yaml.YAMLError, RecursionError, *_OF_SCALARS) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{path} is not a YAML file: {reason}") from error
    if not isinstance(values, dict):
        raise InputError(f"{path} holds no fields", given=type(values).__name__, allowed="a mapping of field names to values")
    return {str(name): value for name, value in values.items()}


class _WithoutAliases(yaml.SafeLoader):
    """Plain values, each written out where it stands: a few hundred bytes of nested aliases would fill any memory."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(problem=f"the alias *{self.peek_event().anchor} must be written out")
        return super().compose_node(parent, index)


_OF_SCALARS = (ValueError, ArithmeticError, LookupError, AttributeError, TypeError)
"""What the library's constructors raise, as of 2020-13-45 or of !!int ""."""


def _described(kind: Any) -> str:
    """A field's type, as far as a user needs to know it."""
    if get_origin(kind) is Literal:
        return ", ".join(map(str, get_args(kind)))
    return kind.__name__ if isinstance(kind, type) and not get_args(kind) else str(kind)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return str(value) if isinstance(value, Path) else value


# Plain formats know fewer types than configs do: these bring a value to the field's type where nothing is lost, and else leave it,
# so that it is refused with the field's name.


def _tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def _float(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value)  # to Python a bool is a number, to a user it is not
    try:
        return float(value) if isinstance(value, int | str) else value  # to YAML 1.1, "1e-4" is text
    except ValueError:
        return value


def _int(value: Any) -> Any:
    return str(value) if isinstance(value, bool) else value


def _path(value: Any) -> Any:
    return Path(value) if isinstance(value, str) else value
