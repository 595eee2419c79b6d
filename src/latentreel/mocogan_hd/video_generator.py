"""`VideoGenerator`: a motion generator in front of a frozen image generator (Tian et al. 2021, Sec. 3).

A clip is the image generator applied to each latent of a trajectory.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from latentreel.core.image_generator import ImageGenerator, NoiseMode
from latentreel.core.shapes import check_shape
from latentreel.mocogan_hd.motion_generator import MotionGenerator, Trajectory


class VideoGenerator(nn.Module):
    """G: first latents and motion noise to clips. The image generator's weights take no gradients; its inputs do."""

    def __init__(self, image_generator: ImageGenerator, motion_generator: MotionGenerator) -> None:
        super().__init__()
        assert isinstance(image_generator, nn.Module)
        check_shape(motion_generator.directions, "K D", name="the basis", D=image_generator.w_dim)
        self.image_generator = image_generator.requires_grad_(False).eval()
        self.motion_generator = motion_generator

    def forward(
        self, w: Tensor, noise: Tensor, image_noise: NoiseMode = "none", labels: Tensor | None = None
    ) -> tuple[Tensor, Trajectory]:
        """First latents [N, D], motion noise [N, T - 1, D] and class numbers [N] to clips [N, T, 3, H, W] and trajectories."""
        trajectory = self.motion_generator(w, num_frames=noise.shape[1] + 1, noise=noise)
        return render(self.image_generator, trajectory.latents, image_noise, labels=labels), trajectory


def render(
    image_generator: ImageGenerator,
    latents: Tensor,
    noise: NoiseMode | Sequence[Tensor] = "none",
    *,
    labels: Tensor | None = None,
) -> Tensor:
    """Every latent of every trajectory as a picture.

    Args:
        image_generator: The frozen G_I.
        latents: [N, T, D].
        noise: "none", "fixed", or maps that broadcast over the frames, [1, 1, H_l, W_l]: never fresh per frame, which flickers.
        labels: Class numbers [N], the same for all frames of a clip; None if the image generator has no classes.

    Returns:
        Clips [N, T, 3, H, W] in about [-1, 1].
    """
    every = None if labels is None else labels.repeat_interleave(latents.shape[1])
    frames = image_generator.synthesize(latents.flatten(0, 1), labels=every, noise=noise)
    return torch.unflatten(frames, 0, latents.shape[:2])
