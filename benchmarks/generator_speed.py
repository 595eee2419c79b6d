"""Frames per second of a full-width 256-px StyleGAN2 at batch 8, and what fraction of the convolution ceiling that is."""

from unittest.mock import patch

import torch

import latentreel as lr
from latentreel.image_generators.stylegan2 import generator as generator_module
from latentreel.nn import modulated_convolution, resample
from measure import best_seconds, convolution_ceiling, generator_flop, write_result

RESOLUTION, BATCH = 256, 8


def main() -> None:
    """Measures float32 and bfloat16, and the plain reference operators in float32."""
    torch.manual_seed(0)
    generator = lr.build_image_generator("stylegan2", resolution=RESOLUTION).eval().requires_grad_(False)
    w = generator.map(torch.randn(BATCH, generator.z_dim))
    flop = generator_flop(generator.config) * BATCH
    result: dict[str, object] = {"resolution": RESOLUTION, "batch": BATCH, "gflop_per_frame": flop / BATCH / 1e9}
    for precision, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        lr.set_precision(precision)
        before = convolution_ceiling(dtype)  # and after: the machine's speed drifts
        with torch.no_grad():
            seconds = best_seconds(lambda: generator.synthesize(w), repeats=4)
        ceiling = max(before, convolution_ceiling(dtype))
        result[precision] = {
            "frames_per_second": BATCH / seconds,
            "seconds_per_frame": seconds / BATCH,
            "ceiling_gflops": ceiling / 1e9,
            "fraction_of_ceiling": flop / seconds / ceiling,
        }
    lr.set_precision("fp32")
    with (
        torch.no_grad(),
        patch.object(generator_module, "modulated_conv2d", modulated_convolution.modulated_conv2d_reference),
        patch.object(generator_module, "upsample", resample.upsample_reference),
    ):
        reference = best_seconds(lambda: generator.synthesize(w), repeats=1, warmup=0)
    result["reference_fp32_seconds_per_frame"] = reference / BATCH
    for precision in ("fp32", "bf16"):
        result[f"{precision}_speedup_over_reference"] = reference / BATCH / result[precision]["seconds_per_frame"]
    write_result("generator_speed", result)


if __name__ == "__main__":
    main()
