"""The number format is one choice for the process, and a wrong name is no choice."""

import pytest
import torch

from latentreel.core.errors import InputError
from latentreel.core.precision import compute_dtype, get_precision


def test_the_chosen_format_is_the_one_computed_in(set_precision):
    for name, dtype in {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}.items():
        set_precision(name)
        assert compute_dtype(torch.device("cpu")) == dtype
        assert get_precision() == name


@pytest.mark.parametrize("native", [True, False])
def test_auto_is_bf16_only_where_the_processor_has_it(set_precision, monkeypatch, native):
    set_precision("auto")
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: native, raising=False)
    assert compute_dtype(torch.device("cpu")) == (torch.bfloat16 if native else torch.float32)


def test_an_unknown_format_is_refused_and_changes_nothing(set_precision):
    set_precision("fp32")
    with pytest.raises(InputError, match="given: int8; allowed: auto, fp32, bf16, fp16"):
        set_precision("int8")
    assert get_precision() == "fp32"
