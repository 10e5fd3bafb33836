"""Where in a picture a restorer looks for one pixel of its result, and how far it really looks."""

from __future__ import annotations

import itertools
from typing import Annotated

import torch
from torch import Tensor

from danqing.core.artefacts.figures import Figures
from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.fields.point import Point
from danqing.core.learned.model import Restorer
from danqing.core.operators.operator import operator
from danqing.core.operators.tiles import Region
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job, Progress, shared
from danqing.maths.heat import heated, to_unit
from danqing.maths.selection import point_in

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
        ``beyond``, the largest change (of 255) from outside the reach; and the square roots of the
        changes over the picture, so that small ones are seen, too.

    Raises:
        ParameterError: for a point outside the picture, or a restorer whose result has another size.

    Source: Gu & Dong 2021, arXiv:2011.11036, for the question; Zeiler & Fergus 2014, arXiv:1311.2901, for hiding.

    Examples:
        danqing attribution photo.png --weights denoise-tiny --sigma 25 --point 120,80 --out comes-from.png
    """
    place = (x.shape[2] // 2, x.shape[3] // 2) if point is None else point_in(x, point)
    rows, drawn = [], []
    for at, picture in enumerate(x.split(1)):
        work = _changes(weights, picture, place, side, sigma)
        found, reached = yield from shared(work, at, 1, "", len(x))
        rows.append(reached)
        drawn.append(heated(picture, to_unit(found).sqrt()))
    return Figures(rows, torch.cat(drawn))


def _changes(
    model: Restorer, x: Images, place: tuple[int, int], side: int, sigma: float | None
) -> Job[tuple[Tensor, dict[str, float]]]:
    """How much each square changes the pixel, (1, 1, H, W); and how far the model looks."""
    row, column = place
    height, width = x.shape[2:]
    given = {} if sigma is None else {"level": x.new_tensor([sigma / 255])}
    tried = model.reach + BEYOND
    near = Region(0, 0, height, width)
    if sigma is not None:  # nothing is estimated from all of the picture
        near = Region(row, column, row + 1, column + 1).widened(tried + side, height, width)
    x, found = near.of(x), x.new_zeros(1, 1, height, width)
    before = model.restore(x, **given)
    if before.shape[2:] != x.shape[2:]:
        raise ParameterError("the result has another size than the picture", where="weights")
    rows, columns = _pieces(row, height, tried, side), _pieces(column, width, tried, side)
    told = []
    for at, (down, across) in enumerate(itertools.product(rows, columns)):
        square = Region(down.start, across.start, down.stop, across.stop)
        spoilt = x.clone()
        part = square.within(near, 1).of(spoilt)
        part.copy_(torch.where(part.mean() > 0.5, part * DARKER, part * DARKER + 1 - DARKER))
        moved = (model.restore(spoilt, **given) - before)[0, :, row - near.top, column - near.left]
        change = float(moved.abs().max())
        square.of(found).fill_(change)
        told.append((_distance(row, column, square), change))
        yield Progress(at + 1, len(rows) * len(columns), "changing squares")
    return found, _reached(told, model.reach)


def _pieces(middle: int, length: int, reach: int, side: int) -> list[range]:
    """The squares along an axis: one lies on the pixel, and all cover what is in reach, cut off at the edges."""
    first = middle - side // 2
    starts = range(first - -(-reach // side) * side, middle + reach + 1, side)
    return [range(max(at, 0), min(at + side, length)) for at in starts if at + side > 0 and at < length]


def _distance(row: int, column: int, square: Region) -> int:
    """Of the square's nearest pixel, the larger of both directions."""
    down = max(square.top - row, row - (square.bottom - 1), 0)
    across = max(square.left - column, column - (square.right - 1), 0)
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
