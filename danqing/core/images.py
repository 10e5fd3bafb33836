"""The image contract, and how pictures come from files and go back to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

from danqing.core.errors import ParameterError


@dataclass(frozen=True)
class Tag:
    """Marks what a type means beside what it is; read by :mod:`danqing.core.params`."""

    kind: str


Images = Annotated[Tensor, Tag("pictures")]  # float32 (B, C, H, W), C in {1, 3}, RGB, values in [0, 1], finite
Mask = Annotated[Tensor, Tag("mask")]  # the same with C = 1; 1 means "here"


def check_images(x: Tensor, name: str = "x") -> Images:
    """Return ``x`` if it keeps the image contract.

    Raises:
        ParameterError: naming what is broken.
    """
    return _check(x, name, (1, 3))


def check_mask(x: Tensor, name: str = "mask") -> Mask:
    """Return ``x`` if it keeps the contract of a mask.

    Raises:
        ParameterError: naming what is broken.
    """
    return _check(x, name, (1,))


def _check(x: Tensor, name: str, channels: tuple[int, ...]) -> Tensor:
    if not isinstance(x, Tensor):
        raise ParameterError(f"must be a torch tensor, not {type(x).__name__}", where=name)
    if x.dtype != torch.float32:
        raise ParameterError(f"must be float32, not {str(x.dtype).removeprefix('torch.')}", where=name)
    if x.ndim != 4 or x.shape[1] not in channels or 0 in x.shape:
        allowed = " or ".join(map(str, channels))
        raise ParameterError(f"must have shape (B, {allowed}, H, W), not {tuple(x.shape)}", where=name)
    low, high = torch.aminmax(x)
    if not bool(low >= 0) or not bool(high <= 1):
        raise ParameterError(f"values must be finite and in [0, 1], found {low:g}…{high:g}", where=name)
    return x
