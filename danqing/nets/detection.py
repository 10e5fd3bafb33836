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


def sized(picture: Images, side: int) -> tuple[Images, float]:
    """A picture (1, C, H, W) as a net sees it, RGB with the longer side of so many pixels, and how it was scaled."""
    height, width = picture.shape[-2:]
    scale = min(side / max(height, width), LARGER)
    size = [max(1, round(scale * each)) for each in (height, width)]
    x = picture.expand(-1, 3, -1, -1)
    x = functional.interpolate(x, size, mode="bilinear", antialias=scale < 1, align_corners=False).clamp(0, 1)
    down, right = ((-each) % STEP for each in size)
    return functional.pad(x, (0, right, 0, down), value=GREY), scale


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
    best, label = chances.max(1)
    chosen = best.topk(min(CANDIDATES, len(best))).indices
    chosen = chosen[best[chosen] >= threshold]
    chosen = chosen[kept(boxes[chosen], best[chosen], OVERLAP, label[chosen])]
    chosen = chosen[kept(boxes[chosen], best[chosen], CROWD)][:count]
    things = (_thing(names[int(label[at])], float(best[at]), boxes[at] / scale, width, height) for at in chosen)
    return Found(width, height, tuple(filter(None, things)))


def _thing(label: str, score: float, box: Tensor, width: int, height: int) -> Thing | None:
    left, top, right, bottom = box.tolist()
    cut = inside((left, top, right, bottom), width, height)
    return None if cut is None else Thing(label, cut, score)


__all__ = ["sized", "things_in"]
