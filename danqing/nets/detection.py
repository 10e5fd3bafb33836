"""From what the heads of a detector say of a picture to the things in it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from danqing.core.pictures.contract import Images
from danqing.core.pictures.found import Found, Thing, inside
from danqing.maths.boxes import kept
from danqing.nets.nanodet import NanoDet, decoded

STEP = 32  # px: sides of what the net sees are multiples of it
OVERLAP = 0.6  # from which on two boxes of a class mean the same thing
CROWD = 0.85  # and two of different classes
CANDIDATES = 1000  # cells that compete, at most
LARGER = 4  # times that a small picture is enlarged, at most
GREY = 0.45  # of what fills up to a multiple of the step: about the mean of pictures


def sized(picture: Images, side: int, ground: float = GREY) -> tuple[Images, float]:
    """Pictures (B, C, H, W) as a net sees them, RGB with the longer side of so many pixels, and how they were scaled.

    What fills up to a multiple of the step has the brightness of the ``ground``.
    """
    height, width = picture.shape[-2:]
    scale = min(side / max(height, width), LARGER)
    size = [max(1, round(scale * each)) for each in (height, width)]
    x = picture.expand(-1, 3, -1, -1)
    x = functional.interpolate(x, size, mode="bilinear", antialias=scale < 1, align_corners=False).clamp(0, 1)
    down, right = ((-each) % STEP for each in size)
    return functional.pad(x, (0, right, 0, down), value=ground), scale


def unsized(maps: Tensor, side: int, height: int, width: int) -> Tensor:
    """Lay maps (B, C, h, w) of what a net saw back on pictures of a size, as :func:`sized` made them that.

    Args:
        maps: of all that the net saw, what filled up included.
        side: longer side in pixels that it looked at.
        height: of the pictures.
        width: of the pictures.
    """
    scale = min(side / max(height, width), LARGER)
    high, wide = (max(1, round(scale * each)) for each in (height, width))
    whole = [each + -each % STEP for each in (high, wide)]
    seen = functional.interpolate(maps, whole, mode="bilinear", align_corners=False)[..., :high, :wide]
    return functional.interpolate(seen, (height, width), mode="bilinear", align_corners=False)


@torch.no_grad()
def things_in(
    net: NanoDet, picture: Images, names: Sequence[str], side: int, threshold: float, count: int = 100
) -> Found:
    """What a detector finds in one picture, the surest first.

    Args:
        net: the detector.
        picture: (1, C, H, W) in [0, 1], of any size.
        names: of its classes.
        side: longer side in pixels that it looks at.
        threshold: how sure it must be.
        count: how many things, at most.
    """
    height, width = picture.shape[-2:]
    x, scale = sized(picture, side)
    chances, boxes = (each[0].float() for each in decoded(net(x)))
    return chosen(chances, boxes / scale, names, (width, height), threshold, count)


def chosen(
    chances: Tensor, boxes: Tensor, names: Sequence[str], size: tuple[int, int], threshold: float, count: int
) -> Found:
    """The things that cells have found, each once, the surest first.

    Args:
        chances: of the classes (N, classes).
        boxes: (N, 4) in the picture's pixels.
        names: of the classes.
        size: width and height of the picture.
        threshold: how sure they must be.
        count: how many, at most.
    """
    best, label = chances.max(1)
    rivals = best.topk(min(CANDIDATES, len(best))).indices
    rivals = rivals[best[rivals] >= threshold]
    rivals = rivals[kept(boxes[rivals], best[rivals], OVERLAP, label[rivals])]
    rivals = rivals[kept(boxes[rivals], best[rivals], CROWD)][:count]
    things = (_thing(names[int(label[at])], float(best[at]), boxes[at], *size) for at in rivals)
    return Found(*size, tuple(filter(None, things)))


def _thing(label: str, score: float, box: Tensor, width: int, height: int) -> Thing | None:
    left, top, right, bottom = box.tolist()
    cut = inside((left, top, right, bottom), width, height)
    return None if cut is None else Thing(label, cut, score)


__all__ = ["chosen", "sized", "things_in", "unsized"]
