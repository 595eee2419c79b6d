"""Flags from typed configs (tyro), with errors as one line."""

import contextlib
import dataclasses
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import tyro

from latentreel.core.errors import InputError

C = TypeVar("C")
_RULE = "─" * 10


def parse(kind: type[C] | Callable[..., C], arguments: Sequence[str], *, command: str, default: C | None = None) -> C:
    """Reads flags into a config.

    Args:
        kind: A dataclass, or a function whose parameters are the flags.
        arguments: What the user typed behind the command.
        command: What stands before them, for the help page.
        default: A config whose values hold where no flag is given.

    Returns:
        The config, or what the function returns.

    Raises:
        InputError: A flag is unknown, lacks its value, or the config refuses it.
    """
    errors = io.StringIO()
    try:
        with contextlib.redirect_stderr(errors):
            extra = {} if default is None else {"default": default}
            return tyro.cli(kind, args=list(arguments), prog=f"latentreel {command}", **extra)  # type: ignore[no-any-return, call-overload]
    except SystemExit as stop:
        if stop.code in (0, None):
            raise
        raise InputError(_one_line(errors.getvalue()), fix=f"see latentreel {command} --help") from None


def run_action(command: str, actions: Mapping[str, tuple[type[Any], Callable[[Any], None]]], arguments: Sequence[str]) -> None:
    """Runs one of a command's actions.

    Args:
        command: Its name.
        actions: By name, the config that is its flags, and what it does; the config's docstring is its help.
        arguments: What the user typed behind the command.

    Raises:
        InputError: There is no such action, or its flags are wrong.
    """
    if not arguments or arguments[0] in ("-h", "--help"):
        lines = [f"  {name:<12}{(config.__doc__ or '').splitlines()[0]}" for name, (config, _) in actions.items()]
        usage = f"usage: latentreel {command} {'|'.join(actions)} ...\n\nactions:"
        print("\n".join([usage, *lines, "", f"`latentreel {command} ACTION --help` lists the flags."]))
        return
    name = arguments[0]
    if name not in actions:
        raise InputError(f"there is no such action on {command}", given=name, allowed=", ".join(actions))
    config, act = actions[name]
    act(parse(config, arguments[1:], command=f"{command} {name}"))


def without_effect(config: Any, names: Iterable[str], what: str) -> list[str]:
    """Notes on flags that were given, but mean nothing for what is done.

    Args:
        config: The flags, as `parse` gives them.
        names: Fields that mean nothing.
        what: For what.
    """
    defaults = {field.name: field.default for field in dataclasses.fields(config)}
    given = [name for name in names if getattr(config, name) != defaults[name]]
    return [f"note: --{name.replace('_', '-')} means nothing for {what}" for name in given]


def _one_line(box: str) -> str:
    """The message inside one of tyro's framed error boxes."""
    inner = [line.strip("│ \n") for line in box.splitlines() if line.startswith("│")]
    end = next((i for i, line in enumerate(inner) if line.startswith(_RULE)), len(inner))
    message = re.sub(r"^Error parsing \w+Config: ", "", " ".join(inner[:end]))
    meant = re.search(r"Perhaps you meant:?\s*(--[\w-]+)", " ".join(inner[end + 1 :]))
    return f"{message}; perhaps you meant {meant[1]}" if meant else message or " ".join(box.split())
