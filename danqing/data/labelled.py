"""Labels of things laid on the squares of a packed store."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray
from torch.nn import functional

from danqing.core.disk import replacing
from danqing.core.learned.finder import Needs
from danqing.core.pictures.found import Found
from danqing.core.pictures.names import natural
from danqing.data.annotations.label_set import LabelSet
from danqing.data.cache import cached
from danqing.data.fit import Fit
from danqing.data.identity import digest
from danqing.data.journal import told
from danqing.data.store import Store
from danqing.data.things import Things

FORMAT = 1  # of the planes; part of the name under which they are cached
CHUNK = 256  # planes that are hashed at once
LEAST = 0.25  # of a thing must lie in what a crop leaves, for it to count as seen


def with_things(store: Store, labels: LabelSet, fit: Fit, needs: Needs) -> Store:
    """A store that knows what is in its pictures.

    Args:
        store: whose pictures are all labelled.
        labels: what is in them, by their names.
        fit: how pictures became squares.
        needs: what is learned from.
    """
    points = point_names(labels) if needs == "points" else ()
    rows = [
        _rows(one, _Fitted.of(one, fit, store.size), labels.classes, points) for one in labels.found.bare(store.names)
    ]
    boxes, classes, spots = [each[0] for each in rows], [each[1] for each in rows], [each[2] for each in rows]
    planes = _planes(store, labels, fit) if needs == "masks" else None
    things = Things(boxes, classes, spots, points, planes, len(labels.classes))
    hashed = sha256(b"".join(each.tobytes() for row in rows for each in row))
    for start in range(0, 0 if planes is None else len(planes), CHUNK):
        hashed.update(planes[start : start + CHUNK].tobytes())  # type: ignore[index]
    identity = digest([store.about.get("sha256"), labels.classes, points, hashed.hexdigest()])
    about = {**store.about, "sha256": identity, "things": sum(map(len, boxes)), "points": list(points)}
    return replace(store, labels=None, classes=list(labels.classes), things=things, about=about)


def point_names(labels: LabelSet) -> tuple[str, ...]:
    """The names of all points, in an order that other pictures with the same points do not change."""
    names = {spot.name for each in labels.found.kept() for spot in each.thing.points}
    return tuple(sorted(names, key=natural))


@dataclass(frozen=True)
class _Fitted:
    """How a picture came into its square: shifted by left and top, then scaled, then laid down at x and y."""

    left: float
    top: float
    across: float
    down: float
    x: int
    y: int
    width: int
    height: int
    size: int

    @classmethod
    def of(cls, found: Found, fit: Fit, size: int) -> _Fitted:
        """As :func:`danqing.data.fit.square` does it."""
        width, height = found.width, found.height
        if fit == "crop":
            side = min(width, height)
            left, top = (width - side) // 2, (height - side) // 2
            return cls(left, top, size / side, size / side, 0, 0, size, size, size)
        longer = max(width, height)
        wide, high = (max(1, round(size * edge / longer)) for edge in (width, height)) if fit == "pad" else (size, size)
        place = (size - wide) // 2, (size - high) // 2
        return cls(0, 0, wide / width, high / height, *place, wide, high, size)

    def moved(self, places: NDArray[np.float64]) -> NDArray[np.float32]:
        """Where points (..., 2) in the picture come to lie."""
        shifted = (places - [self.left, self.top]) * [self.across, self.down] + [self.x, self.y]
        return shifted.astype(np.float32)


def _rows(
    found: Found, fitted: _Fitted, classes: Sequence[str], points: Sequence[str]
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
    """Boxes, classes and points of what a square still shows of a picture."""
    count = len(found.things)
    whole = fitted.moved(np.array([each.box for each in found.things], np.float64).reshape(count, 2, 2)).reshape(
        count, 4
    )
    boxes = whole.clip(0, fitted.size)
    kept = _areas(boxes) >= LEAST * _areas(whole).clip(1e-9)
    spots = np.full((count, len(points), 2), np.nan)
    for row, each in enumerate(found.things):
        for spot in each.points:
            if spot.name in points:
                spots[row, points.index(spot.name)] = spot.x, spot.y
    placed = fitted.moved(spots)
    placed[((placed < 0) | (placed > fitted.size)).any(-1)] = np.nan
    labels = np.array([classes.index(each.label) for each in found.things], np.int64)
    return boxes[kept], labels[kept], placed[kept]


def _areas(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    sides: NDArray[np.float32] = (boxes[:, 2:] - boxes[:, :2]).clip(0)
    product: NDArray[np.float32] = sides.prod(1)
    return product


def _planes(store: Store, labels: LabelSet, fit: Fit) -> NDArray[np.uint8]:
    """The classes of the pixels of all squares, memory-mapped: drawn one by one into a file, or there from before."""
    if not len(store):
        return np.zeros((0, 1, 1), np.uint8)
    key = [FORMAT, store.about.get("sha256"), store.size, fit, labels.classes, labels.found.fingerprint(store.names)]
    file = cached("planes", str(store.about.get("source", "")), key) / "planes"
    shape = (len(store), store.size, store.size)
    if not file.exists() or file.stat().st_size != math.prod(shape):
        with told(file.parent):
            file.parent.mkdir(parents=True, exist_ok=True)
            with replacing(file) as temporary, open(temporary, "wb") as stream:
                for name in store.names:
                    found = labels.found[name]
                    stream.write(_plane(found, _Fitted.of(found, fit, store.size), labels.classes).tobytes())
    return np.memmap(file, np.uint8, "r", shape=shape)


def _plane(found: Found, fitted: _Fitted, classes: Sequence[str]) -> NDArray[np.uint8]:
    """The classes of a square's pixels; where things overlap, the smaller one is seen."""
    plane = np.zeros((fitted.size, fitted.size), np.uint8)
    inner = plane[fitted.y : fitted.y + fitted.height, fitted.x : fitted.x + fitted.width]
    things = [each for each in found.things if each.mask is not None]
    for each in sorted(things, key=lambda each: -int(each.mask.sum())):  # type: ignore[union-attr]
        assert each.mask is not None
        height, width = round(fitted.height / fitted.down), round(fitted.width / fitted.across)
        left, top = int(fitted.left), int(fitted.top)
        part = each.mask[top : top + height, left : left + width].float()[None, None]
        small = functional.interpolate(part, inner.shape, mode="bilinear", antialias=True, align_corners=False)[0, 0]
        inner[(small >= 0.5).numpy()] = classes.index(each.label) + 1
    return plane


__all__ = ["point_names", "with_things"]
