"""What people or nets said of a set of pictures, whatever the format of the files; and what is wrong in them."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import torch
from torch import Tensor

from danqing.core.errors import DataError, OutputError, PictureError
from danqing.core.finite import finite
from danqing.core.notes import note
from danqing.core.pictures.found import Corners, Spot, Thing, inside
from danqing.core.pictures.header import opened
from danqing.core.pictures.listing import files_in, guessed, pictures_in
from danqing.core.pictures.metadata import told
from danqing.core.pictures.names import composed, some, stem
from danqing.data.annotations.packed import Packed
from danqing.data.label_table import text_in
from danqing.data.report import Unusable

WAYS: tuple[Callable[[str], str], ...] = (str, str.casefold)  # to the letter, then in either case


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
        self._tables = [_table(self.files, way) for way in WAYS]

    def name(self, written: str, beside: Path | None = None) -> str | None:
        """The picture that a label file means; None if it is missing, or several are called so.

        Args:
            written: what stands in the file.
            beside: the folder of the file: where it holds such a picture, that one is meant; else of several that which
                lies in the same part of the set, such as train.
        """
        plain = composed(written.replace("\\", "/"))
        if beside is not None and beside.is_relative_to(self.place):
            near = (beside.relative_to(self.place) / plain).as_posix()
            if near in self.files:
                return near
        meant = next(filter(None, (_meant(plain, way, self._tables[at]) for at, way in enumerate(WAYS))), [])
        if len(meant) > 1 and beside is not None and beside.is_relative_to(self.place):
            top = beside.relative_to(self.place).parts[:1]
            meant = [each for each in meant if PurePosixPath(each).parts[:1] == top]
        return meant[0] if len(meant) == 1 else None

    def lack(self, written: str) -> str:
        """Why no picture is the one that a label file means."""
        plain = composed(written.replace("\\", "/"))
        doubtful = any(_meant(plain, way, self._tables[at]) for at, way in enumerate(WAYS))
        return (
            f"no picture {written} can be told: several are called so" if doubtful else f"there is no picture {written}"
        )

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


def _table(names: Iterable[str], way: Callable[[str], str]) -> dict[str, dict[str, list[str]]]:
    """Pictures by their path, by that without suffix, by their bare name, and by that without suffix."""
    tables: dict[str, dict[str, list[str]]] = {key: defaultdict(list) for key in ("path", "stem", "bare", "bare stem")}
    for name in names:
        bare = PurePosixPath(name).name
        for key, value in zip(tables, (name, stem(name), bare, stem(bare)), strict=True):
            tables[key][way(value)].append(name)
    return tables


def _meant(plain: str, way: Callable[[str], str], tables: dict[str, dict[str, list[str]]]) -> list[str]:
    """The pictures that a name fits best; several where it does not say which."""
    path, bare = way(plain), way(PurePosixPath(plain).name)
    asked = (
        ("path", path), ("stem", path), ("stem", stem(path)),
        ("bare", bare), ("bare stem", bare), ("bare stem", stem(bare)),
    )  # fmt: skip
    return next((tables[kind][key] for kind, key in asked if key in tables[kind]), [])


def label_files(place: Path, suffix: str) -> list[tuple[str, Path]]:
    """The label files in a folder, in either case of the suffix: path below it without that, and file.

    What is hidden, or is what a file manager notes about other files, is none.

    Raises:
        DataError: if the folder cannot be searched.
    """
    found = [each for each in files_in(place).found if each.name.lower().endswith(suffix)]
    return [(each.name[: -len(suffix)], each.file) for each in found]


def places_for(names: Iterable[str], place: Path, suffix: str) -> dict[str, Path]:
    """Where the label file of each picture is to lie: under its name.

    Raises:
        DataError: if two pictures would share one.
        OutputError: if one is there already.
    """
    made = {name: place / f"{stem(name)}{suffix}" for name in names}
    often = Counter(made.values())
    if shared := [name for name, file in made.items() if often[file] > 1]:
        remedy = "Name them each otherwise, or write COCO"
        raise DataError(f"would hold one label file for {some(shared)}", where=place, remedy=remedy)
    if there := next((file for file in made.values() if file.exists()), None):
        raise OutputError("exists already", where=there, remedy="Choose another place")
    return made


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
        if len(outline) % 2:
            return f"a polygon of {len(outline)} numbers, which are no pairs"
        if len(outline) < 6:
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
    found = [number for each in values if (number := finite(each)) is not None]
    return found if len(found) == len(values) else None


def score_in(told: Mapping[str, Any]) -> float | None:
    """The score that a label tells: 1 where it tells none, None where it is no number."""
    read = [1.0] if told.get("score") is None else numbers([told["score"]])
    return read[0] if read else None


def text_of(file: Path) -> str:
    """What stands in a text file, without the mark that some editors begin one with; an encoding may be guessed."""
    text, encoding = text_in(file.read_bytes())
    if encoding:
        note(guessed(encoding))
    return text


def disagreeing(stated: tuple[Any, Any], size: tuple[int, int]) -> str | None:
    """What is wrong if a file says that its picture has another size; those that say nothing, or 0, do not."""
    try:
        told = tuple(int(each) for each in stated)
    except (TypeError, ValueError, OverflowError):
        return None
    if min(told) < 1 or told == size:
        return None
    turned = ", which its EXIF may turn: labels are to be those of the picture as it is seen" * (told == size[::-1])
    return f"says {told[0]}×{told[1]} px of a picture of {size[0]}×{size[1]} px{turned}"


def class_names(found: Packed) -> list[str]:
    """All labels, each once, in alphabetical order."""
    return sorted({each.thing.label for each in found.kept()})


__all__ = [
    "Folder", "LabelSet", "around", "box_of", "class_names", "disagreeing", "filled", "label_files", "numbers",
    "places_for", "score_in", "text_of", "thing",
]  # fmt: skip
