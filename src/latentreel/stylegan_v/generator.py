"""`StyleGANVGenerator`: draws any frame of an endless video, at any real time, without the frames before it.

StyleGAN-V (Skorokhodov et al. 2022), Sec. 3.2: StyleGAN2's synthesis, beside whose constant stands the motion code v(t). No
per-pixel noise, no style mixing.
"""

import torch
from torch import Tensor

from latentreel.core.errors import InputError
from latentreel.core.labels import check_labels
from latentreel.image_generators.stylegan2.generator import Backbone
from latentreel.stylegan_v.config import StyleGANVConfig
from latentreel.stylegan_v.motion_codes import MotionCodes


class StyleGANVGenerator(Backbone):
    """Noise z gives the content, noise at anchors the motion, times the frames.

    N clips, k frames of each, D = w_dim, L = config.num_layers, H = W = resolution. Time is counted in frames of the training
    videos, `config.fps` of them a second.
    """

    def __init__(self, config: StyleGANVConfig) -> None:
        super().__init__(config, joined=2 * config.num_frequencies, noise=False)
        self.config = config
        self.motion = MotionCodes(config)

    def motion_codes(
        self, motion_z: Tensor, t: Tensor, labels: Tensor | None = None, *, first_anchor: int | Tensor = 0
    ) -> Tensor:
        """v(t) of every clip and time.

        Args:
            motion_z: Normal noise [N, M, Z], as many vectors as `motion.window` tells, or more.
            t: Times in frames [N, k], at least 0, in any order.
            labels: Class numbers [N], if the network has classes.
            first_anchor: Where in the clip's endless row of noise `motion_z` begins, for all clips or for each [N].

        Returns:
            float32 [N, k, 2F].

        Raises:
            InputError: A shape does not fit, a time is out of range, the noise does not reach it, or the labels do not fit.
        """
        check_labels(labels, num_images=len(motion_z), num_classes=self.num_classes)
        codes: Tensor = self.motion(motion_z, t, labels, first=first_anchor)
        return codes

    def synthesize(
        self,
        w: Tensor,
        *,
        motion_z: Tensor,
        t: Tensor,
        labels: Tensor | None = None,
        first_anchor: int | Tensor = 0,
        frames_at_once: int = 0,
    ) -> Tensor:
        """The frames at some times, in the precision of `set_precision`.

        What else is asked for with a frame changes its rounding and no more, about 1e-6 of the range of colours: convolutions round
        differently in batches of different sizes. Drawn one at a time, frames are the same bit for bit.

        Args:
            w: Latents [N, D], or [N, L, D] with one per layer.
            motion_z: As in `motion_codes`, and so are `t`, `labels` and `first_anchor`.
            t: Times in frames [N, k].
            labels: Class numbers [N], if the network has classes.
            first_anchor: Where in the row of noise `motion_z` begins.
            frames_at_once: Draw in groups of so many frames, which takes less memory; 0 draws all together.

        Returns:
            float32 [N, k, 3, H, W], about [-1, 1].

        Raises:
            InputError: As in `motion_codes`, or w is of other clips, or `frames_at_once` is negative.
        """
        latents = self.per_layer(w)
        if len(latents) != len(motion_z):
            raise InputError("w and motion_z are of different clips", given=f"{len(latents)} and {len(motion_z)}")
        if frames_at_once < 0:
            raise InputError("frames_at_once is out of range", given=frames_at_once, allowed="a number of frames, or 0 for all")
        codes = self.motion_codes(motion_z, t, labels, first_anchor=first_anchor)  # [N, k, 2F]
        each = latents.repeat_interleave(codes.shape[1], dim=0)  # [N k, L, D]
        groups = zip(*(part.split(frames_at_once or len(each)) for part in (each, codes.flatten(0, 1))), strict=True)
        frames = torch.cat([self.pictures(some, theirs) for some, theirs in groups])
        return frames.reshape(*codes.shape[:2], *frames.shape[1:])

    def pictures(self, w: Tensor, codes: Tensor) -> Tensor:
        """One frame per latent [M, D] or [M, L, D] and motion code [M, 2F]; float32 [M, 3, H, W], about [-1, 1]."""
        return self.draw(self.per_layer(w), joined=codes[:, :, None, None].expand(-1, -1, 4, 4))

    def forward(self, z: Tensor, motion_z: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor:
        """Noise [N, z_dim], motion noise [N, M, Z], times [N, k] and class numbers [N] to frames [N, k, 3, H, W]."""
        return self.synthesize(self.map(z, labels), motion_z=motion_z, t=t, labels=labels)
