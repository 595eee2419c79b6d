"""`latentreel bench [NAME ...] [-- FLAGS]`: runs the scripts in `benchmarks/`, one claim each."""

import subprocess
import sys
from pathlib import Path

from latentreel.core.errors import InputError

FOLDER = Path(__file__).parents[3] / "benchmarks"
SHARED = {"evidence", "measure", "network_pickles", "random_clips"}


def run(arguments: list[str]) -> None:
    """Runs the named benchmarks, or all, one after the other, each in a process of its own; one alone may be given flags."""
    split = arguments.index("--") if "--" in arguments else len(arguments)
    arguments, flags = arguments[:split], arguments[split + 1 :]
    scripts = {path.stem: path for path in sorted(FOLDER.glob("*.py")) if path.stem not in SHARED}
    if arguments and arguments[0] in ("-h", "--help"):
        print(
            "usage: latentreel bench [NAME ...] [-- FLAGS OF ONE]\n\nEach prints JSON and writes it to benchmarks/results/.\n"
        )
        print(f"names: {', '.join(scripts)}")
        return
    if not scripts:
        raise InputError(
            "the benchmarks are not installed", fix="run this in a clone of the source tree, installed with `make`"
        )
    if flags and len(arguments) != 1:
        raise InputError("flags behind -- are for one benchmark", given=f"{len(arguments)} names", fix="name one")
    for name in arguments:
        if name not in scripts:
            raise InputError("there is no such benchmark", given=name, allowed=", ".join(scripts))
    for name in arguments or scripts:
        print(f"--- {name}", flush=True)
        if subprocess.run([sys.executable, scripts[name], *flags], check=False).returncode:
            sys.exit(1)
