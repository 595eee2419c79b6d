"""Clips per second of I3D at 16 frames against its own largest convolutions alone, and peak memory over the number of clips.

One thread; seconds are the processor's, so that a busy machine changes little. Repetitions of all take turns.
"""

import json
import math
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from accelerate import Accelerator
from torch.utils.flop_counter import FlopCounterMode

import latentreel as lr
from evidence import write_table
from latentreel.checkpoints.feature_networks import load_extractor
from latentreel.core.precision import compute_dtype
from latentreel.metrics.extractors.extractor import LooksAt, Seen
from latentreel.metrics.extractors.i3d import I3D, SIZE, I3DExtractor
from latentreel.metrics.protocols import LATENTREEL, altered, protocol_named
from latentreel.pipelines.clip_collections import open_clips
from latentreel.pipelines.evaluation import evaluate
from measure import measured_by_a_child, peak_memory_gb, write_result

FRAMES, BATCH, REPEATS = LATENTREEL.num_frames, 2, 4
KERNELS = {"2c": (64, 192, 8, 56), "3c": (128, 192, 8, 28), "4f": (160, 320, 4, 14)}  # channels in, out; T; H and W
SMALL = 16  # px: files of clips are mapped, and would count as memory
WIDE, CLASSES = 512, 1008  # features and classes of a picture
CLIPS = {"worlds-clips": (64, 1024), "wide pictures": (2048, 8192)}


def flop_per_clip() -> int:
    """Operations of all convolutions, as PyTorch counts them."""
    with torch.device("meta"), FlopCounterMode(display=False) as counter, torch.no_grad():
        I3D()(torch.empty(1, 3, FRAMES, SIZE, SIZE))
    return counter.get_total_flops()


def least_seconds(functions: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The processor's time for each at its best; a first round does not count."""
    least = dict.fromkeys(functions, math.inf)
    for turn in range(REPEATS + 1):
        for name, function in functions.items():
            start = time.thread_time()
            function()
            if turn:
                least[name] = min(least[name], time.thread_time() - start)
    return least


def convolution(kernel: str, dtype: torch.dtype) -> Callable[[], object]:
    """One of the network's 3 x 3 x 3 convolutions, as it computes them."""
    channels, outputs, t, size = KERNELS[kernel]
    x = torch.randn(BATCH, channels, t, size, size).to(dtype, memory_format=torch.channels_last_3d)
    weight = torch.randn(outputs, channels, 3, 3, 3).to(dtype, memory_format=torch.channels_last_3d)
    return lambda: F.conv3d(x, weight, padding=1)


def kernel_flop(kernel: str) -> float:
    """Operations of it, for a batch."""
    channels, outputs, t, size = KERNELS[kernel]
    return 2 * 27 * channels * outputs * t * size**2 * BATCH


@torch.no_grad()
def throughput() -> dict[str, dict[str, float]]:
    """In float32, and bf16 where the processor has it; frames of 128 px are brought to 224."""
    extractor = I3DExtractor(I3D().eval())
    clips = torch.randint(0, 256, (BATCH, FRAMES, 128, 128, 3), dtype=torch.uint8)
    flop, result = flop_per_clip(), {}
    lr.set_precision("auto")
    native = compute_dtype(torch.device("cpu"))
    for precision, dtype in {"fp32": torch.float32, **({"bf16": native} if native == torch.bfloat16 else {})}.items():
        lr.set_precision(precision)
        seconds = least_seconds({"i3d": lambda: extractor(clips)} | {name: convolution(name, dtype) for name in KERNELS})
        rates = {name: kernel_flop(name) / seconds[name] for name in KERNELS}
        result[precision] = {
            "clips_per_second": BATCH / seconds["i3d"],
            "gflops": BATCH * flop / seconds["i3d"] / 1e9,
            **{f"conv_{name}_gflops": rate / 1e9 for name, rate in rates.items()},
            "fraction_of_ceiling": BATCH * flop / seconds["i3d"] / max(rates.values()),
        }
    return result


class WidePictures:
    """Many features and classes of every picture, at no cost: what is measured is how they are kept."""

    name, digest, width, dtype = "wide pictures", "0", WIDE, None
    looks_at: LooksAt = "frames"

    def __call__(self, clips: torch.Tensor) -> Seen:
        """Single pixels again and again."""
        pixels = clips.flatten(0, 1).flatten(1).float() / 255
        return Seen(pixels[:, :WIDE], pixels.repeat(1, 2)[:, :CLASSES])


def memory(network: str, num_clips: int) -> dict[str, float]:
    """The peak of a process that evaluates as many clips on either side."""
    pictures = network == "wide pictures"
    extractor = WidePictures() if pictures else load_extractor(network)
    protocol = altered(protocol_named("fid50k"), num_clips=num_clips) if pictures else LATENTREEL
    batch_size = 64 if pictures else 4
    with tempfile.TemporaryDirectory() as name:
        sides = []
        for seed in range(2):
            path = Path(name) / f"{seed}.npy"
            shape = (num_clips, protocol.num_frames, SMALL, SMALL, 3)
            file = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
            draws = np.random.default_rng(seed)
            for clip in file:
                clip[:] = draws.integers(0, 256, shape[1:], dtype=np.uint8)
            sides.append(open_clips(path, protocol))
        settings = {"with_interval": False, "batch_size": batch_size, "cache": Path(name), "accelerator": Accelerator(cpu=True)}
        evaluate(*sides, protocol, extractor, **settings)
        return {"peak_memory_gb": peak_memory_gb(), "clips_gb": 2 * math.prod(shape) / 1e9}


def speed_cells(speed: dict[str, float]) -> list[str]:
    """One number format's row of the page."""
    fastest = max(speed[f"conv_{name}_gflops"] for name in KERNELS)
    return [
        f"{speed['clips_per_second']:.2f}",
        f"{speed['gflops']:.0f}",
        f"{fastest:.0f}",
        f"{speed['fraction_of_ceiling']:.2f}",
    ]


def main() -> None:
    """Measures memory in child processes, since the peak is the process's; a Python expression says what a child measures."""
    torch.set_num_threads(1)
    if len(sys.argv) > 1:
        print(json.dumps(eval(sys.argv[1])))
        return
    result: dict[str, Any] = {"frames": FRAMES, "batch": BATCH, "gflop_per_clip": flop_per_clip() / 1e9, "memory": {}}
    for network, counts in CLIPS.items():
        few, many = (measured_by_a_child(__file__, f"memory({network!r}, {count})") for count in counts)
        growth = many["peak_memory_gb"] - few["peak_memory_gb"]
        result["memory"][network] = {"few": few["peak_memory_gb"], "many": many["peak_memory_gb"], "growth_gb": growth}
        result["memory"][network] |= {"growth_of_the_clips_own_file_gb": many["clips_gb"] - few["clips_gb"]}
    speeds = throughput()
    columns = ["clips/s", "GFLOP/s", "fastest convolution, GFLOP/s", "fraction of it"]
    write_table("i3d throughput", columns, {name: speed_cells(speed) for name, speed in speeds.items()})
    cells = {
        f"{name}, {counts[0]} and {counts[1]} clips": [f"{result['memory'][name][key]:.2f}" for key in ("few", "many")]
        for name, counts in CLIPS.items()
    }
    write_table("evaluation memory", ["peak with few, GB", "with many, GB"], cells)
    write_result("i3d_throughput", result | speeds)


if __name__ == "__main__":
    main()
