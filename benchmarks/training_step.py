"""Seconds and peak memory of one MoCoGAN-HD step, G and both D, in-domain and across domains: 64 px, full width, batch 2, T 8.

Each runs in a process of its own, since peak memory is the process's; and once more with the plain reference operators in float32.
"""

import json
import sys
from unittest.mock import patch

import torch

import latentreel as lr
from latentreel.core.precision import compute_dtype
from latentreel.image_generators.stylegan2 import generator as generator_module
from latentreel.nn import modulated_convolution, resample
from latentreel.training import mocogan_hd as training_module
from measure import measured_by_a_child, peak_memory_gb, write_result
from random_clips import full_width_training, step_seconds

RESOLUTION, BATCH, FRAMES = 64, 2, 8


def measure_step(domain: str, repeats: int) -> dict[str, float]:
    """A step's seconds, and the process's peak memory."""
    family = full_width_training(RESOLUTION, domain=domain, batch_size=BATCH, num_frames=FRAMES)
    return {"seconds": step_seconds(family, repeats), "peak_memory_gb": peak_memory_gb()}


def main() -> None:
    """Measures in child processes; "DOMAIN fast|reference" says what a child measures."""
    if len(sys.argv) == 1:
        result: dict[str, object] = {"resolution": RESOLUTION, "batch": BATCH, "frames": FRAMES}
        result["dtype"] = str(compute_dtype(torch.device("cpu")))
        for domain in ("in", "cross"):
            fast, reference = (measured_by_a_child(__file__, domain, path) for path in ("fast", "reference"))
            ratios = {
                "speedup": reference["seconds"] / fast["seconds"],
                "memory_ratio": reference["peak_memory_gb"] / fast["peak_memory_gb"],
            }
            result[f"{domain}_domain"] = {"fast": fast, "reference_fp32": reference, **ratios}
        write_result("training_step", result)
        return
    domain, path = sys.argv[1:]
    if path == "fast":
        print(json.dumps(measure_step(domain, 4)))
        return
    lr.set_precision("fp32")
    with (
        patch.object(generator_module, "modulated_conv2d", modulated_convolution.modulated_conv2d_reference),
        patch.object(generator_module, "upsample", resample.upsample_reference),
        patch.object(training_module, "graph_bytes", lambda *_: 1),  # draws no frames, which grouped convolutions cannot
    ):
        print(json.dumps(measure_step(domain, 1)))


if __name__ == "__main__":
    main()
