"""Local operators tile by tile, so that a very large picture needs bounded memory and shows no seams."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from danqing.core.errors import DanqingError
from danqing.core.fields.form import checked
from danqing.core.operators.operator import Operator
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job, Progress, finish, shared

TILE = 896  # px; with 64 px around, 1024 x 1024: 64 channels of a network at half that size are 64 MB
SMALLEST = 32  # px; what does not fit at this size will not fit at all
ALIGN = 32  # px; networks that halve a picture up to five times see the same grid in every tile


class Region(NamedTuple):
    """A rectangle of a picture in pixels; bottom and right are not part of it."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def side(self) -> int:
        """The longer side."""
        return max(self.bottom - self.top, self.right - self.left)

    @property
    def area(self) -> int:
        """How many pixels it has."""
        return (self.bottom - self.top) * (self.right - self.left)

    def cut(self, tile: int) -> Iterator[Region]:
        """Cut it into pieces of at most ``tile`` pixels a side, in reading order."""
        for top in range(self.top, self.bottom, tile):
            for left in range(self.left, self.right, tile):
                yield Region(top, left, min(top + tile, self.bottom), min(left + tile, self.right))

    def widened(self, reach: int, height: int, width: int) -> Region:
        """Add ``reach`` pixels on every side and start on the grid, as far as the picture goes."""
        top, left = (max(side - reach, 0) // ALIGN * ALIGN for side in (self.top, self.left))
        return Region(top, left, min(self.bottom + reach, height), min(self.right + reach, width))

    def of(self, x: Tensor) -> Tensor:
        """Take this rectangle out of pictures (B, C, H, W)."""
        return x[..., self.top : self.bottom, self.left : self.right]

    def within(self, other: Region, scale: int) -> Region:
        """Where this rectangle lies in ``other``, in pixels of a result ``scale`` times as large."""
        top, left = (self.top - other.top) * scale, (self.left - other.left) * scale
        return Region(top, left, top + (self.bottom - self.top) * scale, left + (self.right - self.left) * scale)


def run(operator: Operator[..., Any], ready: dict[str, Any], tile: int = TILE) -> Job[Any]:
    """Run an operator on values that are checked: tile by tile if it says how far it looks and they are larger.

    Args:
        operator: any operator on pictures.
        ready: its values, pictures included.
        tile: side of a tile in pixels.

    Returns:
        A job with what the operator returns.
    """
    x = ready[operator.subject]
    if operator.reach is None or max(x.shape[-2:]) <= tile or operator.reach_for(ready) is None:
        return operator.whole(ready)
    return tiling(operator, ready, tile)


def local(
    function: Callable[..., Images], x: Images, reach: int, tile: int = TILE, **others: Images | None
) -> Job[Images]:
    """Run a function of pictures (and of masks and pictures that belong to them) tile by tile; see :func:`tiling`."""
    whole: Operator[..., Images] = Operator(function, function.__name__, "", reach)
    values = {whole.subject: x, **others}
    return whole.run(values) if max(x.shape[-2:]) <= tile else tiling(whole, values, tile)


def tiled(operator: Operator[..., Any], x: Images, params: dict[str, Any], tile: int = TILE) -> Images:
    """Check the values and run a local operator tile by tile; see :func:`tiling`."""
    return finish(tiling(operator, checked(operator.fields, {**params, operator.subject: x}), tile))


def tiling(operator: Operator[..., Any], ready: dict[str, Any], tile: int = TILE) -> Job[Images]:
    """Run a local operator tile by tile, with the result of the whole picture and the memory of a tile.

    Every tile is computed with the pixels around it that the operator looks at, which are then cut away; at the
    picture's own edges nothing is added, so that the operator treats them as it always does. Masks and pictures among
    the parameters that have the size of the pictures are cut along with them. A tile that does not fit in memory is
    halved. What the operator itself says of its progress is passed on, and it can be stopped wherever it does.

    Args:
        operator: an operator with a reach.
        ready: its checked values, pictures (B, C, H, W) included.
        tile: side of a tile in pixels, without its surroundings.

    Returns:
        A job with the pictures (B, C', scale H, scale W).

    Raises:
        TypeError: if the operator has no reach, or its result is not ``scale`` times as large as its input.

    Source: danqing.
    """
    reach, scale = operator.reach_for(ready), operator.scale_for(ready)
    if reach is None:
        raise TypeError(f"{operator.name} must see the whole picture")
    x = ready[operator.subject]
    height, width = x.shape[-2:]
    whole, result, done = Region(0, 0, height, width), None, 0
    yield Progress(0, whole.area, "looking at the whole picture")
    items = [operator.settled(ready, item) for item in range(len(x))]
    todo = deque([whole])
    while todo:
        region = todo.popleft()
        if region.side > tile:
            todo.extendleft(reversed(list(region.cut(tile))))
            continue
        try:
            work = _computed(operator, items, region, region.widened(reach, height, width), scale)
            piece = yield from shared(work, done, region.area, f"tiles of {tile} px", whole.area)
        except Exception as error:
            tile = _smaller(tile, operator, error)
            todo.appendleft(region)
            continue
        if result is None:
            result = piece.new_empty(*piece.shape[:2], height * scale, width * scale)
        Region(*(side * scale for side in region)).of(result).copy_(piece)
        done += region.area
        yield Progress(done, whole.area, f"tiles of {tile} px", piece)
    assert result is not None  # a picture has at least one pixel
    return result


def _computed(
    operator: Operator[..., Any], items: list[dict[str, Any]], region: Region, window: Region, scale: int
) -> Job[Images]:
    """Compute one region of every picture of the batch, one picture at a time."""
    pieces = []
    for at, values in enumerate(items):
        size = values[operator.subject].shape[-2:]
        work = operator.run({name: _cut_out(value, size, window) for name, value in values.items()})
        piece = yield from shared(work, at / len(items), 1 / len(items))
        expected = (scale * (window.bottom - window.top), scale * (window.right - window.left))
        if not isinstance(piece, Tensor) or piece.shape[-2:] != expected:
            raise TypeError(f"{operator.name} has a reach, but does not return pictures {scale} times as large")
        pieces.append(region.within(window, scale).of(piece))
    return torch.cat(pieces)


def _cut_out(value: Any, size: torch.Size, window: Region) -> Any:
    """Take the window out of a picture, and of the masks and pictures that belong to it."""
    is_like = isinstance(value, Tensor) and value.ndim == 4 and value.shape[-2:] == size
    return window.of(value) if is_like else value


def _smaller(tile: int, operator: Operator[..., Any], error: Exception) -> int:
    """The next tile to try after running out of memory; any other error goes on."""
    signs = ("out of memory", "allocate memory", "insufficient memory")
    if not isinstance(error, MemoryError) and not any(sign in str(error).lower() for sign in signs):
        raise error
    if tile // 2 < SMALLEST:
        raise DanqingError(
            f"not enough memory, even for tiles of {tile} px", where=operator.name, remedy="Close other programs"
        ) from error
    return tile // 2


__all__ = ["TILE", "Region", "local", "run", "tiled", "tiling"]
