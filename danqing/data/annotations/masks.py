"""Mask PNGs: a picture for each picture, whose values number the classes; 0 is none of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from danqing.core.disk import replacing
from danqing.core.errors import DataError
from danqing.core.notes import note
from danqing.core.pictures.found import Found, Thing
from danqing.core.pictures.names import several
from danqing.data.annotations.class_list import CLASSES, check_names, listed_classes
from danqing.data.annotations.label_set import Folder, LabelSet, box_of, label_files, places_for
from danqing.data.annotations.packed import Packed
from danqing.data.report import Unusable

MOST = 255  # classes that one byte can number, with 0
WHITE = 255  # the only class where masks are black and white; in Pascal VOC what belongs to no class for certain
DAMAGED = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)  # what Pillow raises of files that are


def read(place: Path, pictures: Folder) -> LabelSet:
    """Read a folder of PNGs and its classes.txt; all pixels of a class in a picture are one thing."""
    names = listed_classes(place)
    found = Packed()
    faults: list[Unusable] = []
    for written, each in label_files(place, ".png"):
        told, name = each.relative_to(place).as_posix(), pictures.name(written, place)
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
        DataError: if there are more classes than a byte can number, or one has a name that does not fit on a line.
    """
    if len(labels.classes) > MOST:
        raise DataError(f"{len(labels.classes)} classes are more than a mask can number", where=place)
    check_names(labels.classes, place)
    _tell_losses(labels)
    places = places_for(labels.found, place, ".png")
    with replacing(place / CLASSES, force=False) as temporary:
        temporary.write_text("".join(f"{name}\n" for name in labels.classes), "utf-8")
    written, hidden = [place / CLASSES], 0
    for name, found in labels.found.items():
        plane = np.zeros((found.height, found.width), np.uint8)
        for each in found.things:
            left, top, right, bottom = map(round, each.box)
            where = (slice(top, bottom), slice(left, right)) if each.mask is None else each.mask.numpy()
            plane[where] = labels.classes.index(each.label) + 1
        hidden += len({each.label for each in found.things} - {labels.classes[at - 1] for at in np.unique(plane) if at})
        file = places[name]
        with replacing(file, force=False) as temporary:
            Image.fromarray(plane).save(temporary, "PNG")
        written.append(file)
    if hidden:
        note(f"{several(hidden, 'thing')} cannot be seen in mask PNGs: covered by others, or smaller than a pixel")
    return written


def _tell_losses(labels: LabelSet) -> None:
    """Note what the pictures of classes cannot hold."""
    things = list(labels.found.kept())
    if any(each.mask is None for each in things):
        note("Things without a mask are drawn as their boxes")
    if any(each.thing.points or each.thing.score != 1 for each in things):
        note("Mask PNGs hold pixels of classes alone: points and scores are left out")
    counted = [len({each.label for each in found.things}) < len(found.things) for found in labels.found.bare()]
    if any(counted):
        note(f"Things of one class are one in a mask PNG: in {several(sum(counted), 'picture')} there are more")


def _without_white(plane: Tensor, names: list[str]) -> Tensor:
    """Numbers of classes (H, W), where white is the class, or is none, unless there are as many classes as that."""
    white = plane == WHITE
    if not names or len(names) >= WHITE or not white.any():
        return plane
    if len(names) == 1 and bool((white | (plane == 0)).all()):
        return white.long()
    note(f"{WHITE} in mask PNGs counts as nothing, as Pascal VOC means it")
    return plane.masked_fill(white, 0)


def _things(file: Path, names: list[str], size: tuple[int, int]) -> tuple[Thing, ...] | str:
    try:
        with Image.open(file) as image:
            if image.mode not in ("L", "P", "1", "I;16"):
                return f"is a picture of the mode {image.mode}, not of numbers of classes"
            plane = torch.from_numpy(np.asarray(image).astype(np.int64))
    except DAMAGED as error:
        return f"cannot be read ({error})"
    if plane.shape != (size[1], size[0]):
        return f"has {plane.shape[1]}×{plane.shape[0]} px, its picture {size[0]}×{size[1]}"
    made = []
    plane = _without_white(plane, names)
    for key in plane.unique().tolist():
        if key == 0:
            continue
        if names and key > len(names):
            return f"has the class {key}, where there are {len(names)}"
        if names and not names[key - 1]:
            return f"has the class {key}, which has no name"
        mask = plane == key
        box = box_of(mask)
        assert box is not None, "some pixels have this value"
        made.append(Thing(names[key - 1] if names else str(key), box, mask=mask))
    return tuple(made)
