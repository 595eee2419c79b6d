"""`StyleGANVGenerator`: draws any frame of an endless video, at any real time, without the frames before it.

StyleGAN-V (Skorokhodov et al. 2022), Sec. 3.2: StyleGAN2's synthesis, beside whose constant stands the motion code v(t). No
per-pixel noise, no style mixing.
"""

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
        self, w: Tensor, *, motion_z: Tensor, t: Tensor, labels: Tensor | None = None, first_anchor: int | Tensor = 0
    ) -> Tensor:
        """The frames at some times, in the precision of `set_precision`.

        Args:
            w: Latents [N, D], or [N, L, D] with one per layer.
            motion_z: As in `motion_codes`, and so are `t`, `labels` and `first_anchor`.
            t: Times in frames [N, k].
            labels: Class numbers [N], if the network has classes.
            first_anchor: Where in the row of noise `motion_z` begins.

        Returns:
            float32 [N, k, 3, H, W], about [-1, 1].

        Raises:
            InputError: As in `motion_codes`.
        """
        latents = self.per_layer(w)
        if len(latents) != len(motion_z):
            raise InputError("w and motion_z are of different clips", given=f"{len(latents)} and {len(motion_z)}")
        return self.synthesize_codes(latents, self.motion_codes(motion_z, t, labels, first_anchor=first_anchor))

    def synthesize_codes(self, w: Tensor, codes: Tensor) -> Tensor:
        """The frames of motion codes [N, k, 2F], for latents [N, D] or [N, L, D]; float32 [N, k, 3, H, W]."""
        n, k = codes.shape[:2]
        joined = codes.flatten(0, 1)[:, :, None, None].expand(-1, -1, 4, 4)
        frames = self.draw(self.per_layer(w).repeat_interleave(k, dim=0), joined=joined)
        return frames.reshape(n, k, *frames.shape[1:])

    def forward(self, z: Tensor, motion_z: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor:
        """Noise [N, z_dim], motion noise [N, M, Z], times [N, k] and class numbers [N] to frames [N, k, 3, H, W]."""
        return self.synthesize(self.map(z, labels), motion_z=motion_z, t=t, labels=labels)
