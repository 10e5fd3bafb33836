"""What was found in a picture: things with a label, a box, key points and perhaps a mask; as JSON values and back."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeGuard

import numpy as np
import torch
from torch import Tensor

from danqing.core.errors import PictureError
from danqing.core.finite import finite

Corners = tuple[float, float, float, float]
LARGEST = 2**31  # px a side
LARGEST_MASK = 1 << 28  # px: as many as a picture that danqing makes may have

CORNERS = ("top left", "top right", "bottom right", "bottom left")  # names of the points of what has four


class Spot(NamedTuple):
    """A key point.

    Attributes:
        name: what it is, such as "left eye".
        x: pixels from the left border; the middle of the first pixel is at 0.5.
        y: pixels from the top border.
        score: how sure it is that it is there, 0…1.
    """

    name: str
    x: float
    y: float
    score: float = 1.0


class Thing(NamedTuple):
    """One thing in a picture.

    Attributes:
        label: its class.
        box: left, top, right, bottom in pixels, from border to border.
        score: how sure it is, 0…1; 1 where a person said so.
        points: its key points.
        mask: the pixels (H, W) of the whole picture that belong to it, bool; None where nobody knows.
    """

    label: str
    box: Corners
    score: float = 1.0
    points: tuple[Spot, ...] = ()
    mask: Tensor | None = None


class Found(NamedTuple):
    """All that was found in one picture.

    Attributes:
        width: of the picture in pixels.
        height: of the picture in pixels.
        things: the surest first, unless somebody ordered them otherwise.
    """

    width: int
    height: int
    things: tuple[Thing, ...] = ()


def to_json(found: Found) -> dict[str, Any]:
    """Write down as JSON values: pixels to a hundredth, scores to four places, masks in COCO's run lengths."""
    return {"width": found.width, "height": found.height, "things": [_told(thing) for thing in found.things]}


def from_json(value: Any, where: object = "boxes") -> Found:
    """Read what :func:`to_json` wrote, or a person; boxes are cut off at the picture's borders.

    Raises:
        PictureError: naming the thing that is wrong: a box outside, of no area or not of four numbers, a score above 1,
            a mask of another size.
    """
    if not isinstance(value, dict) or not isinstance(value.get("things"), list):
        raise PictureError("holds nothing that was found in a picture", where=where, remedy="Such as detect writes")
    width, height = value.get("width"), value.get("height")
    if not (_is_side(width) and _is_side(height)):
        raise PictureError("does not say the width and height of its picture", where=where)
    return Found(
        width, height, tuple(_read(each, width, height, at, where) for at, each in enumerate(value["things"], 1))
    )


def seen_in(found: Found, place: Callable[[float, float], tuple[float, float]], size: tuple[int, int]) -> Found:
    """What was found in a picture, as it is in a part of it, or in a smaller one; things outside are left out.

    Args:
        found: of the picture.
        place: where a place (x, y) in the picture lies in the other.
        size: width and height of the other, in pixels.
    """
    things = []
    for each in found.things:
        box = inside((*place(*each.box[:2]), *place(*each.box[2:])), *size)
        if box is not None:
            points = tuple(spot._replace(x=x, y=y) for spot in each.points for x, y in (place(spot.x, spot.y),))
            mask = None if each.mask is None else _seen(each.mask, place, size)
            things.append(each._replace(box=box, points=points, mask=mask))
    return Found(*size, tuple(things))


def _seen(mask: Tensor, place: Callable[[float, float], tuple[float, float]], size: tuple[int, int]) -> Tensor:
    """A mask (H, W), bool, in a part of its picture or a smaller one: each pixel as what lies under its middle."""
    (left, top), (right, bottom) = place(0, 0), place(mask.shape[1], mask.shape[0])
    columns = (torch.arange(size[0]) + 0.5 - left) / (right - left) * mask.shape[1]
    rows = (torch.arange(size[1]) + 0.5 - top) / (bottom - top) * mask.shape[0]
    at = rows.long().clamp(0, mask.shape[0] - 1), columns.long().clamp(0, mask.shape[1] - 1)
    return mask[at[0]][:, at[1]]


def run_lengths(mask: Tensor) -> dict[str, Any]:
    """A mask (H, W), bool, as COCO writes it uncompressed: lengths of runs of 0 and 1 in turn, column by column."""
    flat = mask.cpu().numpy().T.reshape(-1)
    ends = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff(np.concatenate([[0], ends, [flat.size]])).tolist()
    return {"size": list(mask.shape), "counts": [0, *counts] if flat.size and flat[0] else counts}


def from_run_lengths(value: Any, height: int, width: int) -> Tensor | None:
    """The mask (H, W), bool; None if these are no run lengths of that size."""
    counts = value.get("counts") if isinstance(value, dict) else None
    if isinstance(value, dict) and value.get("size", [height, width]) != [height, width]:
        return None
    if not isinstance(counts, list) or not all(_is_count(each) for each in counts) or sum(counts) != height * width:
        return None
    if height * width > LARGEST_MASK:
        return None
    marks = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    return torch.from_numpy(marks.reshape(width, height).T.copy())


def inside(box: Corners, width: int, height: int) -> Corners | None:
    """What of a box lies in a picture; None if it is not finite, or nothing does."""
    if not all(map(math.isfinite, box)):
        return None
    left, top, right, bottom = max(box[0], 0), max(box[1], 0), min(box[2], width), min(box[3], height)
    return (float(left), float(top), float(right), float(bottom)) if right > left and bottom > top else None


def _told(thing: Thing) -> dict[str, Any]:
    told: dict[str, Any] = {"label": thing.label, "score": round(thing.score, 4)}
    told["box"] = [round(each, 2) for each in thing.box]
    if thing.points:
        told["points"] = [
            {"name": each.name, "x": round(each.x, 2), "y": round(each.y, 2), "score": round(each.score, 4)}
            for each in thing.points
        ]
    if thing.mask is not None:
        told["mask"] = run_lengths(thing.mask)
    return told


def _read(value: Any, width: int, height: int, at: int, where: object) -> Thing:
    def refuse(what: str) -> PictureError:
        return PictureError(f"thing {at} {what}", where=where)

    if not isinstance(value, dict) or not isinstance(value.get("label"), str):
        raise refuse("has no label")
    box = value.get("box")
    if not isinstance(box, list) or len(box) != 4 or not all(map(_is_number, box)):
        raise refuse("has no box of four numbers: left, top, right, bottom")
    cut = inside(tuple(map(float, box)), width, height)  # type: ignore[arg-type]
    if cut is None:
        shown = ", ".join(f"{each:g}" for each in box)
        empty = box[2] <= box[0] or box[3] <= box[1]
        raise refuse(f"has a box of no area ({shown})" if empty else f"lies outside its picture ({shown})")
    score = value.get("score", 1.0)
    if not _is_number(score) or not 0 <= score <= 1:
        raise refuse(f"has a score that is not between 0 and 1 ({score})")
    mask = None
    if "mask" in value and (mask := from_run_lengths(value["mask"], height, width)) is None:
        raise refuse(f"has a mask that does not fit {width}×{height} px")
    told = value.get("points", [])
    points = [_spot(each) for each in told] if isinstance(told, list) else [None]
    if any(each is None for each in points):
        raise refuse("has a point without a name, x and y, or with a score that is not between 0 and 1")
    return Thing(value["label"], cut, float(score), tuple(filter(None, points)), mask)


def _spot(value: Any) -> Spot | None:
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return None
    numbers = [value.get("x"), value.get("y"), value.get("score", 1.0)]
    sound = all(map(_is_number, numbers)) and 0 <= numbers[2] <= 1
    return Spot(value["name"], *map(float, numbers)) if sound else None


def _is_number(value: Any) -> bool:
    return finite(value) is not None


def _is_side(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < LARGEST


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def labels_of(found: Found) -> list[str]:
    """The classes there are, each once, in order."""
    return [label for label, _ in itertools.groupby(sorted(thing.label for thing in found.things))]


__all__ = [
    "CORNERS",
    "Corners",
    "Found",
    "Spot",
    "Thing",
    "from_json",
    "from_run_lengths",
    "inside",
    "labels_of",
    "run_lengths",
    "seen_in",
    "to_json",
]
