"""Which pictures are learned from and which are held out; which belong in pairs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

SIDES = {
    "train": "train", "training": "train",
    "test": "test", "testing": "test", "val": "test", "valid": "test", "validation": "test",
}  # fmt: skip
HELD_OUT = 0.1  # of a set that does not say itself what is held out
PAIRED = ("input", "target")  # the two folders of a set of pairs


class Placed(NamedTuple):
    """Where a picture belongs.

    Attributes:
        side: "train" or "test".
        part: "input" or "target" in a set of pairs; else empty.
        name: its path below the folders that say so.
        key: what it has in common with its partner, but for the suffix.
    """

    side: str
    part: str
    name: str
    key: str


def placed(names: Sequence[str]) -> list[Placed]:
    """Find out where every picture belongs.

    Sides are told apart by folders train and test (or val), else by a hash of each picture's name, 9 : 1. A set of
    pairs lies in two folders input and target, below those of the sides where there are such.
    """
    tops = [SIDES.get(top.casefold()) if rest else None for top, rest in map(_cut, names)]
    said = set(tops) == {"train", "test"}
    below = [_cut(name)[1] for name in names] if said else list(names)
    parts = [top.casefold() if rest else "" for top, rest in map(_cut, below)]
    paired = set(parts) == set(PAIRED)
    if paired:
        below = [_cut(name)[1] for name in below]
    hashed = [str(top) for top in tops] if said else [side_of(name) for name in below]
    if "train" not in hashed:  # of a handful, chance may hold out all
        hashed = ["train"] * len(names)
    keys = [f"{side}/{name}" for side, name in zip(hashed, below, strict=True)] if said else below
    kinds = parts if paired else [""] * len(names)
    return [Placed(*each) for each in zip(hashed, kinds, below, keys, strict=True)]


def side_of(name: str) -> str:
    """The side, "train" or "test", on which a picture falls by its name alone."""
    digest = hashlib.sha256(b"danqing split 1\0" + name.encode("utf-8", "surrogateescape")).digest()
    return "test" if int.from_bytes(digest[:8], "big") < HELD_OUT * 2**64 else "train"


def _cut(name: str) -> tuple[str, str]:
    top, _, rest = name.partition("/")
    return top, rest
