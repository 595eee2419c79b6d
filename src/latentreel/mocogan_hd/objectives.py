"""The terms of MoCoGAN-HD's objective that belong to it alone (Tian et al. 2021, Eq. 3 and 7), each a function of tensors.

Its adversarial terms (Eq. 4 and 5) are in `losses.adversarial`, its contrastive term (Eq. 6) in `losses.contrastive`.
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


def feature_matching(first: Tensor, later: Tensor) -> Tensor:
    """L_f of Eq. 7: the mean cosine similarity of D_I's projections of a clip's first and of a later frame; to be maximised.

    Args:
        first: [N, P].
        later: The same shape.

    Returns:
        A scalar in [-1, 1].
    """
    return F.cosine_similarity(later, first, dim=-1).mean()
