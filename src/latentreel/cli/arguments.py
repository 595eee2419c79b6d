"""Flags from typed configs (tyro), with errors as one line."""

import contextlib
import io
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

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


def _one_line(box: str) -> str:
    """The message inside one of tyro's framed error boxes."""
    inner = [line.strip("│ \n") for line in box.splitlines() if line.startswith("│")]
    end = next((i for i, line in enumerate(inner) if line.startswith(_RULE)), len(inner))
    message = re.sub(r"^Error parsing \w+Config: ", "", " ".join(inner[:end]))
    meant = re.search(r"Perhaps you meant:?\s*(--[\w-]+)", " ".join(inner[end + 1 :]))
    return f"{message}; perhaps you meant {meant[1]}" if meant else message or " ".join(box.split())
