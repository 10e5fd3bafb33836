"""The built-in digits as a set of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from danqing.core.disk import hash_of
from danqing.core.pictures.contract import Picture, from_uint8
from danqing.core.pictures.listing import PassedOver
from danqing.data.digits import FILE, digits
from danqing.data.identity import digest
from danqing.data.source import Pairing, Record


@dataclass(frozen=True)
class Digits:
    """Handwritten digits, of one split or both."""

    spec: str
    split: str | None
    classes: list[str] = field(default_factory=lambda: [str(digit) for digit in range(10)])
    remarks: list[str] = field(default_factory=list)
    passed_over: list[PassedOver] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(digits(self.split)[1])

    @property
    def fingerprint(self) -> str:
        return digest([hash_of(FILE), self.split])

    def records(self) -> Iterator[Record]:
        pictures, labels = digits(self.split)
        for at, label in enumerate(labels):
            name = f"{self.split or 'all'}/{at:05d}-{label}"
            yield Record(name, str(label), partial(_read, pictures[at]))

    def is_grey(self) -> bool:
        return True

    def pairing(self) -> Pairing | None:
        return None


def _read(pixels: NDArray[np.uint8], at_least: int | None) -> Picture:
    return Picture(from_uint8(pixels[None, :, :, None]))
