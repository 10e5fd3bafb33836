"""Mask PNGs: a picture for each picture, whose values number the classes; 0 is none of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from danqing.core.disk import replacing
from danqing.core.errors import DataError
from danqing.core.notes import note
from danqing.core.pictures.found import Found, Thing
from danqing.data.annotations.label_set import (
    CLASSES,
    Folder,
    LabelSet,
    box_of,
    label_files,
    listed_classes,
    places_for,
)
from danqing.data.annotations.packed import Packed
from danqing.data.report import Unusable

MOST = 255  # classes that one byte can number, with 0


def read(place: Path, pictures: Folder) -> LabelSet:
    """Read a folder of PNGs and its classes.txt; all pixels of a class in a picture are one thing."""
    names = listed_classes(place)
    found = Packed()
    faults: list[Unusable] = []
    for written, each in label_files(place, ".png"):
        told, name = each.relative_to(place).as_posix(), pictures.name(written)
        if name is None:
            faults.append(Unusable(told, pictures.lack(written)))
            continue
        size = pictures.size(name)
        made = size if isinstance(size, str) else _things(each, names, size)
        if isinstance(made, str):
            faults.append(Unusable(told, made))
        else:
            found.add(name, Found(int(size[0]), int(size[1]), made))
    seen = {each.thing.label for each in found.kept()}
    return LabelSet(found, names or sorted(seen, key=lambda word: (len(word), word)), faults)


def write(labels: LabelSet, place: Path) -> list[Path]:
    """Write a PNG for each picture, and classes.txt; where things overlap, the later one is seen.

    Raises:
        DataError: if there are more classes than a byte can number.
    """
    if len(labels.classes) > MOST:
        raise DataError(f"{len(labels.classes)} classes are more than a mask can number", where=place)
    if any(each.mask is None for each in labels.found.kept()):
        note("Things without a mask are drawn as their boxes")
    places = places_for(labels.found, place, ".png")
    with replacing(place / CLASSES, force=False) as temporary:
        temporary.write_text("".join(f"{name}\n" for name in labels.classes), "utf-8")
    written = [place / CLASSES]
    for name, found in labels.found.items():
        plane = np.zeros((found.height, found.width), np.uint8)
        for each in found.things:
            left, top, right, bottom = map(round, each.box)
            where = (slice(top, bottom), slice(left, right)) if each.mask is None else each.mask.numpy()
            plane[where] = labels.classes.index(each.label) + 1
        file = places[name]
        with replacing(file, force=False) as temporary:
            Image.fromarray(plane).save(temporary, "PNG")
        written.append(file)
    return written


def _things(file: Path, names: list[str], size: tuple[int, int]) -> tuple[Thing, ...] | str:
    try:
        with Image.open(file) as image:
            if image.mode not in ("L", "P", "1", "I;16"):
                return f"is a picture of the mode {image.mode}, not of numbers of classes"
            plane = torch.from_numpy(np.asarray(image).astype(np.int64))
    except (OSError, ValueError) as error:
        return f"cannot be read ({error})"
    if plane.shape != (size[1], size[0]):
        return f"has {plane.shape[1]}×{plane.shape[0]} px, its picture {size[0]}×{size[1]}"
    made = []
    for key in plane.unique().tolist():
        if key == 0:
            continue
        if names and key > len(names):
            return f"has the class {key}, where there are {len(names)}"
        mask = plane == key
        box = box_of(mask)
        assert box is not None, "some pixels have this value"
        made.append(Thing(names[key - 1] if names else str(key), box, mask=mask))
    return tuple(made)
