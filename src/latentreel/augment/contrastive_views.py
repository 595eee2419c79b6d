"""Random views of a picture, of which the contrastive loss makes pairs (MoCoGAN-HD, App. A.2.2).

As in the released program a square is always cut out, and then one of flip, colour and affine map is applied.
"""

import torch
from kornia.geometry.transform import get_affine_matrix2d, warp_affine
from torch import Tensor

DRAWS = 11
"""Uniform numbers that one view takes."""

ROTATION_DEGREES, TRANSLATION, SCALE = 180.0, 0.1, (0.95, 1.05)  # App. A.2.2; translation in image widths
COLOUR = 0.5  # App. A.2.2: the largest shift of brightness and of one channel, on images in [-1, 1]
CUTOUT = (1 / 8, 1 / 4)  # App. A.2.2: the square's side, in image widths


def contrastive_view(images: Tensor, draws: Tensor) -> Tensor:
    """Each picture in a random view of its own; differentiable.

    Args:
        images: [N, 3, H, W] in [-1, 1].
        draws: Uniform in [0, 1), [N, DRAWS]; they choose everything.

    Returns:
        [N, 3, H, W], in about [-2, 2].
    """
    kind, *others = draws.to(images.device).unbind(dim=1)
    flipped, coloured = kind < 1 / 6, (kind >= 1 / 3) & (kind < 2 / 3)  # of the third that may flip, half do
    images = images * _cutout(images.shape[-1], *others[7:])
    images = torch.where(_each(flipped), images.flip(3), images)
    images = images + _each(coloured) * _colour_shift(*others[:3])
    moved = torch.nonzero(kind >= 2 / 3)[:, 0]
    if len(moved) == 0:
        return images
    return images.index_copy(0, moved, _affine(images[moved], *(draw[moved] for draw in others[3:7])))


def _colour_shift(brightness: Tensor, one_channel: Tensor, channel: Tensor) -> Tensor:
    """A shift of all channels and one of a single channel, [N, 3, 1, 1]."""
    chosen = torch.arange(3, device=channel.device) == (channel * 3).floor()[:, None]  # [N, 3]
    shift = _between(brightness, -COLOUR, COLOUR)[:, None] + chosen * _between(one_channel, -COLOUR, COLOUR)[:, None]
    return shift[:, :, None, None]


def _affine(images: Tensor, angle: Tensor, x: Tensor, y: Tensor, scale: Tensor) -> Tensor:
    """Turns, shifts and scales pictures about their centres, with reflected edges."""
    height, width = images.shape[-2:]
    turn = _between(angle, -ROTATION_DEGREES, ROTATION_DEGREES)
    shift = _between(torch.stack([x, y], dim=1), -TRANSLATION, TRANSLATION) * images.new_tensor([width, height])
    size = _between(scale, *SCALE)[:, None].expand(-1, 2)
    centre = images.new_tensor([(width - 1) / 2, (height - 1) / 2]).expand(len(images), 2)
    matrix = get_affine_matrix2d(shift, centre, size, turn)[:, :2]
    return warp_affine(images, matrix, (height, width), padding_mode="reflection", align_corners=True)


def _cutout(size: int, side: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """1 outside a random square and 0 in it, [N, 1, size, size]."""
    side = (_between(side, *CUTOUT) * size).round()
    pixel = torch.arange(size, device=side.device)
    inside = [(pixel >= start[:, None]) & (pixel < (start + side)[:, None]) for start in _starts(size, side, x, y)]
    return 1.0 - (inside[0][:, None, None, :] & inside[1][:, None, :, None]).float()


def _starts(size: int, side: Tensor, *draws: Tensor) -> list[Tensor]:
    return [(draw * (size - side + 1)).floor() for draw in draws]


def _between(draws: Tensor, low: float, high: float) -> Tensor:
    return low + (high - low) * draws


def _each(chosen: Tensor) -> Tensor:
    return chosen[:, None, None, None]
