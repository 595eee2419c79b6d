"""StyleGAN2's discriminator: from colours down to 4x4, minibatch deviation, one logit (Karras et al. 2020, Sec. 4.1, Fig. 7)."""

import math

import torch
from torch import Tensor, nn

from latentreel.core.labels import check_labels, one_hot
from latentreel.core.precision import compute_dtype
from latentreel.core.shapes import check_shape
from latentreel.image_generators.stylegan2.config import StyleGAN2Config
from latentreel.nn.equalized_layers import EqualizedConv2d, EqualizedLinear
from latentreel.nn.mapping_network import MappingNetwork
from latentreel.nn.minibatch_deviation import minibatch_deviation
from latentreel.nn.resample import downsample


class DiscriminatorBlock(nn.Module):
    """Two convolutions, the second halving the size, with the variant's way around them."""

    def __init__(
        self,
        channels: int,
        above: int,
        *,
        entering: int | None = None,
        architecture: str,
        from_rgb: bool,
        clamp: float | None,
    ) -> None:
        """Builds one block.

        Args:
            channels: Features at this size.
            above: Features that leave, at half the size.
            entering: Features that come in, if they are not as many as `channels`.
            architecture: The variant.
            from_rgb: Whether the picture comes in here.
            clamp: Activations are clamped to plus or minus this value.
        """
        super().__init__()
        entering = entering or channels
        self.from_rgb = EqualizedConv2d(3, entering, 1, clamp=clamp) if from_rgb else None
        self.conv0 = EqualizedConv2d(entering, channels, 3, clamp=clamp)
        self.conv1 = EqualizedConv2d(channels, above, 3, down=True, clamp=clamp)
        residual = architecture == "resnet"
        self.shortcut = EqualizedConv2d(entering, above, 1, bias=False, down=True, activate=False) if residual else None
        self.skip = architecture == "skip"

    def forward(self, x: Tensor | None, image: Tensor) -> tuple[Tensor, Tensor]:
        """Features of the block before (none for the first) and the image at this size to those at half the size."""
        if self.from_rgb is not None:
            seen = self.from_rgb(image.to(memory_format=torch.channels_last))
            x = seen if x is None else x + seen
        assert x is not None
        y = self.conv1(self.conv0(x))
        if self.shortcut is not None:
            y = (y + self.shortcut(x)) * math.sqrt(0.5)
        return y, downsample(image) if self.skip else image


class StyleGAN2Discriminator(nn.Module):
    """Images [N, 3, H, W], with their labels if there are classes, to logits [N, 1]; high means real."""

    def __init__(self, config: StyleGAN2Config) -> None:
        super().__init__()
        self.config = config
        architecture, top, clamp = config.discriminator_architecture, len(config.sizes) - 1, config.conv_clamp
        self.blocks = nn.ModuleList(
            DiscriminatorBlock(
                config.channels[level],
                config.channels[level - 1],
                architecture=architecture,
                from_rgb=level == top or architecture == "skip",
                clamp=clamp,
            )
            for level in range(top, 0, -1)
        )
        last = config.channels[0]
        self.from_rgb = EqualizedConv2d(3, last, 1) if architecture == "skip" else None  # never clamped
        self.conv = EqualizedConv2d(last + config.deviation_features, last, 3, clamp=clamp)
        self.linear = EqualizedLinear(last * 16, last, activate=True)
        classes = config.num_classes
        self.output = EqualizedLinear(last, last if classes else 1)
        # With classes the logit is a projection on the mapped label (Miyato & Koyama 2018).
        self.mapping = (
            MappingNetwork(z_dim=0, w_dim=last, num_layers=config.mapping_layers, condition_dim=classes) if classes else None
        )

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images in [-1, 1] to logits.

        Args:
            images: [N, 3, H, W]; every N / deviation_group-th of them share a deviation group.
            labels: Class numbers [N]; None without classes.

        Returns:
            float32 [N, 1].

        Raises:
            InputError: The images have another size, or the labels do not fit.
        """
        size = self.config.resolution
        check_shape(images, "N 3 H W", name="images", H=size, W=size)
        check_labels(labels, num_images=len(images), num_classes=self.config.num_classes)
        features, image = self._through_blocks(images)
        x = features[-1].float()  # the last 4x4 pixels are cheap, and a logit wants its digits
        if self.from_rgb is not None:
            x = x + self.from_rgb(image.float())
        group, shares = self.config.deviation_group, self.config.deviation_features
        x = self.conv(minibatch_deviation(x, group_size=group, num_features=shares))
        logits: Tensor = self.output(self.linear(x.flatten(1)))
        if self.mapping is None:
            return logits
        return project(logits, self.mapping(None, one_hot(labels, self.config.num_classes)))

    def features(self, images: Tensor) -> list[Tensor]:
        """What leaves each block, for distances between pictures: [N, 3, H, W] to [N, C, H / 2, W / 2], ... [N, C', 4, 4].

        Raises:
            InputError: The images have another size.
        """
        check_shape(images, "N 3 H W", name="images", H=self.config.resolution, W=self.config.resolution)
        return self._through_blocks(images)[0]

    def _through_blocks(self, images: Tensor) -> tuple[list[Tensor], Tensor]:
        """What leaves each block, and the picture at 4 px where it goes along."""
        image = images.to(compute_dtype(images.device), memory_format=torch.channels_last)
        x: Tensor | None = None
        features = []
        for block in self.blocks:
            x, image = block(x, image)
            features.append(x)
        return features, image


def project(features: Tensor, direction: Tensor) -> Tensor:
    """Features [N, D] along directions [N, D], over sqrt(D), [N, 1]: the logit under a condition (Miyato & Koyama 2018)."""
    return (features * direction).sum(dim=1, keepdim=True) / math.sqrt(direction.shape[1])
