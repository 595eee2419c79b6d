"""What parity means: 1e-4 in float32."""

from collections.abc import Callable

import pytest
from torch import Tensor

TOLERANCE = 1e-4


@pytest.fixture(scope="session")
def hold() -> Callable[[Tensor, Tensor, str], None]:
    """Prints the largest difference (`pytest -s` shows it) and holds it to the tolerance."""

    def compare(found: Tensor, expected: Tensor, name: str) -> None:
        assert found.shape == expected.shape
        difference = (found - expected).abs().max().item()
        print(f"parity {name}: {difference:.2e} of {expected.abs().max():.3g}")
        assert difference <= TOLERANCE

    return compare
