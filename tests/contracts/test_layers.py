"""The layers of the house, as import-linter checks them: imports point downward, siblings do not meet."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN = [("core", "cli"), ("mocogan_hd", "stylegan_v"), ("data", "worlds")]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    linter = Path(sys.executable).with_name("lint-imports")
    environment = os.environ | {"PYTHONPATH": str(folder / "src")}
    return subprocess.run(
        [linter, "--no-cache"], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_every_import_keeps_the_layers() -> None:
    run = lint_imports(ROOT)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.fixture
def empty_house(tmp_path: Path) -> Path:
    """Our packages, each without content, under our contract."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    package = tmp_path / "src" / "latentreel"
    rooms = {init.parent.name for init in (ROOT / "src" / "latentreel").glob("*/__init__.py")}
    for room in [package, *(package / room for room in sorted(rooms))]:
        room.mkdir(parents=True, exist_ok=True)
        (room / "__init__.py").touch()
    return tmp_path


def test_an_import_that_breaks_the_layers_is_named(empty_house: Path) -> None:
    for room, other in FORBIDDEN:
        (empty_house / "src" / "latentreel" / room / "entrance.py").write_text(f"import latentreel.{other}\n")

    run = lint_imports(empty_house)

    assert run.returncode == 1
    for room, other in FORBIDDEN:
        assert f"latentreel.{room} is not allowed to import latentreel.{other}" in run.stdout


def test_a_package_without_a_floor_is_named(empty_house: Path) -> None:
    attic = empty_house / "src" / "latentreel" / "attic"
    attic.mkdir()
    (attic / "__init__.py").touch()

    run = lint_imports(empty_house)

    assert run.returncode == 1
    assert "latentreel.attic" in run.stdout
