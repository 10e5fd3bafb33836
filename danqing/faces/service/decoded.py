"""What was decoded is kept while there is room, so that it is not decoded again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

KEPT = 384 << 20  # bytes of decoded pictures


class Decoded:
    """Decoded pictures, the last ones used; bounded by their bytes."""

    def __init__(self, most: int = KEPT) -> None:
        self._most, self._lock = most, threading.Lock()
        self._kept: OrderedDict[Any, tuple[Any, int]] = OrderedDict()
        self._busy: dict[Any, threading.Lock] = {}

    def get(self, key: Any, make: Callable[[], Any], bytes_of: Callable[[Any], int]) -> Any:
        """What is kept under a key, or is made now; two who ask for the same wait for one making."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
            busy = self._busy.setdefault(key, threading.Lock())
        with busy:
            with self._lock:
                if key in self._kept:
                    return self._kept[key][0]
            try:
                made = make()
                with self._lock:
                    self._kept[key] = made, bytes_of(made)
                    while sum(size for _, size in self._kept.values()) > self._most and len(self._kept) > 1:
                        self._kept.popitem(last=False)
            finally:
                with self._lock:
                    self._busy.pop(key, None)
            return made


__all__ = ["Decoded"]
