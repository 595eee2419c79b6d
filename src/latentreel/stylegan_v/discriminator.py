"""`StyleGANVDiscriminator`: judges a clip by a few of its frames and the times between them.

StyleGAN-V (Skorokhodov et al. 2022), Sec. 3.3: StyleGAN2's discriminator looks at each frame alone, down to a small size; there the
frames' features are joined on the channels and go on as one. The logit is a projection on the mapped time differences.
"""

import math

import torch
from einops import rearrange
from torch import Tensor, nn

from latentreel.core.errors import InputError
from latentreel.core.labels import check_labels, one_hot
from latentreel.core.precision import compute_dtype
from latentreel.core.shapes import check_shape
from latentreel.image_generators.stylegan2.discriminator import DiscriminatorBlock, project
from latentreel.nn.equalized_layers import EqualizedConv2d, EqualizedLinear
from latentreel.nn.mapping_network import MappingNetwork
from latentreel.nn.minibatch_deviation import minibatch_deviation
from latentreel.stylegan_v.config import StyleGANVDiscriminatorConfig
from latentreel.stylegan_v.time_encoding import DifferenceEmbedding

CHANGE_GAIN = 4.0
"""How much stronger than the others those features start that see changes: frames differ far less than clips do."""


class StyleGANVDiscriminator(nn.Module):
    """Clips of k frames with their times, and labels if there are classes, to one logit each; high means real."""

    def __init__(self, config: StyleGANVDiscriminatorConfig) -> None:
        super().__init__()
        self.config = config
        self.blocks = nn.ModuleList(self._block(level) for level in range(len(config.sizes) - 1, 0, -1))
        joined = self.blocks[-config.sizes.index(config.join_resolution)]
        assert isinstance(joined, DiscriminatorBlock)
        see_changes(joined, num_frames=config.clip_frames)
        last = config.channels[0]
        self.conv = EqualizedConv2d(last + config.deviation_features, last, 3, clamp=config.conv_clamp)
        self.linear = EqualizedLinear(last * 16, last, activate=True)
        self.output = EqualizedLinear(last, last)
        self.differences = DifferenceEmbedding(max_frames=config.max_frames, width=config.difference_dim)
        self.mapping = MappingNetwork(
            z_dim=0,
            w_dim=last,
            num_layers=config.mapping_layers,
            condition_dim=config.num_classes + (config.clip_frames - 1) * self.differences.width,
        )

    def forward(self, video: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor:
        """Clips in [-1, 1] to logits.

        Args:
            video: [N, k, 3, H, W]; every N / deviation_group-th clip shares a deviation group.
            t: Times of the frames [N, k], ascending, less than `max_frames` from one to the next. Only their differences matter.
            labels: Class numbers [N]; None without classes.

        Returns:
            float32 [N].

        Raises:
            InputError: The clips have another size, times do not ascend or lie too far apart, or the labels do not fit.
        """
        size, frames, classes = self.config.resolution, self.config.clip_frames, self.config.num_classes
        check_shape(video, "N k 3 H W", name="video", k=frames, H=size, W=size)
        check_shape(t, "N k", name="t", N=len(video), k=frames)
        check_labels(labels, num_images=len(video), num_classes=classes)
        condition = self._condition(t, one_hot(labels, classes))
        image = video.flatten(0, 1).to(compute_dtype(video.device))
        x: Tensor | None = None
        for block in self.blocks:
            if x is not None and x.shape[-1] == self.config.join_resolution:
                x = rearrange(x, "(n k) c h w -> n (k c) h w", k=frames)
            x, image = block(x, image)
        assert x is not None
        x = x.float()  # the last 4x4 pixels are cheap, and a logit wants its digits
        group, features = self.config.deviation_group, self.config.deviation_features
        x = self.conv(minibatch_deviation(x, group_size=group, num_features=features))
        return project(self.output(self.linear(x.flatten(1))), self.mapping(None, condition)).squeeze(1)

    def _condition(self, t: Tensor, classes: Tensor | None) -> Tensor:
        """What the mapping network is given: the class, if there is one, and the embedded time differences."""
        differences = (t[:, 1:] - t[:, :-1]).float()
        wrong = differences[~((differences >= 0) & (differences <= self.config.max_frames - 1))]
        if wrong.numel():
            allowed = f"0 to {self.config.max_frames - 1} frames, in ascending order"
            raise InputError("times between the frames of a clip are out of range", given=float(wrong[0]), allowed=allowed)
        embedded: Tensor = self.differences(differences)
        return embedded if classes is None else torch.cat([classes, embedded], dim=1)

    def _block(self, level: int) -> DiscriminatorBlock:
        config, top = self.config, len(self.config.sizes) - 1
        join = config.sizes.index(config.join_resolution)
        return DiscriminatorBlock(
            config.channels[level],
            config.joined_channels if level - 1 == join else config.channels[level - 1],
            entering=config.clip_frames * config.joined_channels if level == join else None,
            architecture=config.discriminator_architecture,
            from_rgb=level == top,
            clamp=config.conv_clamp,
        )


@torch.no_grad()
def see_changes(block: DiscriminatorBlock, *, num_frames: int) -> None:
    """Half of the features with which a block joins frames begin as differences between them: ours, the paper starts at random.

    A sum over frames shows hardly more than content: a new discriminator takes thousands of clips to tell moving from still ones.

    Args:
        block: Whose weights over all frames are changed; random ones [O, k * C, h, w].
        num_frames: k.
    """
    for layer in (block.conv0, block.shortcut):
        if layer is not None:
            half = layer.weight[: len(layer.weight) // 2].unflatten(1, (num_frames, -1))  # [O / 2, k, C, h, w]
            half -= half.mean(dim=1, keepdim=True)
            half *= CHANGE_GAIN * math.sqrt(num_frames / (num_frames - 1))
