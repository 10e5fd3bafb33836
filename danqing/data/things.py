"""What is in the pictures of a store, as arrays: boxes, classes, points and pixels of the things in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from danqing.core.learned.model import Samples
from danqing.maths.labelled import mirrored_names

NOTHING = -1  # the class of rows that fill up


@dataclass(frozen=True)
class Things:
    """What is in each picture of a store, in the pixels of its squares.

    Attributes:
        boxes: float32 (n, 4) a picture: left, top, right, bottom.
        classes: int64 (n,) a picture.
        spots: float32 (n, P, 2) a picture: x and y of the named points; NaN where one is not known.
        points: names of the points.
        planes: bytes (N, S, S) a store: 0, or a class and 1; None where nobody learns from pixels.
        count: of the classes.
    """

    boxes: list[NDArray[np.float32]]
    classes: list[NDArray[np.int64]]
    spots: list[NDArray[np.float32]]
    points: Sequence[str]
    planes: NDArray[np.uint8] | None
    count: int

    @property
    def mirrored(self) -> tuple[int, ...]:
        """Which point each becomes in a mirror."""
        return mirrored_names(self.points)

    def beside(self, samples: Samples, at: NDArray[np.int64]) -> Samples:
        """Samples of these pictures, with what is in them."""
        most = max(1, max((len(self.boxes[each]) for each in at), default=1))
        boxes = np.full((len(at), most, 4), np.nan, np.float32)
        classes = np.full((len(at), most), NOTHING, np.int64)
        spots = np.full((len(at), most, len(self.points), 2), np.nan, np.float32)
        for row, each in enumerate(at):
            here = len(self.boxes[each])
            boxes[row, :here], classes[row, :here] = self.boxes[each], self.classes[each]
            spots[row, :here] = self.spots[each]
        return samples._replace(
            y=torch.from_numpy(classes),
            boxes=torch.from_numpy(boxes),
            points=torch.from_numpy(spots).flatten(1, 2) if self.points else None,
            mask=None if self.planes is None else self._planes(at),
        )

    def _planes(self, at: NDArray[np.int64]) -> Tensor:
        assert self.planes is not None
        known = torch.from_numpy(self.planes[at].astype(np.int64))
        return functional.one_hot(known, self.count + 1)[..., 1:].permute(0, 3, 1, 2).float()


__all__ = ["NOTHING", "Things"]
