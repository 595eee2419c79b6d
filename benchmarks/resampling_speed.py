"""Halving and doubling feature maps, forward and backward, against the strided depthwise convolution that computes the same."""

import torch
import torch.nn.functional as F

from latentreel.nn.resample import downsample, upsample
from measure import best_seconds, write_result

SHAPE = (32, 32, 64, 64)


def main() -> None:
    """Measures bfloat16, channels_last, with the result's gradient taken to the input."""
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
    kernel = (torch.outer(taps, taps) / 64).to(torch.bfloat16).expand(SHAPE[1], 1, 4, 4)
    x = torch.randn(SHAPE).to(torch.bfloat16).to(memory_format=torch.channels_last).requires_grad_()
    ways = {
        "halving": (downsample, lambda x: F.conv2d(x, kernel, stride=2, padding=1, groups=SHAPE[1])),
        "doubling": (upsample, lambda x: F.conv_transpose2d(x, kernel * 4, stride=2, padding=1, groups=SHAPE[1])),
    }
    result: dict[str, object] = {"shape": SHAPE, "dtype": "bfloat16"}
    for name, (fast, strided) in ways.items():
        seconds = {}
        for way, function in (("fast", fast), ("strided", strided)):
            gradient = torch.ones_like(function(x))
            with torch.no_grad():
                seconds[f"{way}_forward_ms"] = 1000 * best_seconds(lambda f=function: f(x))
            both = best_seconds(lambda f=function, g=gradient: torch.autograd.grad(f(x), x, g))
            seconds[f"{way}_forward_and_backward_ms"] = 1000 * both
        forward = seconds["strided_forward_ms"] / seconds["fast_forward_ms"]
        both = seconds["strided_forward_and_backward_ms"] / seconds["fast_forward_and_backward_ms"]
        result[name] = {**seconds, "speedup_forward": forward, "speedup_forward_and_backward": both}
    write_result("resampling_speed", result)


if __name__ == "__main__":
    main()
