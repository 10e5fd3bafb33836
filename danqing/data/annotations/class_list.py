"""The names of classes that label files only number: a classes.txt, or YOLO's data.yaml."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from danqing.core.errors import DataError
from danqing.data.annotations.label_set import text_of

CLASSES = "classes.txt"  # one name a line
SETTINGS = ("data.yaml", "data.yml")  # of a whole set, as YOLO's programs write them
FLOORS = 3  # folders in which that may lie: that of the labels, and two around it
MOST = 100_000  # classes: a larger number is none of a class


def is_class_list(file: Path) -> bool:
    """Whether a file is called as one that names classes, in whatever case."""
    return file.name.lower() == CLASSES


def listed_classes(place: Path) -> list[str]:
    """The names in the classes.txt of a folder, or of the one around it, or else in a data.yaml; none without these.

    The place of a line is the number of its class, so that an empty one counts, but at the end.

    Raises:
        DataError: if it cannot be read.
    """
    beside = (file for folder in (place, place.parent) if folder.is_dir() for file in sorted(folder.iterdir()))
    file = next((each for each in beside if is_class_list(each) and each.is_file()), None)
    if file is not None:
        return [line.strip() for line in _text(file).rstrip().splitlines()]
    around = [place.absolute(), *place.absolute().parents][:FLOORS]
    told = (folder / name for folder in around for name in SETTINGS)
    return next((names_in(_text(each)) for each in told if each.is_file()), [])


def names_in(text: str) -> list[str]:
    """The names that a data.yaml lists, as a list or as a table by number; none if it lists none."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError:
        return []
    found = content.get("names") if isinstance(content, dict) else None
    if isinstance(found, list):
        found = dict(enumerate(found))
    if not isinstance(found, dict) or not all(isinstance(key, int) and 0 <= key < MOST for key in found):
        return []
    return [str(found.get(at, "")) for at in range(max(found, default=-1) + 1)]


def check_names(names: Sequence[str], where: Path) -> None:
    """See that each name fits on a line of its own.

    Raises:
        DataError: naming the first that does not.
    """
    for name in names:
        if not name.strip() or name != name.strip() or not name.isprintable():
            remedy = "Call it otherwise, or write COCO or LabelMe"
            raise DataError(f"cannot hold a class that is called {name!r}", where=where, remedy=remedy)


def _text(file: Path) -> str:
    try:
        return text_of(file)
    except (OSError, ValueError) as error:
        raise DataError(f"cannot be read ({error})", where=file) from error


__all__ = ["CLASSES", "check_names", "is_class_list", "listed_classes", "names_in"]
