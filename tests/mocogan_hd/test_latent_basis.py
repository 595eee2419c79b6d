"""The basis is the principal component analysis of the generator's latents."""

import numpy as np
import pytest
import torch

from latentreel.core.errors import InputError
from latentreel.mocogan_hd.latent_basis import LatentBasis

D, Z = 6, 9


class LinearGenerator:
    """Latents z A + offset; keeps what it gave."""

    resolution, z_dim, w_dim, num_classes = 8, Z, D, 0

    def __init__(self, rank=D, offset=0.0):
        draws = torch.Generator().manual_seed(3)
        self.matrix = torch.randn(Z, rank, generator=draws) @ torch.randn(rank, D, generator=draws)
        self.offset = offset
        self.given = []

    def map(self, z, labels=None, truncation=1.0):
        self.given.append(z @ self.matrix + self.offset)
        return self.given[-1].clone()


def plain_pca(latents):
    """Variances and directions by a singular value decomposition in float64."""
    latents = latents.double().numpy()
    _, singular, directions = np.linalg.svd(latents - latents.mean(axis=0), full_matrices=False)
    largest = np.take_along_axis(directions, np.abs(directions).argmax(axis=1)[:, None], axis=1)
    return singular**2 / (len(latents) - 1), directions * np.sign(largest), latents.mean(axis=0)


@pytest.mark.parametrize("offset", [0.0, 1e7], ids=["centred", "far from zero"])
@pytest.mark.parametrize("num_samples", [50, 12_345], ids=["one chunk", "two chunks"])
def test_it_is_the_pca_of_the_samples(num_samples, offset):
    generator = LinearGenerator(offset=offset)
    basis = LatentBasis.fit(generator, num_samples=num_samples, num_components=4)
    latents = torch.cat(generator.given)
    assert len(latents) == num_samples
    variance, directions, mean = plain_pca(latents)
    assert np.allclose(basis.components, directions[:4], atol=1e-5)
    assert np.allclose(basis.stdev, np.sqrt(variance[:4]), rtol=1e-5)
    assert np.allclose(basis.mean, mean, rtol=1e-6, atol=1e-5)
    assert np.allclose(basis.explained_variance_ratio, (variance / variance.sum())[:4], rtol=1e-5)
    assert np.allclose(basis.directions, directions[:4] * np.sqrt(variance[:4])[:, None], atol=1e-4)


def test_directions_without_variance_do_no_harm():
    basis = LatentBasis.fit(LinearGenerator(rank=2), num_samples=100, num_components=D)
    assert torch.allclose(basis.components @ basis.components.T, torch.eye(D), atol=1e-5)
    assert basis.stdev[2:].max() < 1e-3 * basis.stdev[0]
    assert basis.explained_variance_ratio.sum().item() == pytest.approx(1)


def test_the_same_seed_gives_the_same_basis():
    first, again, other = (
        LatentBasis.fit(LinearGenerator(), num_samples=500, num_components=D, seed=seed) for seed in (1, 1, 2)
    )
    for name, tensor in first.tensors().items():
        assert torch.equal(tensor, again.tensors()[name])
        assert not torch.equal(tensor, other.tensors()[name])


def test_progress_is_told():
    told = []
    LatentBasis.fit(
        LinearGenerator(), num_samples=25_000, num_components=1, progress=lambda done, total: told.append((done, total))
    )
    assert told == [(10_000, 25_000), (20_000, 25_000), (25_000, 25_000)]


@pytest.mark.parametrize(
    ("sizes", "problem"),
    [
        ({"num_components": D + 1}, "num_components.*given: 7; allowed: 1 to 6"),
        ({"num_components": 0}, "allowed: 1 to 6"),
        ({"num_components": 1, "num_samples": D}, "too few samples.*more than 6"),
    ],
)
def test_a_basis_that_cannot_be_is_refused(sizes, problem):
    with pytest.raises(InputError, match=problem):
        LatentBasis.fit(LinearGenerator(), **sizes)


def test_parts_survive_a_file_and_wrong_parts_are_refused():
    basis = LatentBasis.fit(LinearGenerator(), num_samples=100, num_components=4)
    parts = basis.tensors()
    again = LatentBasis.from_tensors(parts, where="basis.safetensors")
    assert all(torch.equal(tensor, again.tensors()[name]) for name, tensor in parts.items())
    assert torch.equal(basis.truncated(2).directions, basis.directions[:2])
    with pytest.raises(InputError, match=r"basis.safetensors is no latent basis; given: components, explained"):
        LatentBasis.from_tensors({name: parts[name] for name in parts if name != "mean"}, where="basis.safetensors")
    for name, wrong in {"components": torch.zeros(4), "stdev": torch.zeros(5), "mean": torch.zeros(4)}.items():
        with pytest.raises(InputError, match=f"{name} has the wrong shape"):
            LatentBasis.from_tensors(parts | {name: wrong}, where="basis.safetensors")
