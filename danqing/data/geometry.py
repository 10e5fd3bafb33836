"""One geometry for all that belongs to a picture: pairs, masks, boxes and points stay on what they show."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from danqing.core.learned.model import Samples
from danqing.core.pictures.contract import Images


def moved(
    samples: Samples, steps: list[Tensor], *, resampled: bool, mirrored: Sequence[int] = (), black: bool = False
) -> Samples:
    """Mirror, crop, rotate and shear pictures with all that belongs to them.

    Pictures, pairs and masks are taken through one bilinear resampling; what lies beyond the edge is the picture
    mirrored, or black. A box is the smallest around the moved one that lies in the picture. What leaves the picture
    becomes NaN.

    Args:
        samples: what is moved.
        steps: matrices (B, 3, 3), one after another in what follows: where each place, in -1…1, takes its colour from.
        resampled: whether they are more than mirrors, which are exact without.
        mirrored: which of a thing's points each becomes in a mirror; empty: itself.
        black: whether it is black beyond the edge.
    """
    if not steps:
        return samples
    height, width = samples.x.shape[2:]
    where = steps[0]
    for step in steps[1:]:
        where = where @ step
    aspect = torch.tensor([[1.0, height / width]], device=where.device)  # angles are meant in pixels
    where = where[:, :2] * torch.cat([aspect / aspect.T, aspect.new_ones(2, 1)], 1)

    def move(picture: Images) -> Images:
        if not resampled:
            return torch.where(where[:, :1, :1, None] < 0, picture.flip(3), picture)  # not a pixel changes
        grid = F.affine_grid(where, list(picture.shape), align_corners=False)
        return F.grid_sample(picture, grid, padding_mode=beyond, align_corners=False)

    points, boxes = samples.points, samples.boxes
    beyond = "zeros" if black else "reflection"
    if points is not None and mirrored:
        points = torch.where(_turns_over(where), _exchanged(points, mirrored), points)
    return Samples(
        move(samples.x),
        samples.y,
        None if samples.pair is None else move(samples.pair),
        None if samples.mask is None else move(samples.mask),
        None if boxes is None else _boxes(boxes, where, height, width),
        None if points is None else _seen(_points(points, where, height, width), height, width),
    )


def _turns_over(where: Tensor) -> Tensor:
    """Which pictures are seen in a mirror, (B, 1, 1)."""
    over: Tensor = torch.linalg.det(where[:, :, :2]) < 0
    return over[:, None, None]


def _exchanged(points: Tensor, mirrored: Sequence[int]) -> Tensor:
    """Points (B, N, 2) of things, those of each in the order of a mirror."""
    of_things: Tensor = points.unflatten(1, (-1, len(mirrored)))
    return of_things[:, :, list(mirrored)].flatten(1, 2)


def _points(points: Tensor, where: Tensor, height: int, width: int) -> Tensor:
    """Where points (B, N, 2) in pixels go: the inverse of where colours come from."""
    middle = points.new_tensor([width / 2, height / 2])
    at = (points.double() - middle) / middle - where[:, None, :, 2]
    back = torch.linalg.inv(where[:, :, :2].double())
    placed: Tensor = (at @ back.mT) * middle + middle
    return placed.to(points.dtype)


def _seen(points: Tensor, height: int, width: int) -> Tensor:
    inside = ((points >= 0) & (points <= points.new_tensor([width, height]))).all(2, keepdim=True)
    return torch.where(inside, points, math.nan)


def _boxes(boxes: Tensor, where: Tensor, height: int, width: int) -> Tensor:
    """The boxes around moved ones, cut off at the picture's edge; NaN for those that are not to be seen."""
    corners = boxes[..., [0, 1, 2, 1, 2, 3, 0, 3]].reshape(len(boxes), -1, 2)
    placed = _points(corners, where, height, width).reshape(*boxes.shape[:2], 4, 2)
    edges = torch.cat([placed.amin(2), placed.amax(2)], 2)
    cut = edges.clamp(min=0).minimum(edges.new_tensor([width, height, width, height]))
    visible = (cut[..., 2:] > cut[..., :2]).all(2, keepdim=True)
    return torch.where(visible, cut, math.nan)
