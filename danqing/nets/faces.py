"""MTCNN's cascade: the first net proposes squares, the second throws most away, the third places boxes and points."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from danqing.core.pictures.contract import Images
from danqing.core.pictures.found import Found, Spot, Thing, inside
from danqing.maths.boxes import kept
from danqing.nets.mtcnn import CELL, NAMES, STRIDE, Mtcnn, cut_out, level_of, scales

LABEL = "face"
SURE = (0.6, 0.7)  # of the first two nets
CHUNK = 256  # cut-outs judged at a time
MOST = 4000  # proposals of the first net, at most


class Proposals(NamedTuple):
    """Squares that may hold faces.

    Attributes:
        boxes: (N, 4) in pixels.
        scores: (N,).
    """

    boxes: Tensor
    scores: Tensor


@torch.no_grad()
def faces_in(net: Mtcnn, picture: Images, smallest: float, threshold: float) -> Found:
    """The faces in one picture, the surest first.

    Args:
        net: the cascade.
        picture: (1, C, H, W) in [0, 1], of any size.
        smallest: height in pixels from which on faces are looked for.
        threshold: how sure the last net must be.
    """
    height, width = picture.shape[-2:]
    x = picture.expand(-1, 3, -1, -1)
    first = _proposed(net, x, smallest)
    second = _judged(net, x, first)
    return Found(width, height, _placed(net, x, second, threshold))


def _proposed(net: Mtcnn, x: Images, smallest: float) -> Proposals:
    """What the first net finds at all scales, refined and made square."""
    boxes, scores = [torch.zeros(0, 8)], [torch.zeros(0)]
    for scale in scales(x.shape[2], x.shape[3], smallest):
        offsets, chances = net.pnet(level_of(x, scale))
        rows, columns = (chances[0] >= SURE[0]).nonzero(as_tuple=True)
        corner = torch.stack([columns, rows], 1) * STRIDE
        square = torch.cat([(corner + 1) / scale, (corner + CELL) / scale], 1).floor()
        chosen = kept(square, chances[0, rows, columns], 0.5)
        boxes.append(torch.cat([square, offsets[0, :, rows, columns].T], 1)[chosen])
        scores.append(chances[0, rows, columns][chosen])
    both, score = torch.cat(boxes), torch.cat(scores)
    order = score.argsort(descending=True, stable=True)[:MOST]
    order = order[kept(both[order, :4], score[order], 0.7)]
    return Proposals(_square(_shifted(both[order, :4], both[order, 4:], 0)), score[order])


def _judged(net: Mtcnn, x: Images, found: Proposals) -> Proposals:
    """What the second net leaves of the proposals."""
    if not len(found.boxes):
        return found
    parts = [net.rnet(cut_out(x, each, 24)) for each in found.boxes.split(CHUNK)]
    offsets, scores = (torch.cat(each) for each in zip(*parts, strict=True))
    sure = scores > SURE[1]
    boxes, offsets, scores = found.boxes[sure], offsets[sure], scores[sure]
    chosen = kept(boxes, scores, 0.7)
    return Proposals(_square(_shifted(boxes[chosen], offsets[chosen], 1)), scores[chosen])


def _placed(net: Mtcnn, x: Images, found: Proposals, threshold: float) -> tuple[Thing, ...]:
    """The faces that the third net is sure of, with their points."""
    if not len(found.boxes):
        return ()
    parts = [net.onet(cut_out(x, each, 48)) for each in found.boxes.split(CHUNK)]
    offsets, points, scores = (torch.cat(each) for each in zip(*parts, strict=True))
    sure = scores >= threshold
    boxes, offsets, points, scores = found.boxes[sure], offsets[sure], points[sure], scores[sure]
    across = boxes[:, None, :2] + points.view(-1, 2, 5).mT * (boxes[:, None, 2:] - boxes[:, None, :2] + 1) - 1
    boxes = _shifted(boxes, offsets, 1)
    chosen = kept(boxes, scores, 0.7, inner=True)
    made = (_face(boxes[at], across[at], float(scores[at]), x.shape[3], x.shape[2]) for at in chosen)
    return tuple(filter(None, made))


def _face(box: Tensor, points: Tensor, score: float, width: int, height: int) -> Thing | None:
    left, top, right, bottom = box.tolist()
    cut = inside((left, top, right, bottom), width, height)
    spots = tuple(Spot(name, x + 0.5, y + 0.5) for name, (x, y) in zip(NAMES, points.tolist(), strict=True))
    return None if cut is None else Thing(LABEL, cut, min(score, 1.0), spots)


def _shifted(boxes: Tensor, offsets: Tensor, extra: int) -> Tensor:
    """Boxes moved by offsets that are shares of their sides."""
    sides = boxes[:, 2:] - boxes[:, :2] + extra
    return boxes + offsets * torch.cat([sides, sides], 1)


def _square(boxes: Tensor) -> Tensor:
    """The squares around the middles of boxes, as large as their longer sides."""
    sides = boxes[:, 2:] - boxes[:, :2]
    longer = sides.amax(1, keepdim=True)
    corner = boxes[:, :2] + sides / 2 - longer / 2
    return torch.cat([corner, corner + longer], 1)


__all__ = ["LABEL", "faces_in"]
