"""What is in many pictures, with masks kept small: a few hundred bytes each instead of one a pixel."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from danqing.core.pictures.found import Found, Thing

FAST = 1  # of zlib's levels: what is mostly even becomes small at any


class Kept(NamedTuple):
    """A thing without its mask, and that mask as bits, packed; None where it has none."""

    thing: Thing
    mask: bytes | None


class Packed(Mapping[str, Found]):
    """What is in pictures, by their names. Masks are unpacked when a picture is asked for, and anew each time."""

    def __init__(self, found: Mapping[str, Found] | None = None) -> None:
        self._sizes: dict[str, tuple[int, int]] = {}
        self._kept: dict[str, list[Kept]] = {}
        for name, each in (found or {}).items():
            self.add(name, each)

    def add(self, name: str, found: Found) -> None:
        """Keep what is in one more picture, in place of what was known of it."""
        self._sizes[name], self._kept[name] = (found.width, found.height), []
        for thing in found.things:
            self.add_thing(name, thing)

    def add_thing(self, name: str, thing: Thing) -> None:
        """Keep one more thing of a picture that was added."""
        mask = None if thing.mask is None else _packed(thing.mask)
        self._kept[name].append(Kept(thing._replace(mask=None), mask))

    def update(self, other: Packed) -> None:
        """Keep what another keeps, in place of what was known of its pictures."""
        self._sizes |= other._sizes
        self._kept |= other._kept

    def bare(self, names: Iterable[str] | None = None) -> Iterator[Found]:
        """What is in pictures (all, if none are named) without masks, which need not be unpacked then."""
        for name in self if names is None else names:
            yield Found(*self._sizes[name], tuple(each.thing for each in self._kept[name]))

    def kept(self) -> Iterator[Kept]:
        """All things, and whether they have masks."""
        for each in self._kept.values():
            yield from each

    def of(self, name: str) -> list[Kept]:
        """The things of a picture; none of one that was not added."""
        return self._kept.get(name, [])

    def fingerprint(self, names: Iterable[str]) -> str:
        """The SHA-256 of what is in these pictures."""
        found = sha256()
        for name in names:
            found.update(repr((name, self._sizes[name])).encode())
            for thing, mask in self._kept[name]:
                found.update(repr((thing.label, thing.box, thing.points)).encode())
                found.update(b"" if mask is None else mask)
        return found.hexdigest()

    def __getitem__(self, name: str) -> Found:
        width, height = self._sizes[name]
        things = (
            each.thing._replace(mask=None if each.mask is None else _unpacked(each.mask, height, width))
            for each in self._kept[name]
        )
        return Found(width, height, tuple(things))

    def __iter__(self) -> Iterator[str]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)


def _packed(mask: Tensor) -> bytes:
    return zlib.compress(np.packbits(mask.cpu().numpy()).tobytes(), FAST)


def _unpacked(data: bytes, height: int, width: int) -> Tensor:
    bits = np.unpackbits(np.frombuffer(zlib.decompress(data), np.uint8), count=height * width)
    return torch.from_numpy(bits.view(np.bool_).reshape(height, width))


__all__ = ["Kept", "Packed"]
