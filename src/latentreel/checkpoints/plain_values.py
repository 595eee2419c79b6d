"""What a pickle becomes when it is read as data: names, inert records, bytes still in the file; and how they are used safely."""

from dataclasses import dataclass, field
from typing import Any, BinaryIO

MAX_KEY_LENGTH = 500  # of a text, and 16 of a tuple, which is hashed anew at every use
MAX_SHOWN = 100
MAX_KEY = 2**31  # whole numbers as keys of a dict: small ones cannot be chosen to collide, larger ones become text


@dataclass(frozen=True)
class Name:
    """A class or function that a file names, e.g. "torch.FloatStorage". A text, no more."""

    text: str


@dataclass(eq=False)
class Record:
    """An object of a foreign class as data: the class's name, what it was made from, and its attributes."""

    kind: str
    arguments: tuple[Any, ...] = ()
    state: Any = field(default_factory=dict)

    def take_state(self, state: Any) -> None:
        """What the file says the object's attributes are."""
        self.state = state

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute."""
        return self.state.get(name, default) if isinstance(self.state, dict) else default


@dataclass(frozen=True, eq=False)
class Span:
    """Bytes that are still in the file."""

    file: BinaryIO
    start: int
    length: int

    def read(self) -> bytes:
        """The bytes; the file's position stays where it is."""
        back = self.file.tell()
        self.file.seek(self.start)
        data = self.file.read(self.length)
        self.file.seek(back)
        return data


def shown(value: Any) -> str:
    """What a file says, for a message: short, on one line, without control characters, and never the inside of a container."""
    if not isinstance(value, str | int | float | None):
        return f"a {type(value).__name__}"
    return (
        repr(str(value)[: MAX_SHOWN + 1])[1:-1] if len(str(value)) <= MAX_SHOWN else f"{repr(str(value)[:MAX_SHOWN])[1:-1]}..."
    )


def safe_key(key: Any) -> Any:
    """A key of a dict or a member of a set, if hashing it is safe: deep tuples and chosen numbers can hang or crash Python.

    Raises:
        TypeError: It is not; or it is a text that no message should show, too long or with control characters.
    """
    if type(key) is int and abs(key) >= MAX_KEY:  # PyTorch before 1.6 numbered an optimiser's parameters by their addresses
        return str(key)
    if isinstance(key, tuple) and len(key) <= 16 and all(type(part) in (str, bool, type(None)) for part in key):
        return key
    text = type(key) is str and len(key) <= MAX_KEY_LENGTH and key.isprintable()
    if not text and type(key) not in (int, float, bool, type(None), Name):
        raise TypeError(f"no key: {shown(key)}")
    return key
