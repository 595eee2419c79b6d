"""The command line as a user meets it: help names every command and loads no torch; one line for what is not understood."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

try:
    from latentreel.cli.main import COMMANDS
except ImportError:  # so that one test fails and says why, instead of the collection
    COMMANDS = {}

LATENTREEL = Path(sys.executable).with_name("latentreel")


def run_latentreel(*words: str, folder: Path) -> tuple[int, str, str, set[str]]:
    """Runs the installed program; returns exit code, output, errors and the names of all modules that were imported."""
    environment = os.environ | {"PYTHONPROFILEIMPORTTIME": "1", "COLUMNS": "120", "NO_COLOR": "1"}
    run = subprocess.run(
        [LATENTREEL, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    lines = run.stderr.splitlines(keepends=True)
    imported = {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}
    return run.returncode, run.stdout, "".join(line for line in lines if not line.startswith("import time:")), imported


def test_there_are_commands() -> None:
    assert "demo" in COMMANDS


def test_help_names_every_command(tmp_path: Path) -> None:
    code, output, errors, imported = run_latentreel("--help", folder=tmp_path)
    assert code == 0, errors
    shown = re.findall(r"(?m)^\W*([a-z][a-z-]*)\b", output)
    assert [name for name in COMMANDS if name not in shown] == []
    assert "latentreel.cli.main" in imported
    assert "torch" not in imported


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_loads_no_torch(command: str, tmp_path: Path) -> None:
    code, output, errors, imported = run_latentreel(command, "--help", folder=tmp_path)
    assert code == 0, errors
    assert command in output
    assert errors == ""
    assert "torch" not in imported
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["no-such-command"], ["--no-such-flag"], ["no-such-command", "--help"]])
def test_what_is_not_understood_costs_one_line(words: list[str], tmp_path: Path) -> None:
    code, output, errors, imported = run_latentreel(*words, folder=tmp_path)
    assert code == 2
    assert output == ""
    assert errors.count("\n") == 1
    assert words[0] in errors
    assert "Traceback" not in errors
    assert "torch" not in imported
