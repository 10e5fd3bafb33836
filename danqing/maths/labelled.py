"""From what a batch says of its pictures to the things in each, as they are scored and drawn."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from danqing.core.learned.model import Samples
from danqing.core.pictures.found import Corners, Found, Spot, Thing


def things_of(samples: Samples, names: Sequence[str], points: Sequence[str] = (), masks: bool = False) -> list[Found]:
    """The things in each picture of a batch, from their boxes and points, or from the planes of their classes.

    Args:
        samples: as a :class:`danqing.core.learned.finder.Finder` learns from them.
        names: of the classes.
        points: names of the points.
        masks: whether all pixels of a class are one thing, as a segmenter is scored.
    """
    height, width = samples.x.shape[-2:]
    if masks:
        assert samples.mask is not None, "a batch of pictures with masks"
        return [Found(width, height, tuple(_of_planes(planes > 0.5, names))) for planes in samples.mask.cpu()]
    assert samples.boxes is not None, "a batch of labelled pictures"
    assert samples.y is not None, "of which classes the things are"
    count = len(points)
    found = []
    for at, (boxes, classes) in enumerate(zip(samples.boxes.cpu(), samples.y.cpu(), strict=True)):
        there = is_there(boxes, classes).nonzero().flatten().tolist()
        spots = None if samples.points is None or not count else samples.points[at].cpu().unflatten(0, (-1, count))
        things = [
            Thing(names[int(classes[n])], _corners(boxes[n]), 1.0, () if spots is None else _spots(spots[n], points))
            for n in there
        ]
        found.append(Found(width, height, tuple(things)))
    return found


def is_there(boxes: Tensor, classes: Tensor) -> Tensor:
    """Which rows of boxes (..., N, 4) with classes (..., N) are things; the others fill up, or left the picture."""
    return boxes.isfinite().all(-1) & (classes >= 0)


def around_pixels(mask: Tensor) -> Corners:
    """The box around the pixels of a mask (H, W) that has some."""
    rows, columns = mask.any(1).nonzero(), mask.any(0).nonzero()
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def _of_planes(planes: Tensor, names: Sequence[str]) -> list[Thing]:
    """One thing for each class that has pixels."""
    return [
        Thing(name, around_pixels(plane), mask=plane)
        for name, plane in zip(names, planes, strict=True)
        if bool(plane.any())
    ]


def _corners(box: Tensor) -> Corners:
    left, top, right, bottom = box.tolist()
    return left, top, right, bottom


def _spots(places: Tensor, names: Sequence[str]) -> tuple[Spot, ...]:
    seen = places.isfinite().all(1).tolist()
    return tuple(Spot(name, *place) for name, place, here in zip(names, places.tolist(), seen, strict=True) if here)


def mirrored_names(names: Sequence[str]) -> tuple[int, ...]:
    """Which point each becomes in a mirror: left and right change places in their names, where both are there."""
    place = {name.casefold(): at for at, name in enumerate(names)}
    return tuple(place.get(_other_side(name.casefold()), at) for at, name in enumerate(names))


def _other_side(name: str) -> str:
    for one, other in (("left", "right"), ("right", "left"), ("左", "右"), ("右", "左")):
        if one in name:
            return name.replace(one, other)
    for one, other in (("l_", "r_"), ("r_", "l_")):
        if name.startswith(one):
            return other + name[2:]
    for one, other in (("_l", "_r"), ("_r", "_l")):
        if name.endswith(one):
            return name[:-2] + other
    return name


__all__ = ["around_pixels", "is_there", "mirrored_names", "things_of"]
