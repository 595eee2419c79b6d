"""Names of files as they can be shown: they may hold anything, line breaks and bytes of no encoding too."""

import shlex


def printable(text: str) -> str:
    r"""The text on one line: what cannot be printed is escaped, as `\n` or `\u202e`."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def shell_word(name: str) -> str:
    """A name as it is typed in a command: one word, whatever it holds."""
    return shlex.quote(printable(name))


def with_name(name: str, reason: str) -> str:
    """A reason behind the name of what it is about, unless the reason begins with a name of it already."""
    return reason if name in reason.partition(":")[0] else f"{name}: {reason}"
