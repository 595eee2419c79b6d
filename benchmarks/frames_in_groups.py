"""Drawing frames in groups (the chunked vector-Jacobian step) against all at once: gradients, seconds and peak memory over T.

64 px, full width, batch 2, in-domain, G and both D; each in a process of its own, since peak memory is the process's. Then one step
across domains of a full-width generator at 1024 px.
"""

import json
import sys
from typing import Any

import torch

import latentreel as lr
from evidence import write_table
from latentreel.training.mocogan_hd import MotionTraining
from measure import measured_by_a_child, peak_memory_gb, write_result
from random_clips import full_width_training, step_seconds

FRAMES = (8, 16, 32, 64)
AT_ONCE, GROUPED_GB = 1e9, 0.5  # GB for drawing: no limit; about ten frames of 64 px


def step(num_frames: int, drawing_gb: float) -> dict[str, float]:
    """Seconds of a step and the process's peak memory."""
    family = full_width_training(64, batch_size=2, num_frames=num_frames, drawing_gb=drawing_gb)
    seconds = step_seconds(family, 2 if num_frames <= 16 else 1)
    return {"seconds": seconds, "peak_memory_gb": peak_memory_gb(), "frames_at_once": family.frames_at_once or 2 * num_frames}


def step_1024(num_frames: int) -> dict[str, float]:
    """The same of a generator at 1024 px across domains, one clip."""
    family = full_width_training(1024, domain="cross", batch_size=1, num_frames=num_frames, drawing_gb=GROUPED_GB)
    seconds = step_seconds(family, 1)
    return {"seconds": seconds, "peak_memory_gb": peak_memory_gb(), "frames_at_once": family.frames_at_once}


def gradient_error(num_frames: int, precision: str) -> dict[str, float]:
    """Largest difference of the motion generator's gradients, grouped against plain, over the largest gradient."""
    lr.set_precision(precision)
    plain, grouped = (
        gradients(full_width_training(64, batch_size=2, num_frames=num_frames, drawing_gb=gb)) for gb in (AT_ONCE, GROUPED_GB)
    )
    largest = max(gradient.abs().max() for gradient in plain.values())
    return {"error": float(max((grouped[name] - plain[name]).abs().max() for name in plain) / largest)}


def gradients(family: MotionTraining) -> dict[str, torch.Tensor]:
    """Of the motion generator's objective, by parameter."""
    family.motion_generator.requires_grad_(True)
    outcome = family.motion_objective(family.batch(0))
    torch.stack(list(outcome.losses.values())).sum().backward()
    return {name: p.grad for name, p in family.motion_generator.named_parameters() if p.grad is not None}


def main() -> None:
    """Measures in child processes; a Python expression says what a child measures."""
    if len(sys.argv) > 1:
        print(json.dumps(eval(sys.argv[1])))
        return
    over_time = {}
    for num_frames in FRAMES:
        plain, grouped = (measured_by_a_child(__file__, f"step({num_frames}, {gb})") for gb in (AT_ONCE, GROUPED_GB))
        ratios = {"slower": grouped["seconds"] / plain["seconds"]}
        ratios["memory"] = grouped["peak_memory_gb"] / plain["peak_memory_gb"]
        over_time[f"T {num_frames}"] = {"at_once": plain, "in_groups": grouped, **ratios}
    errors = {
        f"{precision}, T {t}": measured_by_a_child(__file__, f"gradient_error({t}, '{precision}')")["error"]
        for t, precision in ((8, "fp32"), (32, "fp32"), (8, "auto"))
    }
    result: dict[str, Any] = {"resolution": 64, "batch": 2, "over_frames": over_time, "gradient_error": errors}
    result["cross_domain_1024_px"] = {f"T {t}": measured_by_a_child(__file__, f"step_1024({t})") for t in (4, 16)}
    write_result("frames_in_groups", result)
    tables(result)


def tables(result: dict[str, Any]) -> None:
    """Both tables of docs/evidence.md."""
    rows = {}
    for name, found in result["over_frames"].items():
        plain, grouped = found["at_once"], found["in_groups"]
        memory = [f"{one['peak_memory_gb']:.2f}" for one in (plain, grouped)]
        rows[name] = [*memory, f"{found['memory']:.2f}", f"{found['slower']:.2f}", f"{grouped['frames_at_once']:.0f}"]
    columns = ["all at once, GB", "in groups, GB", "of the memory", "times the time", "frames in a group"]
    write_table("frames in groups", columns, rows)
    large = {
        name: [f"{one['peak_memory_gb']:.2f}", f"{one['seconds']:.0f}"] for name, one in result["cross_domain_1024_px"].items()
    }
    write_table("1024 px", ["peak, GB", "seconds"], large)


if __name__ == "__main__":
    main()
