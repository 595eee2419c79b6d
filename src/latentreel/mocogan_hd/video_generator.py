"""`VideoGenerator`: a motion generator in front of a frozen image generator (Tian et al. 2021, Sec. 3).

A clip is the image generator applied to each latent of a trajectory.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from latentreel.core.image_generator import ImageGenerator, NoiseMode
from latentreel.core.shapes import check_shape
from latentreel.mocogan_hd.motion_generator import MotionGenerator, Trajectory
from latentreel.nn.patch_network import shrink_to


class VideoGenerator(nn.Module):
    """G: first latents and motion noise to clips. The image generator's weights take no gradients; its inputs do."""

    def __init__(self, image_generator: ImageGenerator, motion_generator: MotionGenerator) -> None:
        super().__init__()
        assert isinstance(image_generator, nn.Module)
        check_shape(motion_generator.directions, "K D", name="the basis", D=image_generator.w_dim)
        self.image_generator = image_generator.requires_grad_(False).eval()
        self.motion_generator = motion_generator

    def forward(
        self,
        w: Tensor,
        noise: Tensor,
        image_noise: NoiseMode = "none",
        labels: Tensor | None = None,
        *,
        frames_at_once: int = 0,
        largest: int | None = None,
    ) -> tuple[Tensor, Trajectory]:
        """First latents [N, D], motion noise [N, T - 1, D] and class numbers [N] to clips [N, T, 3, H, W] and trajectories.

        `frames_at_once` and `largest` are as in `render`.
        """
        trajectory = self.motion_generator(w, num_frames=noise.shape[1] + 1, noise=noise)
        clips = render(
            self.image_generator,
            trajectory.latents,
            image_noise,
            labels=labels,
            frames_at_once=frames_at_once,
            largest=largest,
        )
        return clips, trajectory


def render(
    image_generator: ImageGenerator,
    latents: Tensor,
    noise: NoiseMode | Sequence[Tensor] = "none",
    *,
    labels: Tensor | None = None,
    frames_at_once: int = 0,
    largest: int | None = None,
) -> Tensor:
    """Every latent of every trajectory as a picture.

    With `frames_at_once`, memory grows neither with T nor with N, but for the pictures themselves: frames are drawn a few at a
    time, and nothing is kept for backward, which draws each group again and pushes the gradient at its pixels through to its
    latents. Those are the plain gradients, to rounding, for one more forward pass.

    Args:
        image_generator: The frozen G_I.
        latents: [N, T, D].
        noise: "none", "fixed", or maps that broadcast over the frames, [1, 1, H_l, W_l]: never fresh per frame, which flickers.
        labels: Class numbers [N], the same for all frames of a clip; None if the image generator has no classes.
        frames_at_once: Frames in a group; 0 draws all together, with one graph.
        largest: Average-pool pictures larger than this as soon as they are drawn; None leaves them.

    Returns:
        Clips [N, T, 3, h, w] in about [-1, 1].
    """
    every = None if labels is None else labels.repeat_interleave(latents.shape[1])

    def draw(some: Tensor, some_labels: Tensor | None) -> Tensor:
        pictures = image_generator.synthesize(some, labels=some_labels, noise=noise)
        return pictures if largest is None else shrink_to(pictures, largest)

    flat = latents.flatten(0, 1)  # [N T, D]
    if not frames_at_once or frames_at_once >= len(flat):
        return torch.unflatten(draw(flat, every), 0, latents.shape[:2])
    groups = flat.split(frames_at_once)
    theirs = [None] * len(groups) if every is None else every.split(frames_at_once)
    frames = [
        checkpoint(draw, some, some_labels, use_reentrant=False) for some, some_labels in zip(groups, theirs, strict=True)
    ]
    return torch.unflatten(torch.cat(frames), 0, latents.shape[:2])


def graph_bytes(image_generator: ImageGenerator, noise: NoiseMode = "none") -> int:
    """Bytes that the graph of one frame keeps for backward: what one frame keeps less what none does."""
    assert isinstance(image_generator, nn.Module)
    device = next(image_generator.parameters()).device
    latents = torch.zeros(1, image_generator.w_dim, device=device, requires_grad=True)
    labels = torch.zeros(1, dtype=torch.long, device=device) if image_generator.num_classes else None
    nothing = None if labels is None else labels[:0]
    return _kept(image_generator, latents, noise, labels) - _kept(image_generator, latents[:0], noise, nothing)


def _kept(image_generator: ImageGenerator, latents: Tensor, noise: NoiseMode, labels: Tensor | None) -> int:
    """Bytes of the tensors that one drawing keeps for backward; each storage counts once."""
    sizes: dict[int, int] = {}
    kept: list[Tensor] = []  # alive, so that no storage is counted for another at its address

    def keep(tensor: Tensor) -> Tensor:
        kept.append(tensor)
        sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        pictures = image_generator.synthesize(latents, labels=labels, noise=noise)
    del pictures
    return sum(sizes.values())
