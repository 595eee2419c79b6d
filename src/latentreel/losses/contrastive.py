"""The contrastive loss: views of one picture attract each other, views of others repel (MoCoGAN-HD, Sec. 3.2, Eq. 6)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from latentreel.core.shapes import check_shape

TEMPERATURE = 0.07  # Sec. 3.2


def info_nce(
    anchors: Tensor, positives: Tensor, bank: Tensor, *, temperature: float = TEMPERATURE, own_entry: bool = True
) -> Tensor:
    """InfoNCE over both views of each picture, with a memory bank of further negatives.

    -log( exp(s+ / tau) / (exp(s+ / tau) + sum over negatives of exp(s- / tau) [+ exp(0)]) ), s the cosine similarity

    Args:
        anchors: Projections of the first views [N, P].
        positives: Projections of the second views [N, P], row by row of the same pictures.
        bank: Projections of other pictures [M, P]; M may be 0.
        temperature: tau.
        own_entry: Keep the anchor's own entry in the denominator as exp(0) = 1, as the released program does; Eq. 6 leaves it out.

    Returns:
        A scalar, the mean over all 2N views.

    Raises:
        InputError: The shapes do not fit each other.
    """
    check_shape(anchors, "N P", name="anchors")
    n, p = anchors.shape
    check_shape(positives, "N P", name="positives", N=n, P=p)
    check_shape(bank, "M P", name="bank", P=p)
    views = F.normalize(torch.cat([anchors, positives]), dim=1)
    similarity = views @ views.T / temperature  # [2N, 2N]
    own = torch.eye(2 * n, dtype=torch.bool, device=views.device)
    similarity = similarity.masked_fill(own, 0.0 if own_entry else -torch.inf)
    logits = torch.cat([similarity, views @ F.normalize(bank, dim=1).T / temperature], dim=1)
    other_view = torch.arange(2 * n, device=views.device).roll(n)
    return F.cross_entropy(logits, other_view)


class MemoryBank(nn.Module):
    """A ring of the newest projections: further negatives for the contrastive loss (He et al. 2020, MoCo, Sec. 3.1)."""

    ring: Tensor
    pushed: Tensor

    def __init__(self, *, size: int, width: int) -> None:
        """An empty ring.

        Args:
            size: How many projections it holds, M; the oldest go first.
            width: P.
        """
        super().__init__()
        self.register_buffer("ring", torch.zeros(size, width))
        self.register_buffer("pushed", torch.zeros([], dtype=torch.int64))

    @property
    def entries(self) -> Tensor:
        """What it holds, [up to M, P]."""
        return self.ring[: int(self.pushed)]

    @torch.no_grad()
    def push(self, projections: Tensor) -> None:
        """Takes projections [N, P] in, the first as the oldest of them; of more than it holds, the newest."""
        self.pushed += max(len(projections) - len(self.ring), 0)
        projections = projections[-len(self.ring) :]
        places = (self.pushed + torch.arange(len(projections), device=self.ring.device)) % len(self.ring)
        self.ring[places] = projections.to(self.ring.dtype)
        self.pushed += len(projections)
