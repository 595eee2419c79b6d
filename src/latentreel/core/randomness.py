"""Randomness by counting: every draw is a function of a seed and of what it is for.

No random state is carried along. A training step draws from `generator(seed, "latents", step)`, so that resuming at a step
needs nothing but its number, and a process draws what it would have drawn had it been the only one.
"""

import hashlib

import numpy as np
import torch


def derive_seed(seed: int, *purpose: str | int) -> int:
    """A 63-bit seed for one purpose, independent of the seeds for all others.

    Args:
        seed: The user's seed.
        purpose: Names and numbers that say what is drawn, e.g. `"latents", step`.

    Returns:
        An integer in [0, 2^63).
    """
    text = "/".join(str(part) for part in (seed, *purpose))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def torch_generator(seed: int, *purpose: str | int) -> torch.Generator:
    """A CPU generator for one purpose; drawing on the CPU gives the same numbers on every device."""
    return torch.Generator().manual_seed(derive_seed(seed, *purpose))


def numpy_generator(seed: int, *purpose: str | int) -> np.random.Generator:
    """A numpy generator for one purpose."""
    return np.random.default_rng(derive_seed(seed, *purpose))
