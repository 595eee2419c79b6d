"""D_I's part in training MoCoGAN-HD: what holds a clip's content together (Tian et al. 2021, Sec. 3.2, Eq. 5 and 6).

Two forms: pairs of frames, as released for in-domain videos; and single frames with a contrastive loss, the paper's form, and
the released one across domains.
"""

from functools import partial
from typing import Protocol

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from latentreel.augment.contrastive_views import DRAWS, contrastive_view
from latentreel.core.errors import InputError
from latentreel.losses.adversarial import hinge_discriminator, hinge_generator, relativistic_least_squares
from latentreel.losses.contrastive import MemoryBank, info_nce
from latentreel.mocogan_hd.image_discriminator import ContrastiveDiscriminator, PairDiscriminator, later_frame
from latentreel.mocogan_hd.objectives import feature_matching
from latentreel.mocogan_hd.video_discriminator import LARGEST_INPUT
from latentreel.training.averages import averaged_copy, move_average
from latentreel.training.distribution import everyone, judge_together
from latentreel.training.motion_config import MotionTrainingConfig
from latentreel.training.phase import Batch, Outcome


class ContentMatching(Protocol):
    """D_I, its say in the motion generator's loss, and its own objective."""

    @property
    def network(self) -> nn.Module:
        """D_I."""
        ...

    @property
    def input_size(self) -> int:
        """Height and width of the largest pictures that D_I looks at."""
        ...

    @property
    def modules(self) -> dict[str, nn.Module]:
        """All that a run's state must hold, by name."""
        ...

    def optimizer(self) -> torch.optim.Optimizer:
        """For D_I's parameters."""
        ...

    def start_from(self, network: nn.Module) -> None:
        """Takes the weights of a D_I of the same form."""
        ...

    def motion_losses(self, batch: Batch, clips: Tensor) -> dict[str, Tensor]:
        """What the motion generator is to lower, from generated clips [N, T, 3, H, W] with a graph."""
        ...

    def objective(self, batch: Batch, fakes: Tensor) -> Outcome:
        """What D_I is to lower, given generated clips without a graph."""
        ...

    def after_turn(self) -> None:
        """What follows a step of D_I's optimiser."""
        ...


class PairMatching:
    """As released in-domain: relativistic least squares on pairs of a first and a later frame, real against generated."""

    def __init__(self, config: MotionTrainingConfig, accelerator: Accelerator) -> None:
        self.config, self.accelerator = config, accelerator
        self.network = PairDiscriminator(base_width=config.image_discriminator_width).to(accelerator.device)

    @property
    def input_size(self) -> int:
        """App. A.2.1, as for D_V."""
        return LARGEST_INPUT

    @property
    def modules(self) -> dict[str, nn.Module]:
        """D_I alone."""
        return {"image_discriminator": self.network}

    def optimizer(self) -> torch.optim.Optimizer:
        """Adam as for the other networks (App. B)."""
        rate = self.config.discriminator_learning_rate
        return torch.optim.Adam(self.network.parameters(), lr=rate, betas=(0.5, 0.999), fused=True)

    def start_from(self, network: nn.Module) -> None:
        """Takes the weights of another."""
        self.network.load_state_dict(network.state_dict())

    def motion_losses(self, batch: Batch, clips: Tensor) -> dict[str, Tensor]:
        """Generated pairs are raised, real ones lowered."""
        fake, real = self._pairs(batch, clips, "fake"), self._pairs(batch, batch.real, "real")
        loss = relativistic_least_squares(*judge_together(self.accelerator, self.network, fake, real))
        return {"image": loss * self.config.image_discriminator_weight}

    def objective(self, batch: Batch, fakes: Tensor) -> Outcome:
        """Real pairs are raised, generated ones lowered."""
        real, fake = self._pairs(batch, batch.real, "real"), self._pairs(batch, fakes, "fake")
        loss = relativistic_least_squares(*judge_together(self.accelerator, self.network, real, fake))
        return Outcome(losses={"adversarial": loss})

    def after_turn(self) -> None:
        """Nothing follows."""

    def _pairs(self, batch: Batch, clips: Tensor, side: str) -> Tensor:
        return self.network.present(clips, batch.uniform(f"pairs/{side}"))


class ContrastiveMatching:
    """Eq. 5 and 6: a clip's first frame is real, a later one fake; views of one content attract each other, all others repel.

    Across domains the contents are those of the generated clips, and there are two contrastive losses, one over first and one
    over later frames, as released. In-domain, as in the paper, positives are two frames of one real clip.
    """

    def __init__(self, config: MotionTrainingConfig, accelerator: Accelerator, *, resolution: int) -> None:
        self.config, self.accelerator = config, accelerator
        network = ContrastiveDiscriminator(resolution=resolution, base_width=config.image_discriminator_width)
        self.network = network.to(accelerator.device)
        self.average = averaged_copy(self.network) if config.contrastive_weight else None
        sides = ("first", "later") if config.domain == "cross" else ("real",)
        bank = partial(MemoryBank, size=config.memory_bank_size, width=self.network.projection_dim)
        self.banks = nn.ModuleDict({side: bank() for side in sides if self.average is not None}).to(accelerator.device)
        self._seen: dict[str, Tensor] = {}

    @property
    def input_size(self) -> int:
        """That which the network is made for."""
        return self.network.resolution

    @property
    def modules(self) -> dict[str, nn.Module]:
        """D_I; with a contrastive loss also its momentum copy and the memory banks."""
        if self.average is None:
            return {"image_discriminator": self.network}
        return {"image_discriminator": self.network, "image_discriminator_average": self.average, "memory_banks": self.banks}

    def optimizer(self) -> torch.optim.Optimizer:
        """Adam with BigGAN's settings, as released."""
        rate = self.config.discriminator_learning_rate
        return torch.optim.Adam(self.network.parameters(), lr=rate, betas=(0.0, 0.999), eps=1e-6, fused=True)

    def start_from(self, network: nn.Module) -> None:
        """Takes the weights of another; the momentum copy begins as the same, the memory banks stay empty.

        Raises:
            InputError: It was made for pictures of another size.
        """
        assert isinstance(network, ContrastiveDiscriminator)
        resolution, projection_dim = network.resolution, network.projection_dim
        if (resolution, projection_dim) != (self.network.resolution, self.network.projection_dim):
            raise InputError(
                "the image discriminator to start from is for other pictures",
                given=f"{resolution} px, projections of width {projection_dim}",
                allowed=f"{self.network.resolution} px, projections of width {self.network.projection_dim}",
            )
        self.network.load_state_dict(network.state_dict())
        if self.average is not None:
            self.average.load_state_dict(network.state_dict())

    def motion_losses(self, batch: Batch, clips: Tensor) -> dict[str, Tensor]:
        """Hinge loss on a later frame, and feature matching between the first frame and that one."""
        frames = torch.cat([clips[:, 0].detach(), later_frame(clips, batch.uniform("later/G"))])
        verdict = self.network(self.network.present(frames))
        (_, logits), (first, later) = verdict.logits.chunk(2), verdict.projections.chunk(2)
        return {
            "image": hinge_generator(logits) * self.config.image_discriminator_weight,
            "feature_matching": -feature_matching(first.detach(), later) * self.config.feature_matching_weight,
        }

    def objective(self, batch: Batch, fakes: Tensor) -> Outcome:
        """Hinge loss on first and later frames, and the contrastive losses over pairs of views."""
        first = self.network.present(fakes[:, 0])
        later = self.network.present(later_frame(fakes, batch.uniform("later/D")))
        contents = self._contents(batch, first, later)
        views = [view for side, frames in contents.items() for view in _views(batch, side, *frames)]
        # In one pass: to normalise and convert the weights costs as much as to judge the pictures.
        verdict = self.network(torch.cat([first, later, *views]))
        real, fake, *_ = verdict.logits.split(len(fakes))
        losses = {"adversarial": hinge_discriminator(real, fake)}
        if contents:
            projections = [everyone(self.accelerator, some) for some in verdict.projections.split(len(fakes))[2:]]
            terms = [self._contrastive(side, *projections[2 * i : 2 * i + 2]) for i, side in enumerate(contents)]
            losses["contrastive"] = torch.stack(terms).sum() * self.config.contrastive_weight
        self._seen = {side: frames for side, (frames, _) in contents.items()}
        return Outcome(losses=losses)

    @torch.no_grad()
    def after_turn(self) -> None:
        """Moves the momentum copy, whose projections of the frames just seen become the newest negatives."""
        if not self._seen:
            return
        assert self.average is not None
        move_average(self.average, self.network, weight=1 - self.config.momentum)
        for side, frames in self._seen.items():
            bank = self.banks[side]
            assert isinstance(bank, MemoryBank)
            bank.push(everyone(self.accelerator, self.average(frames).projections))
        self._seen = {}

    def _contents(self, batch: Batch, first: Tensor, later: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
        """To each memory bank, the frames that its pairs of views are made of: twice the same, or two of one real clip."""
        if "real" in self.banks:
            one, other = (later_frame(batch.real, batch.uniform(f"real/{which}"), first=0) for which in (0, 1))
            return {"real": (self.network.present(one), self.network.present(other))}
        return {"first": (first, first), "later": (later, later)} if self.banks else {}

    def _contrastive(self, side: str, anchors: Tensor, positives: Tensor) -> Tensor:
        bank = self.banks[side]
        assert isinstance(bank, MemoryBank)
        return info_nce(anchors, positives, bank.entries, own_entry=self.config.own_entry)


def _views(batch: Batch, side: str, *frames: Tensor) -> list[Tensor]:
    """A random view of each picture, [N, 3, H, W] for each of the tensors."""
    return [contrastive_view(some, batch.uniform(f"view/{side}/{i}", DRAWS)) for i, some in enumerate(frames)]
