"""The allow-list unpickler: reads a pickle as data. Nothing that a file says is ever imported, called or run.

A pickle is a program for a stack machine, and the usual machine can be told to call anything. This one cannot: what a file asks
for is looked up by its full name in an explicit table (`Globals`), whose entries are functions of this package that build plain
values: numbers, text, containers, arrays, and `Record`s, which are inert. Any other name is refused, and there is no switch.

Memory and time are bounded by the file: a length is believed only if that many bytes follow, byte strings stay in the file
(`Span`) until someone reads them, the number of instructions is limited, and none of them takes longer for what was built before.
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO, Final

from latentreel.checkpoints.plain_values import Name, Record, Span, safe_key, shown
from latentreel.core.errors import InputError

MAX_INSTRUCTIONS = 500_000  # the largest known network pickle takes a tenth of a million
MAX_ARGUMENTS = 64
MAX_LONG_BYTES = 255

Builder = Callable[..., Any]
Globals = Mapping[str, Builder | None]
"""What a file may ask for, by full name: a function that builds a plain value from the arguments, or None for a mere name."""


class _Mark:
    """Where on the stack a group of arguments begins."""


_MARK: Final = _Mark()


def instructions() -> Iterator[int]:
    """How many instructions a file may take; the pickles within pickles draw on the same stock."""
    return iter(range(MAX_INSTRUCTIONS))


def read_pickle(
    file: BinaryIO,
    *,
    end: int,
    allowed: Globals,
    where: str,
    persistent: Callable[[Any], Any] | None = None,
    steps: Iterator[int] | None = None,
) -> Any:
    """Reads one pickle from a file's current position, and leaves the position behind it.

    Args:
        file: Open for reading and seeking.
        end: Where the pickle must have ended.
        allowed: What it may ask for.
        where: The file's name, for messages.
        persistent: Resolves references to what lies outside the pickle; without it they are refused.
        steps: The stock of instructions of the file; one of its own if absent.

    Returns:
        Plain values, `Record`s, and whatever the builders of `allowed` make.

    Raises:
        InputError: The pickle asks for something else, is damaged, or too large.
    """
    try:
        return _Machine(file, end=end, allowed=allowed, where=where, persistent=persistent).run(steps or instructions())
    except InputError:
        raise
    except (
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        OverflowError,
        struct.error,
        RuntimeError,
        MemoryError,
    ) as error:
        raise InputError(f"{where} is damaged: not a readable pickle", fix="download it again") from error


class _Machine:
    """The stack machine. One method per instruction, named as in Python's `pickletools`."""

    def __init__(
        self, file: BinaryIO, *, end: int, allowed: Globals, where: str, persistent: Callable[[Any], Any] | None
    ) -> None:
        self.file = file
        self.end = end
        self.allowed = allowed
        self.where = where
        self.persistent = persistent
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self, steps: Iterator[int]) -> Any:
        for _ in steps:
            code = self.take(1)
            if code == b".":
                return self.pop()
            if code not in _INSTRUCTIONS:
                raise InputError(f"{self.where} is damaged, or no checkpoint", given=f"pickle instruction {code!r}")
            _INSTRUCTIONS[code](self)
        raise InputError(f"{self.where}: the pickle is too long", allowed=f"{MAX_INSTRUCTIONS} instructions")

    # --- the file ---------------------------------------------------------------------------------------------------

    def take(self, count: int) -> bytes:
        if count > self.end - self.file.tell() or len(piece := self.file.read(count)) < count:
            raise InputError(f"{self.where} is damaged: it ends too early", fix="download it again")
        return piece

    def number(self, form: str) -> Any:
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def line(self) -> str:
        text = self.file.readline(1024)
        if not text.endswith(b"\n") or self.file.tell() > self.end:
            raise InputError(f"{self.where} is damaged: it ends too early", fix="download it again")
        return text[:-1].decode("ascii")

    def text(self, form: str) -> None:
        self.stack.append(self.take(self.number(form)).decode("utf-8", "surrogatepass"))

    def bytes(self, form: str) -> None:
        count = self.number(form)
        start = self.file.tell()
        if count > self.end - start:
            raise InputError(f"{self.where} is damaged: it ends too early", fix="download it again")
        self.file.seek(start + count)
        self.stack.append(Span(self.file, start, count))

    # --- the stack --------------------------------------------------------------------------------------------------

    def group(self) -> list[Any]:
        """What lies above the last mark; it and the mark are taken off."""
        start = len(self.stack) - 1
        while self.stack[start] is not _MARK:
            start -= 1
            if start < 0:
                raise IndexError("no mark")
        items = self.stack[start + 1 :]
        del self.stack[start:]
        return items

    def pop(self) -> Any:
        value = self.stack.pop()
        if value is _MARK:
            raise IndexError("a mark where a value should be")
        return value

    def push_tuple(self, count: int) -> None:
        items = tuple(self.pop() for _ in range(count))
        self.stack.append(items[::-1])

    def drop(self) -> None:
        self.stack.pop()

    def drop_group(self) -> None:
        self.group()

    def append(self) -> None:
        item = self.pop()
        self.extend_list([item])

    def extend_list(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not list:
            raise TypeError("only lists grow")
        target.extend(items)

    def set_item(self) -> None:
        value, key = self.pop(), self.pop()
        self.set_items([key, value])

    def set_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not dict or len(items) % 2:
            raise TypeError("only dicts take keys")
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[safe_key(key)] = value

    def add_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not set:
            raise TypeError("only sets take members")
        target.update(map(safe_key, items))

    def memoize(self, index: int) -> None:
        self.memo[index] = self.stack[-1]

    def long(self, form: str) -> None:
        count = self.number(form)
        if not 0 <= count <= MAX_LONG_BYTES:
            raise InputError(f"{self.where} is damaged: a number of {count} bytes")
        self.stack.append(int.from_bytes(self.take(count), "little", signed=True))

    # --- what the usual machine would run ---------------------------------------------------------------------------

    def refusal(self, given: str, fix: str | None = None) -> InputError:
        problem = f"{self.where} asks for code to be run, and is not loaded"
        return InputError(problem, given=given, allowed="tensors, arrays and plain containers", fix=fix)

    def find(self, module: Any, name: Any) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise TypeError("names are text")
        full = f"{module}.{name}"
        if full not in self.allowed:
            raise self.refusal(shown(full), fix=_HINTS.get(full))
        self.stack.append(Name(full))

    def stack_global(self) -> None:
        name, module = self.pop(), self.pop()
        self.find(module, name)

    def build(self, named: Any, arguments: Any, keywords: Any = None) -> None:
        if not isinstance(named, Name) or not isinstance(arguments, tuple) or keywords:
            raise self.refusal("a call of something without a name")
        builder = self.allowed[named.text]
        if builder is None:
            raise self.refusal(f"a call of {named.text}")
        if len(arguments) > MAX_ARGUMENTS:
            raise ValueError("too many arguments")
        self.stack.append(builder(*arguments))

    def reduce(self) -> None:
        arguments, named = self.pop(), self.pop()
        self.build(named, arguments)

    def new_object_with_keywords(self) -> None:
        keywords, arguments, named = self.pop(), self.pop(), self.pop()
        self.build(named, arguments, keywords)

    def set_state(self) -> None:
        state, target = self.pop(), self.stack[-1]
        if isinstance(target, Record):
            target.take_state(state)
        elif type(target) is not dict:  # an OrderedDict's attributes (a state dict's versions) mean nothing to us
            raise self.refusal(f"a state for a {type(target).__name__}")

    def refer(self) -> None:
        reference = self.pop()
        if self.persistent is None:
            raise InputError(f"{self.where} is damaged: it refers to what is not there")
        self.stack.append(self.persistent(reference))


_HINTS = {
    "dnnlib.tflib.network.Network": "this is a TensorFlow StyleGAN: convert it with StyleGAN2-ADA's legacy.py first",
}

_INSTRUCTIONS: dict[bytes, Callable[[_Machine], None]] = {
    b"\x80": lambda m: _require_protocol(m.number("<B"), m.where),  # PROTO
    b"\x95": lambda m: m.number("<Q"),  # FRAME: its length says nothing that matters
    b"(": lambda m: m.stack.append(_MARK),
    b"0": lambda m: m.drop(),
    b"1": lambda m: m.drop_group(),
    b"2": lambda m: m.stack.append(m.stack[-1]),
    b"N": lambda m: m.stack.append(None),
    b"\x88": lambda m: m.stack.append(True),
    b"\x89": lambda m: m.stack.append(False),
    b"J": lambda m: m.stack.append(m.number("<i")),
    b"K": lambda m: m.stack.append(m.number("<B")),
    b"M": lambda m: m.stack.append(m.number("<H")),
    b"G": lambda m: m.stack.append(m.number(">d")),
    b"\x8a": lambda m: m.long("<B"),
    b"\x8b": lambda m: m.long("<i"),
    b"X": lambda m: m.text("<I"),
    b"\x8c": lambda m: m.text("<B"),
    b"\x8d": lambda m: m.text("<Q"),
    b"B": lambda m: m.bytes("<I"),
    b"C": lambda m: m.bytes("<B"),
    b"\x8e": lambda m: m.bytes("<Q"),
    b"\x96": lambda m: m.bytes("<Q"),
    b")": lambda m: m.stack.append(()),
    b"\x85": lambda m: m.push_tuple(1),
    b"\x86": lambda m: m.push_tuple(2),
    b"\x87": lambda m: m.push_tuple(3),
    b"t": lambda m: m.stack.append(tuple(m.group())),
    b"]": lambda m: m.stack.append([]),
    b"a": lambda m: m.append(),
    b"e": lambda m: m.extend_list(m.group()),
    b"}": lambda m: m.stack.append({}),
    b"s": lambda m: m.set_item(),
    b"u": lambda m: m.set_items(m.group()),
    b"\x8f": lambda m: m.stack.append(set()),
    b"\x90": lambda m: m.add_items(m.group()),
    b"\x91": lambda m: m.stack.append(frozenset(map(safe_key, m.group()))),
    b"q": lambda m: m.memoize(m.number("<B")),
    b"r": lambda m: m.memoize(m.number("<I")),
    b"\x94": lambda m: m.memoize(len(m.memo)),
    b"h": lambda m: m.stack.append(m.memo[m.number("<B")]),
    b"j": lambda m: m.stack.append(m.memo[m.number("<I")]),
    b"c": lambda m: m.find(m.line(), m.line()),
    b"\x93": lambda m: m.stack_global(),
    b"R": lambda m: m.reduce(),
    b"\x81": lambda m: m.reduce(),  # NEWOBJ: a class and its arguments, as REDUCE has a function and its arguments
    b"\x92": lambda m: m.new_object_with_keywords(),
    b"b": lambda m: m.set_state(),
    b"Q": lambda m: m.refer(),
}


def _require_protocol(version: int, where: str) -> None:
    if version > 5:
        raise InputError(f"{where} is damaged, or no checkpoint", given=f"pickle protocol {version}", allowed="2 to 5")
