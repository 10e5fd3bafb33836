"""BlazePose on persons: the square around each is turned upright by what a first look says, and looked at again."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from danqing.core.pictures.contract import Images
from danqing.core.pictures.found import Found, Spot, Thing, inside
from danqing.nets.blazepose import MIDDLE, NAMES, RIM, SIDE, BlazePose

WIDER = 1.25  # than the circle around the body, or a box: so much of the surroundings the net wants to see
PERSON = "person"
LEAST = 0.5  # of a point's score, for it to count for the box


class Square(NamedTuple):
    """Where a person is: the middle, half the side, and how the body is turned, in pixels and radians."""

    x: float
    y: float
    half: float
    angle: float = 0.0


@torch.no_grad()
def poses_in(net: BlazePose, picture: Images, persons: Found, threshold: float) -> Found:
    """The points of each person's body.

    Args:
        net: what places the points.
        picture: (1, C, H, W) in [0, 1].
        persons: where persons are, as a detector says; other things are passed over.
        threshold: how sure the net must be that the square shows a person.
    """
    height, width = picture.shape[-2:]
    things = []
    for thing in persons.things:
        if thing.label == PERSON:
            left, top, right, bottom = thing.box
            square = Square((left + right) / 2, (top + bottom) / 2, WIDER / 2 * max(right - left, bottom - top))
            points, _ = _look(net, picture, square)
            square = _upright(points)
            points, presence = _look(net, picture, square)
            if presence >= threshold:
                things.append(_person(points, thing, min(presence, 1.0), width, height))
    return Found(width, height, tuple(things))


def _look(net: BlazePose, picture: Images, square: Square) -> tuple[Tensor, float]:
    """Points (39, 3) in the picture, x, y and how sure; and how sure it is that there is a person."""
    height, width = picture.shape[-2:]
    cos, sin = math.cos(square.angle) * square.half, math.sin(square.angle) * square.half
    turn = torch.tensor([[cos, -sin], [sin, cos]])
    middle = torch.tensor([square.x, square.y])
    reach = torch.tensor([width / 2, height / 2])
    grid = functional.affine_grid(
        torch.cat([turn / reach[:, None], ((middle - reach) / reach)[:, None]], 1)[None], [1, 3, SIDE, SIDE], False
    )
    shrink = max(1, round(2 * square.half / SIDE))  # else fine detail would fall between the samples
    source = functional.avg_pool2d(picture, min(shrink, height, width)) if shrink > 1 else picture
    cut = functional.grid_sample(source.expand(-1, 3, -1, -1), grid.to(picture), align_corners=False)
    points, presence = net(cut)
    place = (points[0, :, :2] / SIDE * 2 - 1) @ turn.T + middle
    sure = torch.minimum(points[0, :, 3:4].sigmoid(), points[0, :, 4:5].sigmoid())
    return torch.cat([place, sure], 1), float(presence)


def _upright(points: Tensor) -> Square:
    """The square that the net would rather see: around the hips, the body upright."""
    (x, y, _), (rim_x, rim_y, _) = points[MIDDLE].tolist(), points[RIM].tolist()
    radius = max(math.hypot(rim_x - x, rim_y - y), 1.0)
    angle = math.atan2(rim_y - y, rim_x - x) + math.pi / 2
    return Square(x, y, WIDER * radius, angle)


def _person(points: Tensor, thing: Thing, presence: float, width: int, height: int) -> Thing:
    """A person with points, in a box around those that are seen and what the detector found."""
    spots = tuple(Spot(name, *each) for name, each in zip(NAMES, points.tolist(), strict=False))
    seen = [spot for spot in spots if spot.score >= LEAST]
    if not seen:
        return Thing(PERSON, thing.box, presence, spots)
    across, down = [spot.x for spot in seen], [spot.y for spot in seen]
    left, top, right, bottom = thing.box
    box = inside((min(left, *across), min(top, *down), max(right, *across), max(bottom, *down)), width, height)
    return Thing(PERSON, box or thing.box, presence, spots)


__all__ = ["PERSON", "poses_in"]
