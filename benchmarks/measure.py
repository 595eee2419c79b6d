"""What the benchmarks share: timing, the convolution ceiling, operation counts, and results as JSON."""

import json
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F

from latentreel.image_generators.stylegan2.config import StyleGAN2Config

RESULTS = Path(__file__).parent / "results"


def best_seconds(function: Callable[[], object], *, repeats: int = 5, warmup: int = 1) -> float:
    """The fastest of several runs: on a shared machine, the one least disturbed."""
    for _ in range(warmup):
        function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def convolution_ceiling(dtype: torch.dtype) -> float:
    """FLOP/s of a 3x3 convolution, 512 channels, 64 px, batch 8, channels_last: what a generator could reach at most."""
    x = torch.randn(8, 512, 64, 64).to(dtype).to(memory_format=torch.channels_last)
    weight = torch.randn(512, 512, 3, 3).to(dtype).to(memory_format=torch.channels_last)
    with torch.no_grad():
        seconds = best_seconds(lambda: F.conv2d(x, weight, padding=1), repeats=7, warmup=2)
    return 2 * 9 * 512 * 512 * 64 * 64 * 8 / seconds


def generator_flop(config: StyleGAN2Config) -> float:
    """Operations of the 3x3 convolutions for one image; an upsampling one counts at its input's size."""
    total, below = 0.0, 0
    for size, channels in zip(config.sizes, config.channels, strict=True):
        total += 2 * 9 * channels * channels * size**2
        total += 2 * 9 * below * channels * (size // 2) ** 2
        below = channels
    return total


def peak_memory_gb() -> float:
    """The most memory this process ever held, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def measured_by_a_child(script: str, *arguments: str) -> dict[str, float]:
    """What a script prints as JSON in its last line, in a process of its own: peak memory is the process's."""
    child = subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True, check=True)
    measured: dict[str, float] = json.loads(child.stdout.splitlines()[-1])
    return measured


def write_result(name: str, result: dict[str, object]) -> None:
    """Prints a result and keeps it as JSON, with what it was measured on."""
    machine = {
        "processor": platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    content = {"benchmark": name, "date": time.strftime("%Y-%m-%d"), "machine": machine, **result}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n")
    print(json.dumps(content, indent=2))
