"""Activation checkpointing of one block (Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost")."""

from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint


def run_block(block: nn.Module, *inputs: Any, recompute: bool) -> Any:
    """What a block makes of its inputs.

    Args:
        block: Any module without side effects.
        inputs: Its arguments.
        recompute: Keep only the inputs for backward, and run the block again there: the same gradients, more time, less memory.
    """
    if recompute and torch.is_grad_enabled():
        return checkpoint(block, *inputs, use_reentrant=False)
    return block(*inputs)
