"""Class labels: which of a network's classes each picture shows."""

import torch
import torch.nn.functional as F
from torch import Tensor

from latentreel.core.errors import InputError
from latentreel.core.image_generator import LatentMap


def check_labels(labels: Tensor | None, *, num_images: int, num_classes: int) -> None:
    """Raises unless there is one label per picture for a network with classes, and none for one without.

    Args:
        labels: Class numbers [N], of any integer type.
        num_images: N.
        num_classes: How many classes the network has; 0 if it has none.

    Raises:
        InputError: Labels are given to a network without classes, are absent, have another shape or type, or are out of range.
    """
    if num_classes == 0:
        if labels is not None:
            raise InputError("labels were given to a network without classes", fix="leave them out")
        return
    allowed = f"{num_images} whole numbers from 0 to {num_classes - 1}"
    if labels is None:
        raise InputError("this network has classes, and no label was given", allowed=allowed, fix="say which class to draw")
    if labels.shape != (num_images,) or labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        raise InputError("labels have the wrong form", given=f"{labels.dtype} {list(labels.shape)}", allowed=allowed)
    wrong = labels[(labels < 0) | (labels >= num_classes)]
    if len(wrong):
        raise InputError("there is no such class", given=int(wrong[0]), allowed=f"0 to {num_classes - 1}")


def one_label(label: int | None, *, num_images: int, num_classes: int, device: torch.device | str = "cpu") -> Tensor | None:
    """The same class for all pictures, [N]; None stays None, for a network without classes.

    Raises:
        InputError: The network has no such class, or no classes; or it has, and none is given.
    """
    if label is not None and num_classes and not 0 <= label < num_classes:  # not every number fits into a tensor
        raise InputError("there is no such class", given=label, allowed=f"0 to {num_classes - 1}")
    labels = None if label is None else torch.full([num_images], label if num_classes else 0, device=device)
    check_labels(labels, num_images=num_images, num_classes=num_classes)
    return labels


def one_hot(labels: Tensor | None, num_classes: int) -> Tensor | None:
    """Class numbers [N] as rows of zeros with a one, float32 [N, num_classes]; None stays None."""
    return None if labels is None else F.one_hot(labels.long(), num_classes).float()


def random_labels(generator: LatentMap, count: int, draws: torch.Generator) -> Tensor | None:
    """Class numbers [count] on the CPU, all classes alike likely; None for a network without classes."""
    if generator.num_classes == 0:
        return None
    return torch.randint(generator.num_classes, [count], generator=draws)
