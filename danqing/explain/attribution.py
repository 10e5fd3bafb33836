"""Where in a picture a restorer looks for one pixel of its result, and how far it really looks."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from danqing.core.artefacts.figures import Figures
from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.fields.point import Point
from danqing.core.learned.model import Restorer
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job, Progress, shared
from danqing.maths.heat import heated, to_unit

BEYOND = 16  # px outside the stated reach that are tried, too
SEEN = 0.5 / 255  # a change of the result that could be seen
DARKER = 0.5  # what a square is multiplied by; light ones become darker, dark ones stay, so half of it is added


@operator
def attribution(
    x: Images,
    weights: Restorer,
    point: Point | None = None,
    side: Annotated[int, Range(1, 64, "px")] = 8,
    sigma: Annotated[float, Range(0, 255)] | None = None,
) -> Job[Figures]:
    """Show which parts of a picture one pixel of its restoration comes from, and how far the restorer looks.

    Squares around the pixel are changed one after the other, and the pixel's own change is measured: it needs no look
    inside the model. Squares up to 16 px beyond the model's stated reach are tried as well.

    Args:
        x: pictures that the restorer can be given without a mask.
        weights: a restorer: a run folder, a .safetensors file, or a bundled name such as denoise-tiny.
        point: the pixel of the result; by default the middle one.
        side: of the squares that are changed.
        sigma: strength of the noise on the 0–255 scale, for a restorer of noise; else it looks at all of the picture to
            estimate it.

    Returns:
        for each picture the ``reach`` that the model states; ``sees``, the distance within which lies all that changes
        the pixel visibly (half a step of 255); ``most``, the distance within which lie 90 % of the changes; and
        ``beyond``, the largest change (of 255) from outside the reach; and the changes over the picture.

    Raises:
        ParameterError: for a point outside the picture, or a restorer whose result has another size.

    Source: Gu & Dong 2021, arXiv:2011.11036, for the question; Zeiler & Fergus 2014, arXiv:1311.2901, for hiding.

    Examples:
        danqing attribution photo.png --weights denoise-tiny --sigma 25 --point 120,80 --out comes-from.png
    """
    column, row = point or (x.shape[3] // 2, x.shape[2] // 2)
    if column >= x.shape[3] or row >= x.shape[2]:
        what = f"{column},{row} lies outside the picture of {x.shape[3]}×{x.shape[2]} px"
        raise ParameterError(what, where="point")
    rows, drawn = [], []
    for at, picture in enumerate(x.split(1)):
        work = _changes(weights, picture, (row, column), side, sigma)
        found, reached = yield from shared(work, at, 1, "", len(x))
        rows.append(reached)
        drawn.append(heated(picture, to_unit(found)))
    return Figures(rows, torch.cat(drawn))


def _changes(
    model: Restorer, x: Images, place: tuple[int, int], side: int, sigma: float | None
) -> Job[tuple[Tensor, dict[str, float]]]:
    given = {} if sigma is None else {"level": x.new_tensor([sigma / 255])}
    before = model.restore(x, **given)
    if before.shape[2:] != x.shape[2:]:
        raise ParameterError("the result has another size than the picture", where="weights")
    row, column = place
    corners = [
        (top, left)
        for top in _starts(row, x.shape[2], model.reach + BEYOND, side)
        for left in _starts(column, x.shape[3], model.reach + BEYOND, side)
    ]
    found, told = x.new_zeros(1, 1, *x.shape[2:]), []
    for at, (top, left) in enumerate(corners):
        spoilt = x.clone()
        square = spoilt[..., top : top + side, left : left + side]
        square.copy_(torch.where(square.mean() > 0.5, square * DARKER, square * DARKER + 1 - DARKER))
        change = float((model.restore(spoilt, **given) - before)[0, :, row, column].abs().max())
        found[..., top : top + side, left : left + side] = change
        told.append((_distance(row, column, top, left, side), change))
        yield Progress(at + 1, len(corners), "changing squares")
    return found, _reached(told, model.reach)


def _starts(middle: int, length: int, reach: int, side: int) -> list[int]:
    """Where squares begin along an axis: one is centred on the pixel, and they cover what lies within the reach."""
    first = middle - side // 2
    return [
        at
        for at in range(first - -(-reach // side) * side, middle + reach + 1, side)
        if at >= 0 and at + side <= length
    ]


def _distance(row: int, column: int, top: int, left: int, side: int) -> int:
    """Of the square's nearest pixel, the larger of both directions."""
    down = max(top - row, row - (top + side - 1), 0)
    across = max(left - column, column - (left + side - 1), 0)
    return max(down, across)


def _reached(told: list[tuple[int, float]], reach: int) -> dict[str, float]:
    told = sorted(told)
    total, so_far, most = sum(change for _, change in told), 0.0, 0
    for distance, change in told:
        if so_far < 0.9 * total:
            so_far, most = so_far + change, distance
    sees = max((distance for distance, change in told if change >= SEEN), default=0)
    beyond = max((change for distance, change in told if distance > reach), default=0.0)
    return {"reach": reach, "sees": sees, "most": most, "beyond": 255 * beyond}
