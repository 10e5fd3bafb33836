"""The image contract: what a picture is between reading and writing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from danqing.core.errors import ParameterError
from danqing.core.recipe import Recipe


@dataclass(frozen=True)
class Tag:
    """Marks what a type means beside what it is; read by :mod:`danqing.core.fields.form`."""

    kind: str


Images = Annotated[Tensor, Tag("pictures")]  # float32 (B, C, H, W), C in {1, 3}, RGB, values in [0, 1], finite
Mask = Annotated[Tensor, Tag("mask")]  # the same with C = 1; 1 means "here"


COLOURS = {1: "grey", 3: "colour"}  # what pictures of so many channels are called


@dataclass
class Picture:
    """One picture as it lies in a file.

    Attributes:
        pixels: (1, C, H, W); grey pictures have one channel.
        alpha: opacity (1, 1, H, W), 1 is opaque; None where the file has none.
        depth: bits a channel in the file, 8 or 16.
        exif: the EXIF block as bytes, its orientation already applied and reset.
        recipe: how danqing made it; None where the file does not say.
        resolution: dots per inch, across and down; None where the file does not say.
        texts: what the file says of itself in words, by PNG's keywords: Title, Author, Copyright …
    """

    pixels: Images
    alpha: Mask | None = None
    depth: int = 8
    exif: bytes | None = None
    recipe: Recipe | None = None
    resolution: tuple[float, float] | None = None
    texts: dict[str, str] = field(default_factory=dict)


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


def check_channels(channels: int) -> None:
    """See that pictures can have so many channels.

    Raises:
        ParameterError: if they cannot.
    """
    if channels not in (1, 3):
        raise ParameterError(f"{channels} is neither 1 (grey) nor 3 (RGB)", where="channels")


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


def to_uint8(x: Images) -> NDArray[np.uint8]:
    """Round pictures (B, C, H, W) in [0, 1] to bytes (B, H, W, C)."""
    rounded = x.detach().float().mul(255).add_(0.5).clamp_(0, 255).to(torch.uint8)
    return rounded.permute(0, 2, 3, 1).contiguous().cpu().numpy()


def from_uint8(a: NDArray[np.uint8]) -> Images:
    """Turn bytes (B, H, W, C) into pictures (B, C, H, W) in [0, 1]."""
    return torch.from_numpy(np.array(a)).permute(0, 3, 1, 2).contiguous().float().div_(255)
