"""Importing has no effects: nothing heavy, no output, no files, no global flags."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT_IMPORT = """
import json, sys
before = set(sys.modules)
import latentreel
names = {name.partition(".")[0] for name in set(sys.modules) - before}
print(json.dumps(sorted(names - sys.stdlib_module_names - {"latentreel"})))
"""

# Torch comes first, so that what changes afterwards was changed by us or by a library that we chose to import; and rich, which
# draws from Python's generator when it is imported (latentreel never does).
IMPORT_OF_EVERY_MODULE = """
import contextlib, importlib, io, json, pkgutil, random, sys, warnings
import numpy, rich.console, torch
import latentreel

def state():
    return {
        "threads": torch.get_num_threads(),
        "default dtype": str(torch.get_default_dtype()),
        "default device": str(torch.get_default_device()),
        "grad enabled": torch.is_grad_enabled(),
        "anomaly detection": torch.is_anomaly_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "matmul precision": torch.get_float32_matmul_precision(),
        "cuDNN benchmark": torch.backends.cudnn.benchmark,
        "cuDNN TF32": torch.backends.cudnn.allow_tf32,
        "torch generator": torch.get_rng_state().tolist(),
        "numpy generator": numpy.random.get_state()[1].tolist(),
        "python generator": random.getstate(),
    }

filters_set_by = set()
def watched(function):
    def call(*args, **kwargs):
        caller = sys._getframe(1).f_globals.get("__name__", "")
        if caller.startswith("latentreel"):
            filters_set_by.add(caller)
        return function(*args, **kwargs)
    return call
warnings.filterwarnings, warnings.simplefilter = watched(warnings.filterwarnings), watched(warnings.simplefilter)

before, imported, failed, printed = state(), [], {}, {}
for module in pkgutil.walk_packages(latentreel.__path__, "latentreel."):
    if module.name.endswith("__main__"):
        continue
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        try:
            importlib.import_module(module.name)
            imported.append(module.name)
        except Exception as error:
            failed[module.name] = repr(error)
    if output.getvalue():
        printed[module.name] = output.getvalue()
after = state()
print(json.dumps({
    "imported": imported, "failed": failed, "printed": printed,
    "changed": [name for name in before if before[name] != after[name]], "filters_set_by": sorted(filters_set_by),
}))
"""
OPTIONAL = ("No module named 'gradio", "No module named 'torchmetrics")  # of the extras studio and metrics


def run_python(code: str, *flags: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "LATENTREEL_CACHE": str(home / "latentreel"),
    }
    command = [sys.executable, *flags, "-c", code]
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, timeout=300, check=False)


def test_the_root_loads_the_standard_library_alone(tmp_path: Path) -> None:
    run = run_python(ROOT_IMPORT, "-W", "error", home=tmp_path)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == []
    assert run.stderr == ""
    assert list(tmp_path.rglob("*")) == []


@pytest.fixture(scope="module")
def every_module(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What importing every module of the package did, in a process of its own."""
    home = tmp_path_factory.mktemp("home")
    run = run_python(IMPORT_OF_EVERY_MODULE, home=home)
    assert run.returncode == 0, run.stderr
    *noise, result = run.stdout.splitlines()
    made = [str(path.relative_to(home)) for path in home.iterdir() if path.name not in {".config", ".cache", "cache"}]
    return json.loads(result) | {"noise": "\n".join(noise) + run.stderr, "made": made}


def test_every_module_can_be_imported(every_module: dict[str, Any]) -> None:
    assert "latentreel.core.errors" in every_module["imported"]
    assert {name: error for name, error in every_module["failed"].items() if not any(lack in error for lack in OPTIONAL)} == {}


def test_no_import_prints(every_module: dict[str, Any]) -> None:
    assert every_module["printed"] == {}
    assert every_module["noise"] == ""


def test_no_import_touches_global_state(every_module: dict[str, Any]) -> None:
    assert every_module["changed"] == []


def test_no_import_filters_warnings(every_module: dict[str, Any]) -> None:
    assert every_module["filters_set_by"] == []


def test_no_import_leaves_files(every_module: dict[str, Any]) -> None:
    assert every_module["made"] == []


def test_every_public_name_can_be_had() -> None:
    import latentreel

    for name in latentreel.__all__:
        assert getattr(latentreel, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = latentreel.no_such_name
