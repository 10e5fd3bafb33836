"""Painting for several clients at once: their latents share the chunks that are painted anyway.

A painter paints chunks of a fixed size, so that each picture is the same whatever company it has; a request for one
picture leaves most of a chunk to waste. Rows of other requests that wait take these places.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict, deque
from concurrent.futures import Future
from typing import NamedTuple

import torch
from torch import Tensor

from danqing.core.learned.manner import paints_freely
from danqing.core.learned.model import Painter
from danqing.core.learned.painting import CHUNK, paint_chunk


class _Wish(NamedTuple):
    model: Painter
    z: Tensor
    y: Tensor | None
    wanted: int
    painted: Future[Tensor]


class Together:
    """Paints what is asked for by several threads, as many in one chunk as fit."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: defaultdict[tuple[object, ...], deque[_Wish]] = defaultdict(deque)
        self._painting: set[tuple[object, ...]] = set()
        self.chunks = 0
        self.wishes = 0

    def __call__(self, model: Painter, z: Tensor, y: Tensor | None, wanted: int) -> Tensor:
        """Paint the first ``wanted`` of a chunk of latents; as :data:`danqing.core.learned.painting.PAINT` asks."""
        way = json.dumps(model.config, sort_keys=True)  # the same weights may go different ways
        key = (next(model.parameters()).data_ptr(), way, z.shape[1:], z.dtype, y is None, paints_freely())
        wish = _Wish(model, z, y, wanted, Future())
        with self._lock:
            self.wishes += 1
            self._waiting[key].append(wish)
            mine = key not in self._painting
            if mine:
                self._painting.add(key)
        if mine:
            self._paint_all(key)
        return wish.painted.result()

    def _paint_all(self, key: tuple[object, ...]) -> None:
        """Paint until nobody waits; those who come meanwhile are taken along."""
        while True:
            with self._lock:
                batch = self._next(key)
                if not batch:
                    self._painting.discard(key)
                    self._waiting.pop(key, None)
                    return
                self.chunks += 1
            _paint(batch)

    def _next(self, key: tuple[object, ...]) -> list[_Wish]:
        batch: list[_Wish] = []
        rows, queue = 0, self._waiting[key]
        while queue and (not batch or rows + queue[0].wanted <= CHUNK):
            batch.append(queue.popleft())
            rows += batch[-1].wanted
        return batch


def _paint(batch: list[_Wish]) -> None:
    first = batch[0]
    try:
        if len(batch) == 1:
            first.painted.set_result(paint_chunk(first.model, first.z, first.y, first.wanted))
            return
        z = _filled([each.z[: each.wanted] for each in batch], first.z)
        y = (
            None
            if first.y is None
            else _filled([each.y[: each.wanted] for each in batch if each.y is not None], first.y)
        )
        wanted = [each.wanted for each in batch]
        for wish, part in zip(batch, paint_chunk(first.model, z, y, sum(wanted)).split(wanted), strict=True):
            wish.painted.set_result(part.clone())
    except BaseException as error:
        for wish in batch:
            if not wish.painted.done():
                wish.painted.set_exception(error)


def _filled(parts: list[Tensor], like: Tensor) -> Tensor:
    """Rows side by side, filled up to a whole chunk, unless they are painted freely."""
    rows = torch.cat(parts)
    return rows if paints_freely() else torch.cat([rows, like[: CHUNK - len(rows)]])


__all__ = ["Together"]
