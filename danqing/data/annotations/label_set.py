"""What people or nets said of a set of pictures, whatever the format of the files; and what is wrong in them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from danqing.core.errors import PictureError
from danqing.core.pictures.found import Corners, Spot, Thing, inside
from danqing.core.pictures.header import opened
from danqing.core.pictures.listing import pictures_in
from danqing.core.pictures.metadata import told
from danqing.core.pictures.names import stem
from danqing.data.annotations.packed import Packed
from danqing.data.report import Unusable

CLASSES = "classes.txt"  # beside label files that number their classes: one name a line


class LabelSet(NamedTuple):
    """Labels of a set.

    Attributes:
        found: what is in each picture, by its name; a picture without things is data as well.
        classes: all names in the order of the files.
        faults: what of the files cannot be used, each named with its reason.
    """

    found: Packed
    classes: list[str]
    faults: list[Unusable]


class Folder:
    """The pictures that labels are for, found by their names with or without suffix and folder.

    Args:
        place: the folder.
        without: places of labels in it, whose own pictures (masks) are none of the set.
    """

    def __init__(self, place: Path, without: Sequence[Path] = ()) -> None:
        self.place = place
        outside = [each.resolve() for each in without]
        found = [each for each in pictures_in(place).found if not _lies_in(each.file, outside)]
        self.files = {each.name: each.file for each in found}
        self._stems = {stem(name): name for name in self.files}
        self._bare = _unique((Path(name).name, name) for name in self.files)
        self._bare_stems = _unique((Path(stem(name)).name, name) for name in self.files)

    def name(self, written: str, beside: Path | None = None) -> str | None:
        """The picture that a label file means; None if it is missing, or several are called so.

        Args:
            written: what stands in the file.
            beside: the folder of the file: where it holds such a picture, that one is meant.
        """
        plain = written.replace("\\", "/")
        if beside is not None and beside.is_relative_to(self.place):
            near = (beside.relative_to(self.place) / plain).as_posix()
            if near in self.files:
                return near
        if plain in self.files:
            return plain
        bare = Path(plain).name
        whole = self._stems.get(stem(plain)) or self._bare.get(bare)
        return whole or self._bare_stems.get(bare) or self._bare_stems.get(stem(bare))

    def size(self, name: str) -> tuple[int, int] | str:
        """Width and height of a picture as it is seen, or why they cannot be known."""
        try:
            with opened(self.files[name], limit=2**62) as header:
                turned = told(header).orientation >= 5
                return (header.height, header.width) if turned else (header.width, header.height)
        except PictureError:
            return f"its picture {name} cannot be read"


def _lies_in(file: Path, places: Sequence[Path]) -> bool:
    return bool(places) and not {file.resolve(), *file.resolve().parents}.isdisjoint(places)


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Those whose key occurs once."""
    listed = list(pairs)
    often = Counter(key for key, _ in listed)
    return {key: name for key, name in listed if often[key] == 1}


def thing(
    label: str, box: Sequence[float], size: tuple[int, int], points: Iterable[Spot] = (), mask: Tensor | None = None,
    score: float = 1.0,
) -> Thing | str:  # fmt: skip
    """A thing as label files tell it, or why it is none."""
    if len(box) != 4 or not all(map(math.isfinite, box)):
        return "a box that is not four numbers"
    left, top, right, bottom = map(float, box)
    if right <= left or bottom <= top:
        return f"a box of no area ({left:g}, {top:g}, {right:g}, {bottom:g})"
    cut = inside((left, top, right, bottom), *size)
    if cut is None:
        return f"a box outside the picture of {size[0]}×{size[1]} px ({left:g}, {top:g}, {right:g}, {bottom:g})"
    spots = tuple(points)
    for each in (score, *(spot.score for spot in spots)):
        if not 0 <= each <= 1:
            return f"a score that is not between 0 and 1 ({each:g})"
    return Thing(label, cut, score, spots, mask)


def filled(outlines: Sequence[Sequence[float]], size: tuple[int, int]) -> Tensor | str:
    """The mask (H, W), bool, of polygons given as x, y, x, y …; or why there is none."""
    from skimage.draw import polygon

    mask = torch.zeros(size[1], size[0], dtype=torch.bool)
    for outline in outlines:
        if len(outline) < 6 or len(outline) % 2:
            return f"a polygon of {len(outline) // 2} points"
        if not all(map(math.isfinite, outline)):
            return "a polygon whose points are not numbers"
        x, y = ([value - 0.5 for value in outline[at::2]] for at in (0, 1))  # the middle of the first pixel is at 0.5
        rows, columns = polygon(y, x, (size[1], size[0]))
        mask[torch.from_numpy(rows), torch.from_numpy(columns)] = True
    return mask


def box_of(mask: Tensor) -> Corners | None:
    """The box around a mask (H, W); None if it is empty."""
    rows, columns = mask.any(1).nonzero(), mask.any(0).nonzero()
    if not len(rows):
        return None
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def around(outline: Sequence[float]) -> Corners:
    """The box around points given as x, y, x, y and so on."""
    x, y = outline[0::2], outline[1::2]
    return float(min(x)), float(min(y)), float(max(x)), float(max(y))


def numbers(values: Any) -> list[float] | None:
    """A list of finite numbers; None if it is none."""
    if not isinstance(values, list | tuple):
        return None
    fits = all(isinstance(each, int | float) and not isinstance(each, bool) and math.isfinite(each) for each in values)
    return list(map(float, values)) if fits else None


def score_in(told: Mapping[str, Any]) -> float | None:
    """The score that a label tells: 1 where it tells none, None where it is no number."""
    read = [1.0] if told.get("score") is None else numbers([told["score"]])
    return read[0] if read else None


def text_of(file: Path) -> str:
    """What stands in a text file, without the mark that some editors begin one with."""
    return file.read_text("utf-8-sig", "surrogateescape")


def disagreeing(stated: tuple[Any, Any], size: tuple[int, int]) -> str | None:
    """What is wrong if a file says that its picture has another size; those that say nothing, or 0, do not."""
    try:
        told = tuple(int(each) for each in stated)
    except (TypeError, ValueError, OverflowError):
        return None
    if min(told) < 1 or told == size:
        return None
    return f"says {told[0]}×{told[1]} px of a picture of {size[0]}×{size[1]} px"


def listed_classes(place: Path) -> list[str]:
    """The names in the classes.txt of a folder, or of the one around it; none where there is no such file.

    The place of a line is the number of its class, so that an empty one counts, but at the end.
    """
    file = next((each / CLASSES for each in (place, place.parent) if (each / CLASSES).is_file()), None)
    return [] if file is None else [line.strip() for line in text_of(file).rstrip().splitlines()]


def class_names(found: Packed) -> list[str]:
    """All labels, each once, in alphabetical order."""
    return sorted({each.thing.label for each in found.kept()})


__all__ = [
    "CLASSES", "Folder", "LabelSet", "around", "box_of", "class_names", "disagreeing", "filled", "listed_classes",
    "numbers", "score_in", "text_of", "thing",
]  # fmt: skip
