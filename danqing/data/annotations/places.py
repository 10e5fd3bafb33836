"""Where the labels of a set of pictures lie, and whether a model can learn from them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from typing import NamedTuple, get_args

from danqing.core.errors import DataError
from danqing.core.learned.finder import Needs
from danqing.core.notes import note
from danqing.core.pictures.found import Found
from danqing.core.pictures.listing import files_in, hidden_part, pictures_in
from danqing.core.pictures.names import READABLE, several, some, stem
from danqing.data.annotations.class_list import is_class_list
from danqing.data.annotations.formats import CODECS, format_of
from danqing.data.annotations.label_set import Folder, LabelSet, text_of
from danqing.data.annotations.packed import Kept, Packed
from danqing.data.sides import SIDES

HOMES = (
    "labels",
    "Annotations",
    "annotations",
    "labelme",
    "masks",
    "SegmentationClass",
)  # what such folders are called
WITHIN = ("images", "pictures", "JPEGImages")  # and folders of pictures beside them
FORMS = (".txt", ".xml", ".json")
GIVE = "Say where they lie with --labels: a COCO .json, or a folder of YOLO's, Pascal VOC's or LabelMe's files or masks"
LACKS: dict[Needs, tuple[str, str]] = {
    "boxes": ("boxes", "COCO, YOLO, Pascal VOC and LabelMe files hold them"),
    "masks": ("masks", "Polygons or masks of COCO or LabelMe, YOLO's polygons, or mask PNGs hold them"),
    "points": ("key points", "COCO and LabelMe files hold them"),
}

OTHERS: dict[Needs, str] = {
    "boxes": "danqing train detector learns from boxes alone",
    "masks": "danqing train segmenter learns from masks",
    "points": "danqing train keypoints learns from points",
}


class Labelled(NamedTuple):
    """A folder of pictures with the labels of things in them.

    Attributes:
        place: the folder of pictures.
        labels: what is in each, by its name below the folder.
    """

    place: Path
    labels: LabelSet


def read_labelled(pictures: str | Path, labels: Path | None, needs: Needs, *, skip_bad: bool = False) -> Labelled:
    """Find and read the labels of things for a training.

    Pictures that no label file speaks of are left out, and that is said; an empty one says that nothing is there.

    Args:
        pictures: a folder.
        labels: a COCO file, or a folder of label files; None: found beside the pictures.
        needs: what the model learns from.
        skip_bad: go on without labels that cannot be used, and say so.

    Raises:
        DataError: if there are no labels, some cannot be used, or the model can learn nothing from them.
    """
    home = Path(pictures)
    if not home.is_dir():
        what = "is no folder; labels of things belong to a folder of pictures"
        raise DataError(what, where=pictures, remedy="Unpack it, or give the folder" if home.exists() else "")
    beside = label_places(home)
    places = beside if labels is None else _given(labels)
    if not places:
        raise DataError("has no labels of things in its pictures", where=home, remedy=GIVE)
    place = _innermost(home, [*places, *beside])
    folder = Folder(place, [each for each in [*places, *beside] if each.resolve() != place.resolve()])
    found = _joined([CODECS[_format(each)].read(each, folder) for each in places])
    if found.faults:
        _tell_faults(found, place, places[0], skip_bad)
    bare = [name for name in folder.files if name not in found.found]
    if bare and found.found:
        told = f"{several(len(bare), 'picture')} without labels left out: {some(bare)}"
        note(f"{told}; an empty label file says that nothing is there")
    _check(found, needs, places[0])
    return Labelled(place, found)


def _tell_faults(labels: LabelSet, pictures: Path, where: Path, skip_bad: bool) -> None:
    """Raises DataError naming the first labels that cannot be used, or only notes them."""
    first = "; ".join(f"{each.name}: {each.reason}" for each in labels.faults[:3])
    more = " …" if len(labels.faults) > 3 else ""
    what = f"{several(len(labels.faults), 'label')} cannot be used: {first}{more}"
    if not skip_bad:
        check = f"danqing data check {quote(str(pictures))} --boxes {quote(str(where))}"
        raise DataError(what, where=where, remedy=f"{check} names them all; --skip-bad goes on without them")
    note(what)


def label_places(home: Path) -> list[Path]:
    """Where labels lie in a folder of pictures or beside it: COCO files, else folders of label files."""
    around = [home, home.parent] if home.name.casefold() in map(str.casefold, WITHIN) else [home]
    for each in around:
        if found := [*_coco_in(each), *(file for name in HOMES for file in _coco_in(each / name))]:
            return found
        for name in HOMES:
            if (each / name).is_dir() and _spoken(each / name):
                return [each / name]
        below = [side / name for side in _sides(each) for name in HOMES]
        if found := [place for place in below if place.is_dir() and _spoken(place)]:
            return found
    return [home] if _beside(home) else []


def _given(labels: Path) -> list[Path]:
    """The files or the folder that a person means.

    Raises:
        DataError: if there is no such place.
    """
    if not labels.exists():
        raise DataError("no such file or folder of labels", where=labels)
    return (list(_coco_in(labels)) or [labels]) if labels.is_dir() else [labels]


def _format(place: Path) -> str:
    if place.is_file() and place.suffix.lower() != ".json":
        what = "is no labels of things, which are a COCO .json or a folder of label files"
        raise DataError(what, where=place, remedy="Tables of labels are for danqing train classifier")
    return format_of(place)


def _coco_in(folder: Path) -> Iterator[Path]:
    """The COCO files that lie in a folder, or in its folders train and test (or val)."""
    if folder.is_dir():
        every = (file for each in (folder, *_sides(folder)) for file in each.iterdir())
        told = (file for file in every if file.suffix.lower() == ".json" and hidden_part(file.name) is None)
        yield from filter(is_coco, sorted(told))


def _sides(folder: Path) -> list[Path]:
    """Its folders train and test (or val)."""
    return sorted(each for each in folder.iterdir() if each.name.casefold() in SIDES and each.is_dir())


def is_coco(file: Path) -> bool:
    """Whether a JSON file is a COCO file, as its keys tell."""
    try:
        text = text_of(file)
    except (OSError, ValueError):
        return False
    return '"annotations"' in text and '"categories"' in text and '"images"' in text


def _spoken(folder: Path) -> bool:
    """Whether a folder holds label files."""
    files = (each.file for each in files_in(folder).found)
    return any(not is_class_list(each) and each.suffix.lower() in (*FORMS, ".png") for each in files)


def _beside(home: Path) -> bool:
    """Whether label files lie beside the pictures, under their names."""
    below = [each.name for each in files_in(home).found]
    pictures = {stem(name).casefold() for name in below if name.lower().endswith(READABLE)}
    told = (Path(name).with_suffix("").as_posix() for name in below if name.lower().endswith(FORMS))
    return any(name.casefold() in pictures for name in told)


def _innermost(home: Path, places: list[Path]) -> Path:
    """The folder that holds the pictures: the only one that does, where labels lie in others."""
    apart = {place.resolve() for place in places} - {home.resolve()}
    folders = {file.parent for file in (each.file for each in pictures_in(home).found)}
    outside = [each for each in folders if apart.isdisjoint([each.resolve(), *each.resolve().parents])]
    return Path(os.path.commonpath(outside)) if outside else home


def _joined(sets: list[LabelSet]) -> LabelSet:
    """Labels of several files as one.

    Raises:
        DataError: if two of them speak of one picture.
    """
    found = Packed()
    for each in sets:
        if twice := sorted(found.keys() & each.found.keys()):
            raise DataError(
                f"{some(twice)} is labelled in two files", where="labels", remedy="Say with --labels which counts"
            )
        found.update(each.found)
    classes = dict.fromkeys(name for each in sets for name in each.classes)
    return LabelSet(found, list(classes), [fault for each in sets for fault in each.faults])


def _check(labels: LabelSet, needs: Needs, where: Path) -> None:
    """See that there is something to learn.

    Raises:
        DataError: if there is not.
    """
    things = list(labels.found.kept())
    if not things:
        raise DataError("labels nothing in any picture: there is nothing to learn", where=where)
    having = [thing for thing in things if _has(thing, needs)]
    if not having:
        held = next(each for each in get_args(Needs) if any(_has(thing, each) for thing in things))
        words, remedy = LACKS[needs]
        raise DataError(f"holds {LACKS[held][0]}, but no {words}", where=where, remedy=f"{remedy}. {OTHERS[held]}")
    if len(having) < len(things) and needs == "masks":
        note(f"{several(len(things) - len(having), 'thing')} without a mask count as nothing")
    if needs == "masks" and all(_is_full(found) for found in labels.found.values()):
        raise DataError("has one class only, which fills every picture: nothing can be told apart", where=where)
    if idle := sorted(set(labels.classes) - {each.thing.label for each in having}):
        note(f"Nothing is labelled {some(idle)}")


def _has(kept: Kept, needs: Needs) -> bool:
    return needs == "boxes" or (bool(kept.thing.points) if needs == "points" else kept.mask is not None)


def _is_full(found: Found) -> bool:
    """Whether one thing fills a picture."""
    return len({thing.label for thing in found.things}) == 1 and any(
        thing.mask is not None and bool(thing.mask.all()) for thing in found.things
    )


__all__ = ["Labelled", "is_coco", "label_places", "read_labelled"]
