"""How the operators of this room are compared: by values, by gradients, and by gradients of gradients."""

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor

TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5}  # relative, of the norm


def relative_error(found: Tensor, expected: Tensor) -> float:
    return float((found.double() - expected.double()).norm() / expected.double().norm().clamp_min(1e-30))


def derivatives(function: Callable[..., Tensor], inputs: Sequence[Tensor], *, order: int) -> list[Tensor]:
    """The value, then the gradients of a random quadratic form of it, then the gradients of one of those, and so on."""
    draws = torch.Generator().manual_seed(0)
    inputs = [x.detach().requires_grad_() for x in inputs]
    found = latest = [function(*inputs)]
    for _ in range(order):
        form = sum((torch.randn(y.shape, generator=draws, dtype=y.dtype) * y.square()).sum() for y in latest)
        latest = list(torch.autograd.grad(form, inputs, create_graph=True))
        found = found + latest
    return [y.detach() for y in found]


@pytest.fixture(scope="session")
def assert_same_derivatives() -> Callable[..., None]:
    """Holds a fast operator to its reference, up to the second order, which R1 and path length regularisation need."""

    def check(fast: Callable[..., Tensor], reference: Callable[..., Tensor], *inputs: Tensor, order: int = 2) -> None:
        pairs = zip(derivatives(fast, inputs, order=order), derivatives(reference, inputs, order=order), strict=True)
        errors = [relative_error(found, expected) for found, expected in pairs]
        assert max(errors) < TOLERANCE[inputs[0].dtype], errors

    return check
