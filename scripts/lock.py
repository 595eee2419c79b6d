"""Writes `requirements.lock`: the exact version of everything that development and the metrics need. `make lock` runs it.

pip itself resolves (`pip install --dry-run --report`) in a clean, throwaway environment; nothing is installed. The lock names
versions only: no hashes, no addresses, no builds. So `torch==2.13.0` stays free to be the CUDA build, a CPU build or another,
and the CUDA libraries, which torch pins itself, are left out. Pip is then asked, for every supported Python, if all can be had.
"""

import json
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
EXTRAS = ("dev", "metrics")
TORCH = "torch==2.13.0"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")  # the first is the oldest that pyproject.toml allows; versions are resolved for it
ACCELERATOR_PARTS = re.compile(
    r"(nvidia|cuda|triton|pytorch-triton)(-|$)"
)  # brought, and pinned, by the torch build that wants them
HEADER = f"""\
# Made by `make lock`; do not edit by hand. For Python {PYTHONS[0]} to {PYTHONS[-1]}.
# What latentreel needs, what builds it, and its extras {" and ".join(EXTRAS)}. The studio extra is not here: gradio brings a
# web stack that neither the demo nor the tests need; `pip install -e '.[studio]'` adds it.
"""


def wanted() -> list[str]:
    """Returns the requirements that the lock must meet, as pyproject.toml states them."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)
    extras = project["project"]["optional-dependencies"]
    return [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *(requirement for extra in EXTRAS for requirement in extras[extra]),
        TORCH,
    ]


def resolve(pip: list[str], python: str, *requirements: str) -> dict[str, str]:
    """Asks pip what it would install.

    Args:
        pip: The command that is pip.
        python: The version of Python to resolve for.
        requirements: Requirements or options, as pip reads them.

    Returns:
        The version of each package, under its normalised name, in alphabetical order.
    """
    with tempfile.TemporaryDirectory() as nowhere:
        report = Path(nowhere) / "report.json"
        options = ["--dry-run", "--ignore-installed", "--report", str(report), "--target", nowhere]
        options += ["--python-version", python, "--only-binary", ":all:"]
        subprocess.run([*pip, "install", "--quiet", *options, *requirements], check=True)
        found = [item["metadata"] for item in json.loads(report.read_text(encoding="utf-8"))["install"]]
    return dict(sorted((re.sub(r"[-_.]+", "-", item["name"]).lower(), item["version"].split("+")[0]) for item in found))


def main() -> int:
    """Writes the lock and checks it against every supported Python."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        pip = [str(Path(folder) / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
        pins = {
            name: version for name, version in resolve(pip, PYTHONS[0], *wanted()).items() if not ACCELERATOR_PARTS.match(name)
        }
        fresh = Path(folder) / LOCK.name
        fresh.write_text(HEADER + "".join(f"{name}=={version}\n" for name, version in pins.items()), encoding="utf-8")
        for python in PYTHONS:
            resolve(pip, python, "--no-deps", "--requirement", str(fresh))
        LOCK.write_text(fresh.read_text(encoding="utf-8"), encoding="utf-8")
    print(f"{LOCK.name}: {len(pins)} packages, installable on Python {', '.join(PYTHONS)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
