"""C3D, the network of the video inception score on UCF-101: 3 x 3 x 3 kernels throughout.

Tran et al. 2015, "Learning Spatiotemporal Features with 3D Convolutional Networks", Sec. 3.3 and Fig. 3; for the score, Saito et
al. 2017 (TGAN) use one fine-tuned on UCF-101.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from latentreel.core.digests import weights_digest
from latentreel.core.errors import InputError
from latentreel.core.precision import compute_dtype
from latentreel.core.shapes import check_shape
from latentreel.metrics.extractors.extractor import LooksAt, Seen, check_clips, resized

FRAMES = 16
SIZE = 112
"""Height and width that the network looks at, in pixels."""

NUM_CLASSES = 101  # of UCF-101
FEATURES = 4096  # of fc6 and fc7
FRAME_SIZE = (128, 171)  # Sec. 3.2: what frames are brought to before their middle is cut out
TOP, LEFT = ((large - SIZE) // 2 for large in FRAME_SIZE)

LEVELS = (
    {"conv1a": 64},
    {"conv2a": 128},
    {"conv3a": 256, "conv3b": 256},
    {"conv4a": 512, "conv4b": 512},
    {"conv5a": 512, "conv5b": 512},
)
"""Fig. 3: channels of the convolutions between one max pooling and the next."""

CONVOLUTIONS = tuple(name for level in LEVELS for name in level)
LINEARS = ("fc6", "fc7", "fc8")
LAST_SIZE = 4  # after five times halving 112, rounded up


class Activations(NamedTuple):
    """What the last two layers give for N clips."""

    fc7: Tensor
    """After ReLU, float32 [N, 4096]."""

    fc8: Tensor
    """Logits, float32 [N, 101]."""


class C3D(nn.Module):
    """Eight convolutions, five max poolings, three linear layers. The linear ones stay in float32.

    The weights that TGAN published could not be had where this was written: only their names and shapes are tested, no numbers. The
    8192 inputs of fc6 ask for 4 x 4 pixels after the last pooling, of 7 x 7: so poolings round up, as in Caffe and Chainer, and the
    odd row and column lie at the end.
    """

    def __init__(self) -> None:
        super().__init__()
        channels = 3
        for name, width in (item for level in LEVELS for item in level.items()):
            self.add_module(name, nn.Conv3d(channels, width, 3, padding=1))
            channels = width
        self.fc6 = nn.Linear(channels * LAST_SIZE**2, FEATURES)
        self.fc7 = nn.Linear(FEATURES, FEATURES)
        self.fc8 = nn.Linear(FEATURES, NUM_CLASSES)
        self.register_buffer("mean", torch.zeros(3, FRAMES, SIZE, SIZE))
        self.mean: Tensor
        """The training set's mean clip, in the range and the order of channels of what the network is given."""

    def forward(self, clips: Tensor) -> Activations:
        """Features and logits.

        Args:
            clips: [N, 3, 16, 112, 112] in 0..255, blue first.

        Raises:
            InputError: The shape is another.
        """
        check_shape(clips, "N 3 T H W", name="clips", T=FRAMES, H=SIZE, W=SIZE)
        x = clips.float() - self.mean
        x = x.to(compute_dtype(x.device), memory_format=torch.channels_last_3d)
        for index, level in enumerate(LEVELS):
            for name in level:
                layer = self.get_submodule(name)
                assert isinstance(layer, nn.Conv3d) and layer.bias is not None
                weight = layer.weight.to(x.dtype, memory_format=torch.channels_last_3d)
                x = F.relu_(F.conv3d(x, weight, layer.bias.to(x.dtype), padding=1))
            x = F.max_pool3d(x, (1 if index == 0 else 2, 2, 2), ceil_mode=True)  # Sec. 3.2: the first leaves time alone
        x = F.relu(self.fc6(x.float().flatten(1)))  # [N, 512, 1, 4, 4] to [N, 4096]
        fc7 = F.relu(self.fc7(x))
        return Activations(fc7, self.fc8(fc7))


class C3DExtractor:
    """C3D on frames cut as it was trained; features are fc7 after ReLU, logits fc8.

    Frames are brought to 128 x 171 pixels, whatever their proportions were (bilinear, not antialiased). It looks at the 112 x 112
    in the middle, blue first, less the training set's mean if the file of the weights brought one.
    """

    name = "c3d"
    looks_at: LooksAt = "clips"
    width = FEATURES

    def __init__(self, network: C3D) -> None:
        self.network = network
        self.digest = weights_digest(network.state_dict())

    @property
    def dtype(self) -> torch.dtype:
        """The number format it computes in, which follows the precision chosen."""
        return compute_dtype(self.network.fc8.weight.device)

    @torch.no_grad()
    def __call__(self, clips: Tensor) -> Seen:
        """Looks at clips of exactly 16 frames.

        Args:
            clips: uint8 [N, 16, H, W, 3].

        Returns:
            Features [N, 4096] and logits [N, 101].

        Raises:
            InputError: The clips have another shape or number format, or another number of frames.
        """
        check_clips(clips)
        if clips.shape[1] != FRAMES:
            raise InputError("C3D looks at clips of one length", given=f"{clips.shape[1]} frames", allowed=f"{FRAMES} frames")
        clips = clips.to(self.network.fc8.weight.device)
        pixels = resized(clips.flatten(0, 1), FRAME_SIZE)[..., TOP : TOP + SIZE, LEFT : LEFT + SIZE]
        pixels = pixels.flip(1)  # red first to blue first
        features, logits = self.network(pixels.unflatten(0, clips.shape[:2]).transpose(1, 2))
        return Seen(features, logits)
