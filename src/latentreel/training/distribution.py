"""Processes, devices and number formats, through Accelerate. One process on a CPU is the same code with nothing to exchange.

Two processes with half the batch each train the weights of one, to rounding: draws are made for all together and shared out, and
losses that compare the items of a batch see those of all processes (`everyone`). Only StyleGAN2's minibatch deviation stays
with each process's own images.
"""

import importlib.util
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from latentreel.core.errors import InputError
from latentreel.core.precision import set_precision
from latentreel.training.config import RunConfig


def start_accelerator(config: RunConfig) -> Accelerator:
    """Joins the processes that `accelerate launch` or torchrun started, and sets the precision.

    Raises:
        InputError: The batch cannot be shared equally, or the tracker is not installed.
    """
    if config.tracker == "wandb" and importlib.util.find_spec("wandb") is None:
        raise InputError("the tracker is not installed", given="wandb", fix="pip install wandb, or choose tensorboard or none")
    tracker = None if config.tracker == "none" else config.tracker
    # Whatever `accelerate config` says of precision: networks choose their own.
    cpu = config.device == "cpu" or not torch.accelerator.is_available()  # else several processes would not find each other
    accelerator = Accelerator(cpu=cpu, mixed_precision="no", log_with=tracker, project_dir=str(config.out))
    set_precision(config.precision)
    if config.batch_size % accelerator.num_processes:
        raise InputError(
            "the batch cannot be shared by the processes",
            given=f"batch_size {config.batch_size}, {accelerator.num_processes} processes",
            allowed="a multiple of the number of processes",
        )
    return accelerator


def average_gradients(accelerator: Accelerator, module: nn.Module) -> None:
    """Averages a module's gradients over all processes, in one exchange.

    The objectives of adversarial training take gradients of gradients and run a network several times in one turn, which wrappers
    that hook into backward do not follow; exchanging once behind it always holds.
    """
    if accelerator.num_processes == 1:
        return
    gradients = [parameter.grad for parameter in module.parameters() if parameter.grad is not None]
    flat = accelerator.reduce(torch.cat([gradient.flatten() for gradient in gradients]), reduction="mean")
    for gradient, averaged in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(averaged.view_as(gradient))


def everyone(accelerator: Accelerator, values: Tensor) -> Tensor:
    """The values of all processes, [N, ...] to [processes * N, ...] in the order of the batch; gradients find their way back.

    Every process then computes the same loss of the whole batch, and averaged gradients are that loss's.
    """
    if accelerator.num_processes == 1:
        return values
    gathered: Tensor = _Gather.apply(values, accelerator)  # type: ignore[no-untyped-call]
    return gathered


def judge_together(
    accelerator: Accelerator, discriminator: nn.Module, one: Tensor, other: Tensor
) -> tuple[list[Tensor], list[Tensor]]:
    """Logits, one tensor per scale, of two batches in one pass of a patch discriminator; of all processes' batches."""
    logits = [scale.chunk(2) for scale in discriminator(torch.cat([one, other]))]
    return [everyone(accelerator, scale) for scale, _ in logits], [everyone(accelerator, scale) for _, scale in logits]


class _Gather(torch.autograd.Function):
    """Gathers forward; backward sums each process's share of the gradients over all."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, accelerator: Accelerator) -> Tensor:
        ctx.accelerator, ctx.size = accelerator, len(values)
        gathered: Tensor = accelerator.gather(values.contiguous())
        return gathered

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        total = ctx.accelerator.reduce(gradients[0].contiguous(), reduction="sum")
        start = ctx.accelerator.process_index * ctx.size
        return total[start : start + ctx.size], None


def average(accelerator: Accelerator, values: Tensor) -> Tensor:
    """Values without a graph, averaged over the processes."""
    averaged: Tensor = accelerator.reduce(values.detach().clone(), reduction="mean")
    return averaged


def agree(accelerator: Accelerator, elapsed_seconds: float, signal_number: int) -> tuple[float, int]:
    """What decides when to stop, the same in every process: the mean of the times, and the largest signal number (0: none)."""
    if accelerator.num_processes == 1:
        return elapsed_seconds, signal_number
    gathered = accelerator.gather(torch.tensor([[elapsed_seconds, signal_number]], device=accelerator.device))  # [processes, 2]
    return float(gathered[:, 0].mean()), int(gathered[:, 1].max())


def require_same_start(accelerator: Accelerator, *, step: int, inputs: Mapping[str, str], folder: Path) -> None:
    """Raises where processes would go on from different steps, or with different data or frozen networks.

    Raises:
        InputError: They would: machines have other files, or do not share the run's folder.
    """
    if accelerator.num_processes == 1:
        return
    digests = [int(sha256(digest.encode()).hexdigest()[:15], 16) for digest in inputs.values()]
    gathered = accelerator.gather(torch.tensor([[step, *digests]], device=accelerator.device))  # [processes, 1 + inputs]
    for name, values in zip(("state", *inputs), gathered.T.tolist(), strict=True):
        if len(set(values)) > 1:
            raise InputError(
                f"the processes do not have the same {name}",
                given=f"steps {', '.join(map(str, sorted(set(values))))}" if name == "state" else None,
                fix=f"give all machines the same files, and a folder that they share: {folder}",
            )


def all_finite(tensors: Iterable[Tensor]) -> bool:
    """Whether no tensor holds a NaN or an infinity."""
    return all(bool(torch.isfinite(tensor).all()) for tensor in tensors if tensor.is_floating_point())
