"""The terms of MoCoGAN-HD's objective (Tian et al. 2021, Eq. 3-7), each a function of tensors alone.

In-domain, as released: relativistic losses for both discriminators, a gradient penalty for D_V, and the mutual information term.
The hinge, contrastive and feature-matching terms of the cross-domain side belong into this file.
"""

import torch.nn.functional as F
from torch import Tensor


def mutual_information(noise: Tensor, reconstructed_noise: Tensor) -> Tensor:
    """L_m of Eq. 3: the mean cosine similarity of motion noise and its reconstruction; to be maximised.

    Args:
        noise: eps [N, T - 1, D].
        reconstructed_noise: H(.) of the same shape.

    Returns:
        A scalar in [-1, 1].
    """
    return F.cosine_similarity(reconstructed_noise, noise, dim=-1).mean()
