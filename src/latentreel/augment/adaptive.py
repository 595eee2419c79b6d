"""Adaptive discriminator augmentation (Karras et al. 2020b, "Training GANs with Limited Data", Sec. 2-3, App. B).

The discriminator sees every image, real or fake, through random transformations, each applied with probability p. p rises while
the discriminator is too sure of the real images and falls otherwise, so that a small data set lasts.

Simpler than the paper in two ways: images are warped bilinearly, without the low-pass filter around the warp, and shifts along
x and y are chosen apart.
"""

import math

import torch
from kornia.geometry.transform import warp_affine
from torch import Tensor, nn


class AdaptiveAugment(nn.Module):
    """Pixel blitting, geometry and colour ("bgc"), each with probability `strength`."""

    strength: Tensor
    sign_sum: Tensor
    images_seen: Tensor

    def __init__(self, *, target: float, kimg: float = 500.0, interval: int = 512) -> None:
        """Sets up the controller.

        Args:
            target: Mean sign of D(real) to hold; 0 switches the augmentation off.
            kimg: Thousands of images (or clips) in which the strength can go from 0 to 1.
            interval: Images (or clips) between two adjustments.
        """
        super().__init__()
        self.target, self.kimg, self.interval = target, kimg, interval
        self.register_buffer("strength", torch.zeros([]))
        self.register_buffer("sign_sum", torch.zeros([]))
        self.register_buffer("images_seen", torch.zeros([]))

    def observe(self, sign: Tensor, *, num_images: int) -> None:
        """Takes note of the mean sign of D(real) on a batch; adjusts the strength every `interval` images (Sec. 3, r_t)."""
        if self.target <= 0:
            return
        self.sign_sum += sign * num_images
        self.images_seen += num_images
        if self.images_seen >= self.interval:
            direction = torch.sign(self.sign_sum / self.images_seen - self.target)
            self.strength.add_(direction * self.images_seen / (self.kimg * 1000)).clamp_(0, 1)
            self.sign_sum.zero_()
            self.images_seen.zero_()

    def forward(self, images: Tensor, generator: torch.Generator, *, rank: int = 0, num_processes: int = 1) -> Tensor:
        """Transforms each image in its own way, or each clip, all of whose frames are transformed alike; differentiable.

        Args:
            images: [N, 3, H, W] in [-1, 1], or clips [N, T, 3, H, W].
            generator: Source of the random choices, on the CPU; the same in every process.
            rank: Number of this process.
            num_processes: How many share the batch: choices are made for all, and each takes its share.

        Returns:
            The same shape; the images themselves while the strength is 0.
        """
        if self.target <= 0 or self.strength == 0:
            return images
        draws = _Draws(len(images) * num_processes, float(self.strength), generator)
        share = slice(rank * len(images), (rank + 1) * len(images))
        height, width = images.shape[-2:]
        frames = images.shape[1] if images.ndim == 5 else 1
        geometry = _geometry(draws, height, width)[share].to(images).repeat_interleave(frames, dim=0)
        flat = images.flatten(0, -4)  # [N T, 3, H, W]
        flat = warp_affine(flat, geometry[:, :2], (height, width), padding_mode="reflection", align_corners=True)
        colour = _colour(draws)[share].to(images).repeat_interleave(frames, dim=0)
        flat = torch.einsum("nij,njhw->nihw", colour[:, :3, :3], flat) + colour[:, :3, 3, None, None]
        return flat.view_as(images)


class _Draws:
    """Random choices for N images; each transformation keeps its neutral value with probability 1 - p."""

    def __init__(self, count: int, probability: float, generator: torch.Generator) -> None:
        self.count, self.probability, self.generator = count, probability, generator

    def uniform(self, low: float, high: float, *, neutral: float = 0.0, once_in: int = 1) -> Tensor:
        """`once_in` equal choices together happen with probability p: each with 1 - (1 - p)^(1 / once_in)."""
        probability = 1 - (1 - self.probability) ** (1 / once_in)
        return self._sometimes(low + (high - low) * torch.rand(self.count, generator=self.generator), neutral, probability)

    def normal(self, deviation: float, *, neutral: float = 0.0) -> Tensor:
        return self._sometimes(deviation * torch.randn(self.count, generator=self.generator), neutral)

    def integer(self, count: int) -> Tensor:
        return self._sometimes(torch.randint(count, (self.count,), generator=self.generator).float(), 0.0)

    def _sometimes(self, values: Tensor, neutral: float, probability: float | None = None) -> Tensor:
        threshold = self.probability if probability is None else probability
        chosen = torch.rand(self.count, generator=self.generator) < threshold
        return torch.where(chosen, values, torch.full_like(values, neutral))


def _geometry(draws: _Draws, height: int, width: int) -> Tensor:
    """Affine maps of pixel coordinates [N, 3, 3], about the image's centre; the ranges are those of App. B."""
    identity = torch.eye(3).expand(draws.count, 3, 3)
    total = _scaled(identity, 1 - 2 * draws.integer(2), torch.ones(draws.count))  # flip
    total = _rotated(total, draws.integer(4) * (math.pi / 2))
    total = _shifted(total, (draws.uniform(-0.125, 0.125) * width).round(), (draws.uniform(-0.125, 0.125) * height).round())
    size = torch.exp2(draws.normal(0.2))
    total = _scaled(total, size, size)
    total = _rotated(total, draws.uniform(-math.pi, math.pi, once_in=2))
    stretch = torch.exp2(draws.normal(0.2))
    total = _scaled(total, stretch, 1 / stretch)
    total = _rotated(total, draws.uniform(-math.pi, math.pi, once_in=2))
    total = _shifted(total, draws.normal(0.125) * width, draws.normal(0.125) * height)
    to_centre = identity.clone()
    to_centre[:, 0, 2], to_centre[:, 1, 2] = (1 - width) / 2, (1 - height) / 2
    centred: Tensor = torch.linalg.inv(to_centre) @ total @ to_centre
    return centred


def _colour(draws: _Draws) -> Tensor:
    """Affine maps of RGB [N, 4, 4]: brightness, contrast, luma flip, hue, saturation."""
    identity = torch.eye(4).expand(draws.count, 4, 4)
    luma = torch.tensor([1.0, 1.0, 1.0, 0.0]) / math.sqrt(3)
    along_luma = torch.outer(luma, luma)  # projects onto the grey axis
    brightness = identity.clone()
    brightness[:, :3, 3] = draws.normal(0.2)[:, None]
    contrast = torch.exp2(draws.normal(0.5))
    scaled = torch.diag_embed(torch.stack([contrast, contrast, contrast, torch.ones_like(contrast)], dim=1))
    flip = identity - 2 * draws.integer(2)[:, None, None] * along_luma
    hue = _rotation_about_grey(draws.uniform(-math.pi, math.pi))
    saturation = torch.exp2(draws.normal(1.0))[:, None, None]
    saturated = along_luma + (identity - along_luma) * saturation
    saturated[:, 3, 3] = 1
    return saturated @ hue @ flip @ scaled @ brightness


def _rotation_about_grey(angle: Tensor) -> Tensor:
    """Rodrigues' rotation of RGB about (1, 1, 1), [N, 4, 4]."""
    axis = 1 / math.sqrt(3)
    cross = torch.tensor([[0.0, -axis, axis], [axis, 0.0, -axis], [-axis, axis, 0.0]])
    sine, cosine = angle.sin()[:, None, None], angle.cos()[:, None, None]
    result = torch.eye(4).repeat(len(angle), 1, 1)
    result[:, :3, :3] = torch.eye(3) + sine * cross + (1 - cosine) * (cross @ cross)
    return result


def _scaled(total: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return torch.diag_embed(torch.stack([x, y, torch.ones_like(x)], dim=1)) @ total


def _rotated(total: Tensor, angle: Tensor) -> Tensor:
    rotation = torch.eye(3).repeat(len(angle), 1, 1)
    rotation[:, 0, 0], rotation[:, 0, 1] = angle.cos(), -angle.sin()
    rotation[:, 1, 0], rotation[:, 1, 1] = angle.sin(), angle.cos()
    return rotation @ total


def _shifted(total: Tensor, x: Tensor, y: Tensor) -> Tensor:
    shift = torch.eye(3).repeat(len(x), 1, 1)
    shift[:, 0, 2], shift[:, 1, 2] = x, y
    return shift @ total
