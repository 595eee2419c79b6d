"""The one exception that means: what the user gave cannot be used.

The command line turns it into a single line on standard error and exit code 2; anything else that escapes is a bug.
"""


class InputError(ValueError):
    """Something given by the user cannot be used: a path, a file's content, a field of a config, a tensor's shape."""

    def __init__(self, problem: str, *, given: object = None, allowed: object = None, fix: str | None = None) -> None:
        """Builds one line: what was wrong, what was given, what is allowed, what to do.

        Args:
            problem: What is wrong, in words, without a final full stop.
            given: The offending value, shown as it is.
            allowed: The values, range or form that would have been accepted.
            fix: What the user can do about it, as an imperative.
        """
        parts = [problem]
        if given is not None:
            parts.append(f"given: {given}")
        if allowed is not None:
            parts.append(f"allowed: {allowed}")
        if fix is not None:
            parts.append(fix)
        super().__init__("; ".join(parts))
