"""ImageNet's thousand classes, named by EfficientNet-Lite0, which comes in a package that danqing needs anyway."""

from __future__ import annotations

import functools

import torch
from torch import Tensor
from torch.nn import functional

from danqing.core.disk import hash_of
from danqing.core.menu import PACKAGE
from danqing.core.pictures.contract import Images
from danqing.core.uses import used
from danqing.nets.efficientnet_lite import SIDE, bundled_weights, shared_lite0

WORDS = PACKAGE / "nets" / "weights" / "imagenet.txt"
NAME = "efficientnet-lite0"
MARGIN = 32 / 256  # of the shorter side that is cut off, as in the net's own evaluation


@functools.cache
def words() -> tuple[str, ...]:
    """What each class is called: synonyms with commas between."""
    return tuple(WORDS.read_text("utf-8").splitlines())


@torch.no_grad()
def chances(picture: Images) -> Tensor:
    """The probabilities (1000,) of the classes, of the middle square of a picture (1, C, H, W)."""
    used(NAME, sha256=_hash())
    net = shared_lite0(torch.device("cpu"))
    return net.logits(net.features(middle(picture)))[0].float().softmax(0)


def middle(picture: Images, side: int = SIDE) -> Images:
    """The middle square of a picture (B, C, H, W), its margin cut off, (B, 3, side, side)."""
    height, width = picture.shape[-2:]
    edge = max(1, round(min(height, width) * (1 - MARGIN)))
    top, left = (height - edge) // 2, (width - edge) // 2
    square = picture[..., top : top + edge, left : left + edge].expand(-1, 3, -1, -1)
    sized = functional.interpolate(square, (side, side), mode="bicubic", antialias=edge > side, align_corners=False)
    return sized.clamp(0, 1)


@functools.cache
def _hash() -> str:
    return hash_of(bundled_weights())


__all__ = ["chances", "middle", "words"]
