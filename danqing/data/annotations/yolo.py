"""YOLO: a text file for each picture; a line is a class and a box, or a polygon, in shares of the picture."""

from __future__ import annotations

import math
from pathlib import Path

from danqing.core.disk import replacing
from danqing.core.notes import note
from danqing.core.pictures.found import Found, Thing
from danqing.data.annotations.class_list import CLASSES, check_names, is_class_list, listed_classes
from danqing.data.annotations.label_set import (
    Folder,
    LabelSet,
    around,
    filled,
    label_files,
    places_for,
    text_of,
    thing,
)
from danqing.data.annotations.packed import Packed
from danqing.data.report import Unusable

SLACK = 1e-6  # beyond 1 that rounding may bring


def read(place: Path, pictures: Folder) -> LabelSet:
    """Read a folder of text files and its classes.txt or data.yaml; without, classes are called by their numbers."""
    names = listed_classes(place)
    found = Packed()
    faults: list[Unusable] = []
    for written, file in label_files(place, ".txt"):
        if is_class_list(file):
            continue
        told, name = file.relative_to(place).as_posix(), pictures.name(written, place)
        if name is None:
            faults.append(Unusable(told, pictures.lack(written)))
            continue
        size, things = pictures.size(name), []
        if isinstance(size, str):
            faults.append(Unusable(told, size))
            continue
        try:
            lines = text_of(file).splitlines()
        except (OSError, ValueError) as error:
            faults.append(Unusable(told, f"cannot be read ({error})"))
            continue
        for number, line in enumerate(lines, 1):
            made = _thing(line.split(), names, size) if line.strip() else None
            if isinstance(made, str):
                faults.append(Unusable(told, f"line {number} has {made}"))
            elif made is not None:
                things.append(made)
        found.add(name, Found(*size, tuple(things)))
    seen = {each.thing.label for each in found.kept()}
    return LabelSet(found, names or sorted(seen, key=lambda each: (len(each), each)), faults)


def write(labels: LabelSet, place: Path) -> list[Path]:
    """Write a text file for each picture, and classes.txt; scores stand behind boxes, masks and points are left out.

    Raises:
        DataError: if a class has a name that does not fit on a line.
    """
    if any(each.mask is not None or each.thing.points for each in labels.found.kept()):
        note("YOLO's files hold boxes alone: masks and points are left out")
    check_names(labels.classes, place)
    keys = {name: at for at, name in enumerate(labels.classes)}
    files = {place / CLASSES: "".join(f"{name}\n" for name in labels.classes)}
    places = places_for(labels.found, place, ".txt")
    for name, found in labels.found.items():
        lines = (_line(each, keys[each.label], found) for each in found.things)
        files[places[name]] = "".join(lines)
    written = []
    for file, text in files.items():
        with replacing(file, force=False) as temporary:
            temporary.write_text(text, "utf-8")
        written.append(file)
    return written


def _thing(words: list[str], names: list[str], size: tuple[int, int]) -> Thing | str:
    try:
        key, values = int(words[0]), [float(word) for word in words[1:]]
    except ValueError:
        return "words where numbers belong"
    if key < 0 or (names and key >= len(names)):
        return f"the class {key}, where there are {len(names)}"
    label = names[key] if names else str(key)
    if not label:
        return f"the class {key}, which has no name"
    if len(values) < 4:
        return f"{len(values)} numbers behind its class: a box has 4, a polygon 6 or more"
    if not all(math.isfinite(value) and -SLACK <= value <= 1 + SLACK for value in values):
        return "values that are no shares of the picture, 0…1"
    width, height = size
    if len(values) in (4, 5):
        x, y, across, down = (value * side for value, side in zip(values, (width, height) * 2, strict=False))
        box = (x - across / 2, y - down / 2, x + across / 2, y + down / 2)
        return thing(label, box, size, score=values[4] if len(values) == 5 else 1.0)
    outline = [value * (width, height)[at % 2] for at, value in enumerate(values)]
    mask = filled([outline], size)
    return mask if isinstance(mask, str) else thing(label, around(outline), size, mask=mask)


def _line(each: Thing, key: int, found: Found) -> str:
    left, top, right, bottom = each.box
    shares = ((left + right) / 2 / found.width, (top + bottom) / 2 / found.height,
              (right - left) / found.width, (bottom - top) / found.height)  # fmt: skip
    score = "" if each.score == 1 else f" {each.score!r}"
    return f"{key} {' '.join(f'{share:.10f}' for share in shares)}{score}\n"
