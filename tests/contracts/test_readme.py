"""What the README tells people to type works.

Every ```bash line that starts with `latentreel` is run and every ```python block executed, in the order of the page and in one
folder, so that a later step may use what an earlier one made. Of `make` lines only the targets are checked. Before a block that
cannot run everywhere, `<!-- test: skip (reason) -->` leaves just its flags and names to be checked; `<!-- test: slow -->` marks
one that runs for long.
"""

import ast
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import latentreel

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
TIMEOUT_SECONDS = 600
FENCE = re.compile(r"^```(?P<language>\w*)[^\n]*\n(?P<body>.*?)^```\s*$", re.MULTILINE | re.DOTALL)
NOTE = re.compile(r"<!--\s*test:\s*(?P<verb>skip|slow)\s*(?:\((?P<reason>[^)]*)\))?\s*-->\s*\Z")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that the README tells people to run."""

    kind: str
    """`latentreel`, `make` or `python`."""
    text: str
    """The line, or the whole snippet."""
    line: int
    """Where in the README."""
    skip: bool
    """Whether only its form is checked."""
    slow: bool
    """Whether it runs for long."""


def read_steps(page: str) -> list[Step]:
    """Returns the steps of a Markdown page in order; commands of other programs are left out."""
    steps = []
    for fence in FENCE.finditer(page):
        note = NOTE.search(page[: fence.start()])
        verb = note["verb"] if note else None
        if note and verb == "skip" and not note["reason"]:
            raise ValueError(f"a skipped block says why: <!-- test: skip (reason) -->; given: {note[0].strip()}")
        line = page.count("\n", 0, fence.start()) + 2
        pieces = [("python", fence["body"])] if fence["language"] == "python" else []
        if fence["language"] in {"bash", "sh", "console", "shell"}:
            commands = fence["body"].replace("\\\n", " ").splitlines()
            pieces = [(program_of(command), command.strip().removeprefix("$ ")) for command in commands]
        steps += [
            Step(kind=kind, text=text, line=line, skip=verb == "skip", slow=verb == "slow")
            for kind, text in pieces
            if kind in {"latentreel", "make", "python"}
        ]
    return steps


def program_of(command: str) -> str:
    """Returns the first word of a command that is no assignment: `latentreel` of `CUDA_VISIBLE_DEVICES=0 latentreel demo`."""
    words = shlex.split(command.strip().removeprefix("$ "), comments=True)
    return next((word for word in words if not re.match(r"\w+=", word)), "")


def words_after(command: str, program: str) -> list[str]:
    """Returns the arguments of the program, up to the first pipe, redirection or next command."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = list(lexer)
    words = words[words.index(program) + 1 :]
    end = next((index for index, word in enumerate(words) if set(word) <= set("();<>|&")), len(words))
    return words[:end]


def run(command: list[str], *, folder: Path, timeout_seconds: float) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "200", "NO_COLOR": "1"}
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def check_flags(command: str, folder: Path) -> None:
    """Asserts that the help of a command knows each of the flags that are given to it."""
    words = words_after(command, "latentreel")
    flags = [word.partition("=")[0] for word in words if re.match(r"--?[A-Za-z]", word)]
    upto = next((index for index, word in enumerate(words) if word.startswith("-")), len(words))
    shown = run(["latentreel", *words[:upto], "--help"], folder=folder, timeout_seconds=60)
    assert shown.returncode == 0, shown.stderr
    known = {flag.replace("_", "-") for flag in re.findall(r"(?<![\w-])--?[A-Za-z][\w.-]*", shown.stdout)} | {"--help", "-h"}
    assert [flag for flag in flags if flag.replace("_", "-").rstrip(".") not in known] == []


def check_names(snippet: str) -> None:
    """Asserts that a snippet is Python, and that what it takes from the package's root is public."""
    tree = ast.parse(snippet)
    roots = {"latentreel"} | {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name == "latentreel"
    }
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in roots
    }
    assert used <= {*latentreel.__all__, "__version__"}


README = ROOT / "README.md"
STEPS = read_steps(README.read_text(encoding="utf-8")) if README.exists() else []


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which a reader works through the page."""
    return tmp_path_factory.mktemp("reader")


def test_the_readme_has_something_to_run() -> None:
    assert {step.kind for step in STEPS} == {"latentreel", "make", "python"}
    assert {step.kind for step in STEPS if not step.skip} >= {"latentreel", "python"}
    assert {word for step in STEPS if step.kind == "make" for word in words_after(step.text, "make")} >= {"demo", "test"}


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(
            step, id=f"line {step.line}: {step.text.splitlines()[0][:60]}", marks=[pytest.mark.slow] if step.slow else []
        )
        for step in STEPS
    ],
)
def test_step(step: Step, workspace: Path) -> None:
    if step.kind == "make":
        targets = re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        assert {word for word in words_after(step.text, "make") if "=" not in word and not word.startswith("-")} <= {*targets}
    elif step.kind == "latentreel":
        check_flags(step.text, workspace)
        if not step.skip:
            done = run(["bash", "-euo", "pipefail", "-c", step.text], folder=workspace, timeout_seconds=TIMEOUT_SECONDS)
            assert done.returncode == 0, done.stdout + done.stderr
    else:
        check_names(step.text)
        if not step.skip:
            done = run([sys.executable, "-c", step.text], folder=workspace, timeout_seconds=TIMEOUT_SECONDS)
            assert done.returncode == 0, done.stdout + done.stderr


PAGE = """
```bash
git clone somewhere  # not ours to check
CUDA_VISIBLE_DEVICES=0 latentreel generate bundle \\
    --frames 16 > log.txt
```
<!-- test: skip (needs a released checkpoint) -->
```python
import latentreel as lr
```
<!-- test: slow -->

```console
$ make demo && latentreel demo
```
"""


def test_steps_are_read_as_a_reader_would() -> None:
    assert [(step.kind, step.skip, step.slow) for step in read_steps(PAGE)] == [
        ("latentreel", False, False),
        ("python", True, False),
        ("make", False, True),
    ]
    assert words_after(read_steps(PAGE)[0].text, "latentreel") == ["generate", "bundle", "--frames", "16"]
    assert words_after(read_steps(PAGE)[2].text, "make") == ["demo"]
    with pytest.raises(ValueError, match="says why"):
        read_steps("<!-- test: skip -->\n```bash\nlatentreel demo\n```\n")
