"""What a set of pictures is, wherever it lies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from danqing.core.pictures.contract import Picture
from danqing.core.pictures.listing import PassedOver


class Record(NamedTuple):
    """One picture that has not been read yet.

    ``read(at_least)`` reads it, a JPEG perhaps shrunk (see :mod:`danqing.core.pictures.reading`), raises DanqingError
    where it cannot be read; ``read_pair`` reads its partner in a set of pairs. ``frames()`` tells from its header how
    many frames or pages it has.
    """

    name: str
    label: str | None
    read: Callable[[int | None], Picture]
    read_pair: Callable[[int | None], Picture] | None = None
    frames: Callable[[], int] = lambda: 1


class Pairing(NamedTuple):
    """The second pictures of a set of pairs: how many times as large as the first, and whether all are grey."""

    scale: int
    grey: bool


class Source(Protocol):
    """A set of pictures in a fixed order.

    Attributes:
        spec: what the user called it.
        classes: names of the classes in their order; empty when unlabelled. Of remote shards, known in the end.
        count: number of pictures; None where only reading tells.
        fingerprint: changes when the set changes or lies elsewhere, as far as that shows without reading all of it.
        remarks: what is worth telling people.
        passed_over: what is no picture, and why.
    """

    @property
    def spec(self) -> str: ...
    @property
    def classes(self) -> list[str]: ...
    @property
    def count(self) -> int | None: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def remarks(self) -> list[str]: ...
    @property
    def passed_over(self) -> list[PassedOver]: ...
    def records(self) -> Iterator[Record]:
        """Go through the pictures of this split."""
        ...

    def is_grey(self) -> bool:
        """Whether all pictures, those of the other split too, are grey, as far as their headers tell."""
        ...

    def pairing(self) -> Pairing | None:
        """What the partners are in a set of pairs; None of a set of single pictures."""
        ...
