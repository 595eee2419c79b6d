"""What every test stands on: a cache of its own, few threads, fixed seeds, and the paths of the test data."""

import os
import random
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from torch import Tensor

ROOT = Path(__file__).resolve().parent.parent
CommandLine = Callable[..., tuple[int, str, list[str]]]
MAX_THREADS = 4  # the tensors of the tests are small: more threads cost more than they bring

# Speed is never asserted. In CI the examples are the same at every run.
hypothesis.settings.register_profile("latentreel", deadline=None, derandomize="CI" in os.environ, print_blob=True)
hypothesis.settings.load_profile("latentreel")


def pytest_configure(config: pytest.Config) -> None:
    """Keeps tests, and the programs that they start, out of the user's home and off most of his cores."""
    cache = tempfile.TemporaryDirectory(prefix="latentreel-tests-")
    config.add_cleanup(cache.cleanup)
    os.environ["LATENTREEL_CACHE"] = cache.name
    processes = getattr(config.option, "numprocesses", None) or 1  # of pytest-xdist; each takes its share of the cores
    threads = min(MAX_THREADS, len(os.sched_getaffinity(0)) // processes)
    os.environ.setdefault("OMP_NUM_THREADS", str(max(threads, 1)))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips the tests marked `gpu` where there is no CUDA device."""
    on_gpu = [item for item in items if item.get_closest_marker("gpu")]
    if not on_gpu:
        return
    import torch

    if not torch.cuda.is_available():
        for item in on_gpu:
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))


@pytest.fixture(autouse=True)
def _fixed_seeds() -> None:
    """Seeds the global generators, for tests that draw their inputs from them. Torch is not imported for it."""
    random.seed(0)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.fixture
def set_precision() -> Iterator[Callable[[str], None]]:
    """Chooses the number format of the heavy operators for one test."""
    from latentreel.core import precision

    before = precision.get_precision()
    yield precision.set_precision
    precision.set_precision(before)


@pytest.fixture(autouse=True)
def _usual_precision() -> Iterator[None]:
    """After each test the usual number format again, whatever a command in it has chosen. Torch is not imported for it."""
    yield
    if "latentreel.core.precision" in sys.modules:
        sys.modules["latentreel.core.precision"].set_precision("auto")


@pytest.fixture
def fp32(set_precision: Callable[[str], None]) -> None:
    """Float32 throughout, for tests of exact numbers."""
    set_precision("fp32")


@pytest.fixture
def gradient_errors(set_precision: Callable[[str], None]) -> "Callable[[Callable[[], Tensor], Sequence[Tensor]], list[float]]":
    """Relative errors, by norm, of the gradients in bf16 beside those in float32, one per input; the function gives a scalar."""
    import torch

    def measure(run: "Callable[[], Tensor]", inputs: "Sequence[Tensor]") -> list[float]:
        gradients = []
        for precision in ("fp32", "bf16"):
            set_precision(precision)
            gradients.append(torch.autograd.grad(run(), inputs))
        return [float((found - expected).norm() / expected.norm()) for expected, found in zip(*gradients, strict=True)]

    return measure


@pytest.fixture(scope="session")
def fixtures_dir() -> Path:
    """The small files that the tests bring with them."""
    return ROOT / "tests" / "fixtures"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real videos, which lie beside the checkout on developers' machines and are never committed."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real videos are not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def debug_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the finished runs of the debug presets, each named after its family; to be copied where a test changes one."""
    import dataclasses

    from latentreel.cli.train import start
    from latentreel.training.presets import IMAGE, MOTION, STYLEGAN_V

    folder = tmp_path_factory.mktemp("debug-runs")
    start(dataclasses.replace(IMAGE["debug"], out=folder / "image", device="cpu"))
    motion = dataclasses.replace(MOTION["debug"], image_generator=str(folder / "image"))
    start(dataclasses.replace(motion, out=folder / "motion", device="cpu"))
    start(dataclasses.replace(STYLEGAN_V["debug"], out=folder / "stylegan-v", device="cpu"))
    return folder


@pytest.fixture
def run_cli(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> "Iterator[CommandLine]":
    """The command line without a new process: takes what stands behind `latentreel`, gives exit code, output, lines of errors."""
    from accelerate.state import AcceleratorState

    from latentreel.cli.main import main

    def run(*words: object) -> tuple[int, str, list[str]]:
        AcceleratorState._reset_state(reset_partial_state=True)
        monkeypatch.setattr(sys, "argv", ["latentreel", *map(str, words)])
        capfd.readouterr()
        code: object = 0
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("default")
            try:
                main()
            except SystemExit as stop:
                code = stop.code
        output, errors = capfd.readouterr()
        shown = [str(warning.message) for warning in caught if issubclass(warning.category, UserWarning | RuntimeWarning)]
        assert isinstance(code, int)
        return code, output, shown + errors.splitlines()

    yield run
    AcceleratorState._reset_state(reset_partial_state=True)
