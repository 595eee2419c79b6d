"""The contrastive loss against its formula in double precision, and the ring of negatives."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from latentreel.core.errors import InputError
from latentreel.losses.contrastive import MemoryBank, info_nce

TAU = 0.07


def plain(anchors, positives, bank, own_entry):
    """Eq. 6 as it is written: view by view, sum by sum."""
    views, n = [*anchors, *positives], len(anchors)

    def cosine(a, b):
        return (a @ b) / (a.norm() * b.norm())

    terms = []
    for i, view in enumerate(views):
        other = views[(i + n) % (2 * n)]
        attraction = torch.exp(cosine(view, other) / TAU)
        repulsion = sum(torch.exp(cosine(view, v) / TAU) for j, v in enumerate(views) if j not in (i, (i + n) % (2 * n)))
        repulsion = repulsion + sum(torch.exp(cosine(view, entry) / TAU) for entry in bank) + (1 if own_entry else 0)
        terms.append(-torch.log(attraction / (attraction + repulsion)))
    return torch.stack(terms).mean()


@pytest.mark.parametrize("own_entry", [True, False])
@pytest.mark.parametrize("bank_size", [0, 12])
def test_value_and_gradient_are_those_of_the_formula_in_double_precision(own_entry, bank_size):
    tensors = [torch.randn(5, 9), torch.randn(5, 9), torch.randn(bank_size, 9)]
    found, given = ([t.clone().to(kind).requires_grad_() for t in tensors] for kind in (torch.float32, torch.float64))
    loss, expected = info_nce(*found, own_entry=own_entry), plain(*given, own_entry)
    loss.backward()
    expected.backward()
    largest = max((f.grad - g.grad).abs().max().item() for f, g in zip(found, given, strict=True) if f.numel())
    print(f"\ncontrastive loss: {abs(loss.item() - expected.item()):.1e}, largest error of a gradient {largest:.1e}")
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    assert largest < 1e-5


def test_it_is_low_where_views_agree_and_high_where_contents_do():
    apart, together = torch.eye(6), torch.ones(6, 6) + 0.01 * torch.randn(6, 6)
    assert info_nce(apart, apart, torch.zeros(0, 6)) < 0.01
    assert info_nce(together, together, torch.zeros(0, 6)).item() == pytest.approx(math.log(11), rel=0.05)
    assert info_nce(apart, apart, apart) > info_nce(apart, apart, -apart)
    with pytest.raises(InputError, match="bank has the wrong shape"):
        info_nce(apart, apart, torch.zeros(3, 5))


@given(sizes=st.lists(st.integers(1, 12), max_size=6))
def test_the_bank_holds_the_newest(sizes):
    bank, pushed = MemoryBank(size=7, width=2), []
    for size in sizes:
        numbers = torch.arange(len(pushed), len(pushed) + size)
        bank.push(torch.stack([numbers, -numbers], dim=1).float())
        pushed += numbers.tolist()
        assert sorted(bank.entries[:, 0].tolist()) == pushed[-7:]
        assert torch.equal(bank.entries[:, 1], -bank.entries[:, 0])
