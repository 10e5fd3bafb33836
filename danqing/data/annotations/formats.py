"""The formats of labels by name, and which of them a file or a folder is in."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from danqing.core.errors import DataError
from danqing.core.pictures.listing import files_in
from danqing.data.annotations.class_list import is_class_list
from danqing.data.annotations.label_set import Folder, LabelSet, text_of

Format = Literal["coco", "yolo", "voc", "labelme", "masks", "danqing"]


class Codec(NamedTuple):
    """How labels of a format are read and written."""

    read: Callable[[Path, Folder], LabelSet]
    write: Callable[[LabelSet, Path], list[Path]]


def _codec(name: str) -> Codec:
    """What the file of that name has."""
    module = import_module(f"danqing.data.annotations.{name}")
    return Codec(module.read, module.write)


CODECS: dict[str, Codec] = {name: _codec(name) for name in get_args(Format)}


def read_labels(place: Path, pictures: Path) -> LabelSet:
    """Read labels of any format that :func:`format_of` knows.

    Args:
        place: a COCO file, or a folder of the others' files.
        pictures: the folder of the pictures that they are for.

    Raises:
        DataError: if they are of no such format, or there are no pictures.
    """
    return CODECS[format_of(place)].read(place, Folder(pictures))


def format_of(place: Path) -> str:
    """Which format a file or a folder is in: told by the suffixes of what lies there.

    Raises:
        DataError: if it is none, or more than one.
    """
    if place.is_file() and place.suffix.lower() == ".json":
        return "coco"
    if not place.is_dir():
        raise DataError(
            "is no file or folder of labels", where=place, remedy="A COCO .json, or a folder of label files"
        )
    suffixes = {".txt": "yolo", ".xml": "voc", ".json": "labelme", ".png": "masks"}
    files = [each.file for each in files_in(place).found if not is_class_list(each.file)]
    kinds = {suffixes[each.suffix.lower()] for each in files if each.suffix.lower() in suffixes}
    if len(kinds - {"masks"}) == 1:  # what is drawn may lie beside
        (kind,) = kinds - {"masks"}
        told = [each for each in files if each.suffix.lower() == ".json"]
        return "danqing" if kind == "labelme" and not any(map(_is_labelme, told)) else kind
    if len(kinds) != 1:
        what = "holds label files of several kinds" if kinds else "holds no label files"
        raise DataError(what, where=place, remedy=f"Known: {', '.join(CODECS)}")
    return next(iter(kinds))


def _is_labelme(file: Path) -> bool:
    """Whether a JSON file has LabelMe's shapes; of danqing's own, none has."""
    try:
        return '"shapes"' in text_of(file)
    except (OSError, ValueError):
        return False


__all__ = ["CODECS", "Format", "format_of", "read_labels"]
