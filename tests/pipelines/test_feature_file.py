"""Features on disk: what was written in pieces is read in pieces, and by safetensors; damage is named."""

import numpy as np
import pytest
import safetensors.torch
import torch

from latentreel.core.errors import InputError
from latentreel.pipelines.feature_file import FEATURES, LOGITS, FeatureFile, Rows


def test_pieces_are_the_whole(tmp_path):
    features, logits = torch.randn(9, 5), torch.randn(9, 3)
    file = FeatureFile.empty(tmp_path, 9, width=5, classes=3)
    for first in (6, 0, 3):
        file.write(first, features[first : first + 3], logits[first : first + 3])
    assert not list(tmp_path.iterdir())  # it has no name until it is kept
    file.keep(tmp_path / "kept.safetensors")
    kept = safetensors.torch.load_file(tmp_path / "kept.safetensors")
    torch.testing.assert_close(kept, {FEATURES: features, LOGITS: logits}, rtol=0, atol=0)
    with (tmp_path / "kept.safetensors").open("rb") as opened:
        again = FeatureFile(opened, where="kept")
        numbers = np.array([8, 0, 1, 2, 2, 5])
        rows = Rows(again, FEATURES, numbers)
        assert (len(rows), rows.shape) == (6, (6, 5))
        np.testing.assert_array_equal(rows[1:5], features.numpy()[numbers[1:5]])
        np.testing.assert_array_equal(Rows(again, LOGITS, numbers)[:], logits.numpy()[numbers])


@pytest.mark.parametrize("change", [lambda c: b"", lambda c: b"nothing", lambda c: c[:-4], lambda c: b"\xff" * 8 + c[8:]])
def test_damage_is_named(change, tmp_path):
    file = FeatureFile.empty(tmp_path, 4, width=2, classes=None)
    file.keep(tmp_path / "kept")
    (tmp_path / "kept").write_bytes(change((tmp_path / "kept").read_bytes()))
    with (tmp_path / "kept").open("rb") as opened, pytest.raises(InputError, match="kept is damaged"):
        FeatureFile(opened, where="kept")
