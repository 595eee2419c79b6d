"""LPIPS: how far pictures are apart in the layers of a network that sees pictures. Zhang et al. 2018, Sec. 3.

Its weights cannot be given away with this package. They come as a TorchScript archive, which is a program that is run: load none
from where you would not run a program.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from latentreel.core.digests import file_digest
from latentreel.core.errors import InputError

WHERE_TO_GET = "vgg16.pt of NVIDIA's StyleGAN3 metrics, or what torch.jit.trace makes of LPIPS"
_EMBEDS = {"resize_images", "return_lpips"}


class PerceptualDistance:
    """A TorchScript archive, called as the arguments of its `forward` ask.

    - `resize_images`, `return_lpips`: the VGG-16 of NVIDIA's programs. It is given pixels in 0..255 and gives an embedding whose
      squared distances are LPIPS.
    - Two pictures: LPIPS as such. It is given both in [-1, 1] and gives their distance.
    """

    def __init__(self, path: Path | str, *, device: torch.device | str = "cpu") -> None:
        """Opens the archive.

        Args:
            path: The file.
            device: Where it runs.

        Raises:
            InputError: The file is missing, no TorchScript archive, or takes something else.
        """
        self.path, self.device = Path(path), torch.device(device)
        if not self.path.is_file():
            raise InputError("there is no such file of LPIPS", given=path, fix=f"get {WHERE_TO_GET}")
        self.digest = file_digest(self.path)
        """SHA-256 of the file, in hexadecimal."""
        try:
            self.network = torch.jit.load(str(self.path), map_location=self.device).eval()
            arguments = [argument.name for argument in self.network.forward.schema.arguments if argument.name != "self"]
        except Exception as error:  # RuntimeError mostly, but the archive's own code is compiled here
            problem = f"{self.path} is no TorchScript archive, or damaged"
            raise InputError(problem, given=str(error).strip().splitlines()[0][:100]) from error
        self.embeds = set(arguments) >= _EMBEDS
        if not self.embeds and len(arguments) != 2:
            allowed = "two pictures, or pictures with resize_images and return_lpips"
            raise InputError(f"{self.path} is no LPIPS", given=f"it takes {', '.join(arguments)}", allowed=allowed)

    @torch.no_grad()
    def __call__(self, real: npt.NDArray[np.uint8], fake: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """The distance of every two frames, [T]; 0 for equal ones.

        Args:
            real: uint8 [T, H, W, 3].
            fake: The same shape.

        Raises:
            InputError: The network fails on them, or gives something else than distances.
        """
        a, b = (torch.from_numpy(clip).to(self.device).movedim(-1, 1).float() for clip in (real, fake))
        found: npt.NDArray[np.float64] = self.between(a / 127.5 - 1, b / 127.5 - 1).double().cpu().numpy()
        return found

    def between(self, a: Tensor, b: Tensor) -> Tensor:
        """The distance of every two pictures, [N], with gradients where they are asked for.

        Args:
            a: [N, 3, H, W] in [-1, 1].
            b: The same shape.

        Raises:
            InputError: The network fails on them, or gives something else than distances.
        """
        try:
            if self.embeds:
                x, y = (self.network((some + 1) * 127.5, resize_images=False, return_lpips=True) for some in (a, b))
                distances = (x - y).square().flatten(1).sum(dim=1)
            else:
                distances = self.network(a, b).flatten()
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # a foreign program raises anything
            problem = f"{self.path} fails on {list(a.shape)}"
            raise InputError(problem, given=(str(error).strip().splitlines() or [""])[-1][:200]) from error
        if distances.shape != (len(a),) or not torch.isfinite(distances).all():
            raise InputError(f"{self.path} gives no distances", given=list(distances.shape), allowed=[len(a)])
        assert isinstance(distances, Tensor)
        return distances
