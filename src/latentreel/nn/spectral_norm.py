"""Linear and convolution layers whose weights are divided by their largest singular value.

Miyato et al. 2018, "Spectral Normalization for GANs", Sec. 2, in two variants. BigGAN's, for inference: a stored vector u0 is
refined by one power iteration in every forward pass, and nothing stored changes. PyTorch's, for training (`Normed...`): both
vectors are stored, refined in training mode only, and used as they are in evaluation.
"""

import math
import weakref
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPSILON = 1e-12  # keeps the direction of a zero vector, and a zero weight, finite


def largest_singular_value(weight: Tensor, u0: Tensor) -> Tensor:
    """The estimate sigma after one power iteration: v = unit(u0 W), u = unit(v W^T), sigma = v W^T u^T, in float32.

    Args:
        weight: [O, ...]; W is its matrix [O, rest].
        u0: The starting vector [1, O].

    Returns:
        A number [], differentiable with respect to the weight, u and v being held (Miyato et al., Eq. 11).
    """
    matrix = weight.flatten(1).float()
    with torch.no_grad():
        v = F.normalize(u0.float() @ matrix, eps=EPSILON)
        u = F.normalize(v @ matrix.T, eps=EPSILON)
    return (v @ matrix.T @ u.T).reshape([]).clamp_min(EPSILON)


class SpectralLayer(nn.Module):
    """A weight, its bias, and the vector that its norm is estimated from; without spectral norm, the weight as it is."""

    u0: Tensor | None
    sv0: Tensor | None

    def __init__(self, shape: tuple[int, ...], *, bias: bool, spectral: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(shape) / math.sqrt(math.prod(shape[1:])))
        self.bias = nn.Parameter(torch.zeros(shape[0])) if bias else None
        u0 = torch.randn(1, shape[0])
        self.register_buffer("u0", u0 / (u0 @ u0.T).sqrt() if spectral else None)
        # What the training program saw sigma to be last: kept for its files, never read.
        self.register_buffer("sv0", torch.ones(1) if spectral else None)
        self._seen: tuple[weakref.ref[Tensor], weakref.ref[Tensor], tuple[int, int], Tensor] | None = None

    def normalized_weight(self, dtype: torch.dtype) -> Tensor:
        """weight / sigma in the precision of the activations."""
        return (self.weight if self.u0 is None else self.weight / self._sigma(self.u0)).to(dtype)

    def _sigma(self, u0: Tensor) -> Tensor:
        """Sigma, computed once for as long as weight and u0 are the same tensors, not written to since."""
        wants_gradient = self.weight.requires_grad and torch.is_grad_enabled()
        if torch.compiler.is_compiling() or wants_gradient or self.weight.is_inference() or u0.is_inference():
            return largest_singular_value(self.weight, u0)
        state = (self.weight._version, u0._version)
        if self._seen is not None:
            weight_seen, u0_seen, state_seen, sigma = self._seen
            if weight_seen() is self.weight and u0_seen() is u0 and state_seen == state:
                return sigma
        with torch.inference_mode(False), torch.no_grad():  # a tensor of inference mode could not serve a later backward pass
            sigma = largest_singular_value(self.weight, u0)
        self._seen = (weakref.ref(self.weight), weakref.ref(u0), state, sigma)
        return sigma

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_seen": None}  # copies and pickles find it anew


class SpectralLinear(SpectralLayer):
    """y = x (W / sigma)^T + b."""

    def __init__(self, in_features: int, out_features: int, *, bias: bool = True, spectral: bool = True) -> None:
        super().__init__((out_features, in_features), bias=bias, spectral=spectral)

    def forward(self, x: Tensor) -> Tensor:
        """[N, in] to [N, out], in the precision of x."""
        return F.linear(x, self.normalized_weight(x.dtype), None if self.bias is None else self.bias.to(x.dtype))


class SpectralConv2d(SpectralLayer):
    """A square convolution with W / sigma that keeps the size."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, *, bias: bool = True, spectral: bool = True) -> None:
        super().__init__((out_channels, in_channels, kernel, kernel), bias=bias, spectral=spectral)
        self.padding = kernel // 2

    def forward(self, x: Tensor) -> Tensor:
        """[N, in, H, W] to [N, out, H, W], in the precision of x."""
        bias = None if self.bias is None else self.bias.to(x.dtype)
        return F.conv2d(x, self.normalized_weight(x.dtype), bias, padding=self.padding)


class NormedLayer(nn.Module):
    """A weight and a bias, and estimates of the weight's first singular vectors, u [O] and v [rest].

    Activations are divided by sigma instead of the weight: for large weights and few pictures that is far cheaper.
    """

    u: Tensor
    v: Tensor

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        # Orthogonal as BigGAN's: from PyTorch's own start signals shrink so much, layer by layer, that little is learned.
        self.weight = nn.Parameter(nn.init.orthogonal_(torch.empty(shape)))
        self.bias = nn.Parameter(torch.zeros(shape[0]))
        self.register_buffer("u", F.normalize(torch.randn(shape[0]), dim=0, eps=EPSILON))
        self.register_buffer("v", F.normalize(torch.randn(math.prod(shape[1:])), dim=0, eps=EPSILON))
        if not self.weight.is_meta:
            self._refine()  # exact, as all singular values are 1

    def inverse_sigma(self, dtype: torch.dtype) -> Tensor:
        """1 / sigma, differentiable with respect to the weight, u and v being held; in training mode they are refined first."""
        if self.training:
            self._refine()
        u, v = self.u.clone(), self.v.clone()  # a later pass may refine them before this one's backward
        return (1 / torch.dot(u, self.weight.flatten(1) @ v)).to(dtype)

    @torch.no_grad()
    def _refine(self) -> None:
        matrix = self.weight.flatten(1)
        self.u.copy_(F.normalize(matrix @ self.v, dim=0, eps=EPSILON))
        self.v.copy_(F.normalize(matrix.T @ self.u, dim=0, eps=EPSILON))


class NormedLinear(NormedLayer):
    """y = x (W / sigma)^T + b."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__((out_features, in_features))

    def forward(self, x: Tensor) -> Tensor:
        """[N, in] to [N, out], in the precision of x."""
        return F.linear(x, self.weight.to(x.dtype)) * self.inverse_sigma(x.dtype) + self.bias.to(x.dtype)


class NormedConv2d(NormedLayer):
    """A square convolution with W / sigma that keeps the size."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int) -> None:
        super().__init__((out_channels, in_channels, kernel, kernel))
        self.padding = kernel // 2

    def forward(self, x: Tensor) -> Tensor:
        """[N, in, H, W] to [N, out, H, W], in the precision of x."""
        y = F.conv2d(x, self.weight.to(x.dtype), padding=self.padding)
        return torch.addcmul(self.bias.to(x.dtype)[:, None, None], y, self.inverse_sigma(x.dtype))
