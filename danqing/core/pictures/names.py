"""Names of pictures: their suffixes, their forms, and how messages show them; needs no torch."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

from danqing.core.recipe import LONGEST_NAME

READABLE = (
    ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".mpo", ".webp",
    ".tif", ".tiff", ".bmp", ".dib", ".gif", ".avif",
)  # fmt: skip
LONGEST = 120  # characters of a name in a message


def composed(name: str) -> str:
    """A name in Unicode's composed form (NFC), in which those of all systems are alike."""
    return unicodedata.normalize("NFC", name)


def folded(name: str) -> str:
    """A name as it is compared where upper and lower case, and Unicode's forms, make no difference."""
    return composed(composed(name).casefold())


def stem(name: str) -> str:
    """A path without the suffix of a picture; other dots belong to the name."""
    suffix = next((suffix for suffix in READABLE if name.lower().endswith(suffix)), "")
    return name[: len(name) - len(suffix)] if PurePosixPath(name).name.lower() != suffix else name


def fitting(name: str, ending: str) -> str:
    """A file's name with an ending; of one that is longer than disks hold, the last letters are left out."""
    while len(os.fsencode(name + ending)) > LONGEST_NAME and name:
        name = name[:-1]
    return name + ending


def natural(text: str) -> list[tuple[int, int | str]]:
    """A sorting key that puts picture9 before picture10."""
    parts = re.split(r"(\d+)", text)
    return [(0, int(part)) if at % 2 else (1, part) for at, part in enumerate(parts)]


def some(names: Iterable[str], count: int = 3) -> str:
    """The first few names for a message, anything unprintable escaped."""
    listed = list(names)
    return ", ".join(map(shown, listed[:count])) + (" …" if len(listed) > count else "")


def several(count: int, noun: str) -> str:
    """A count with its noun: 1 picture, 2,000 pictures."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def shown(name: str) -> str:
    """A name as it can be printed on one line."""
    line = name if name.isprintable() else ascii(name)
    return line if len(line) <= LONGEST else f"{line[: LONGEST // 2]}…{line[-LONGEST // 2 :]}"


__all__ = ["READABLE", "composed", "fitting", "folded", "natural", "several", "shown", "some", "stem"]
