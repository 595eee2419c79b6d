"""`MotionGenerator`: from a first latent to a trajectory of latents, by recurrent steps along the latent basis.

MoCoGAN-HD (Tian et al. 2021), Sec. 3.1, Eq. 1-3, in the form of the released program unless told otherwise.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple, Self

import torch
from torch import Tensor, nn

from latentreel.core.errors import InputError
from latentreel.core.image_generator import UNSTATED
from latentreel.core.shapes import check_shape
from latentreel.mocogan_hd.latent_basis import LatentBasis

WEIGHT_DEVIATION = 0.02  # of A, as released

Residual = Literal["released", "paper", "none"]
"""How the recurrent state becomes the next latent (Eq. 2); V are the basis's directions, sigma their deviations.

released: w_t = w_{t-1} + lambda tanh(h_t A + b) (sigma V).
paper: w_t = w_{t-1} + lambda h_t V, which needs as many components as the state is wide.
none: w_t = mean + (h_t A + b) (sigma V), each latent anew (the ablation "w/o Eq. 2", Tab. 5).
"""

Memory = Literal["state_and_cell", "state"]
"""What the motion noise is reconstructed from (Eq. 3): released, [h_t, c_t]; paper, h_t."""


@dataclass(frozen=True, kw_only=True)
class MotionGeneratorConfig:
    """The sizes of a motion generator."""

    latent_dim: int = 512
    """D, the width of latents and of motion noise."""

    hidden_dim: int = 384
    """Width of the recurrent state h."""

    num_components: int = 384
    """K, how many directions of the basis motion uses."""

    step_size: float = 0.2
    """lambda of Eq. 2: the largest step along a direction, in its standard deviations."""

    residual: Residual = "released"
    """How the state becomes the next latent."""

    noise_from: Memory = "state_and_cell"
    """What the motion noise is reconstructed from."""

    def __post_init__(self) -> None:
        if self.residual == "paper" and self.hidden_dim != self.num_components:
            raise InputError(
                "Eq. 2 as in the paper needs a state as wide as the basis has components",
                given=f"hidden_dim {self.hidden_dim}, num_components {self.num_components}",
                allowed="equal numbers",
            )
        if min(self.latent_dim, self.hidden_dim, self.num_components) < 1 or self.step_size <= 0:
            raise InputError("a size of the motion generator is out of range", given=self, allowed="positive numbers")


def directions_of(basis: LatentBasis, residual: Residual) -> Tensor:
    """What a motion generator walks along, [K, D]: V in the paper's form, sigma V otherwise."""
    return basis.components if residual == "paper" else basis.directions


class Trajectory(NamedTuple):
    """What a motion generator gives. N clips, T frames."""

    latents: Tensor
    """w_1 ... w_T, [N, T, D]; the first is the one given."""

    noise: Tensor
    """eps_2 ... eps_T, [N, T - 1, D]."""

    reconstructed_noise: Tensor
    """H(.), the guess of each eps_t from the recurrent state (Eq. 3), [N, T - 1, D]."""


class MotionState(NamedTuple):
    """Where a trajectory stands: all that its next step depends on."""

    latent: Tensor
    """w_t, [N, D]."""

    hidden: Tensor
    """h_t, [N, hidden]."""

    cell: Tensor
    """c_t, [N, hidden]."""


class MotionGenerator(nn.Module):
    """G_M: an LSTM encoder of the first latent, an LSTM decoder fed with noise, steps along the basis.

    h_1, c_1 = LSTM_enc(w_1); h_t, c_t = LSTM_dec(eps_t, (h_{t-1}, c_{t-1}))     (Eq. 1)
    w_t = w_{t-1} + lambda tanh(h_t A + b) (sigma V)                             (Eq. 2, released; others: `Residual`)
    """

    directions: Tensor
    mean: Tensor

    def __init__(
        self,
        *,
        basis: LatentBasis,
        latent_dim: int = 512,
        hidden_dim: int = 384,
        step_size: float = 0.2,
        residual: Residual = "released",
        noise_from: Memory = "state_and_cell",
    ) -> None:
        super().__init__()
        check_shape(basis.components, "K D", name="the basis's components", D=latent_dim)
        k = len(basis.components)
        self.config = MotionGeneratorConfig(
            latent_dim=latent_dim,
            hidden_dim=hidden_dim,
            num_components=k,
            step_size=step_size,
            residual=residual,
            noise_from=noise_from,
        )
        self.encoder = nn.LSTMCell(latent_dim, hidden_dim)
        self.decoder = nn.LSTMCell(latent_dim, hidden_dim)
        self.to_components = nn.Linear(hidden_dim, k) if residual != "paper" else None
        memory = 2 * hidden_dim if noise_from == "state_and_cell" else hidden_dim
        self.reconstruction = nn.Sequential(nn.Linear(memory, latent_dim), nn.ReLU(), nn.Linear(latent_dim, latent_dim))
        self.register_buffer("directions", directions_of(basis, residual), persistent=False)
        self.register_buffer("mean", basis.mean, persistent=False)
        self.provenance = {"origin": "random weights", "licence": UNSTATED}
        """Where the weights come from and under which terms they stand; goes with them into what is trained from them."""
        self._initialize()

    @classmethod
    def from_config(cls, config: MotionGeneratorConfig, *, basis: LatentBasis) -> Self:
        """A motion generator of the given sizes on the first components of a basis."""
        if len(basis.components) < config.num_components:
            raise InputError(
                "the basis is too small", given=f"{len(basis.components)} components", allowed=config.num_components
            )
        sizes = {name: value for name, value in vars(config).items() if name != "num_components"}
        return cls(basis=basis.truncated(config.num_components), **sizes)

    def forward(self, w: Tensor, num_frames: int = 16, noise: Tensor | None = None) -> Trajectory:
        """Walks from w.

        Args:
            w: First latents [N, D].
            num_frames: T, at least 1.
            noise: eps [N, T - 1, D]; drawn from the global generator if absent.

        Raises:
            InputError: A shape does not fit.
        """
        d = self.config.latent_dim
        check_shape(w, "N D", name="w", D=d)
        if num_frames < 1:
            raise InputError("a trajectory needs a frame", given=num_frames, allowed="num_frames of at least 1")
        if noise is None:
            noise = torch.randn(len(w), num_frames - 1, d, device=w.device)
        check_shape(noise, "N T D", name="motion noise", N=len(w), T=num_frames - 1, D=d)
        states = [self.begin(w)]
        for eps in noise.unbind(dim=1):
            states.append(self.advance(states[-1], eps))
        latents = torch.stack([state.latent for state in states], dim=1)
        if num_frames == 1:
            return Trajectory(latents, noise, noise)
        memory = torch.stack([self._memory(state) for state in states[1:]], dim=1)
        return Trajectory(latents, noise, self.reconstruction(memory))

    def begin(self, w: Tensor) -> MotionState:
        """The state at the first frame, from its latent [N, D] (Eq. 1, left)."""
        return MotionState(w, *self.encoder(w))

    def advance(self, state: MotionState, noise: Tensor) -> MotionState:
        """The state one frame later, given eps_t [N, D] (Eq. 1, right, and Eq. 2)."""
        hidden, cell = self.decoder(noise, (state.hidden, state.cell))
        if self.to_components is None:
            return MotionState(state.latent + self.config.step_size * hidden @ self.directions, hidden, cell)
        coefficients = self.to_components(hidden)  # [N, K]
        if self.config.residual == "none":
            return MotionState(self.mean + coefficients @ self.directions, hidden, cell)
        return MotionState(state.latent + self.config.step_size * torch.tanh(coefficients) @ self.directions, hidden, cell)

    def _memory(self, state: MotionState) -> Tensor:
        if self.config.noise_from == "state":
            return state.hidden
        return torch.cat([state.hidden, state.cell], dim=1)

    def _initialize(self) -> None:
        for cell in (self.encoder, self.decoder):
            for matrix in (cell.weight_ih, cell.weight_hh):
                for gate in matrix.detach().chunk(4):
                    nn.init.orthogonal_(gate)
            nn.init.zeros_(cell.bias_ih)
            nn.init.zeros_(cell.bias_hh)
        if self.to_components is not None:
            nn.init.normal_(self.to_components.weight, std=WEIGHT_DEVIATION)
            nn.init.zeros_(self.to_components.bias)
        for layer in self.reconstruction:
            if isinstance(layer, nn.Linear):
                nn.init.orthogonal_(layer.weight)
                nn.init.zeros_(layer.bias)
