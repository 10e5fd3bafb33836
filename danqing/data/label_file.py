"""Label files: given by hand, or lying beside the pictures."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from pathlib import Path
from typing import NamedTuple

from danqing.core.errors import DataError
from danqing.core.pictures.names import some
from danqing.data.label_table import FOUND


class LabelFile(NamedTuple):
    """A label file: its contents, what messages call it, and the folder, with a slash, that its names begin at."""

    raw: bytes
    where: str
    base: str = ""


def read_label_file(file: str | Path) -> LabelFile:
    """Read the label file that was given.

    Raises:
        DataError: if it cannot be read.
    """
    if Path(file).is_dir():
        remedy = "Labels of things in pictures are for danqing train detector, segmenter or keypoints"
        raise DataError("is a folder, not a CSV or JSON file of labels", where=file, remedy=remedy)
    try:
        return LabelFile(Path(file).read_bytes(), str(file))
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", where=file) from error


def label_file_name(names: Iterable[str], where: object = "") -> str | None:
    """Which of the files of a set tells the labels: one that lies at the top, or in the folder that holds all else.

    Raises:
        DataError: if there are several.
    """
    listed = list(names)
    tops = {name.partition("/")[0] for name in listed}
    homes = ("", *(f"{top}/" for top in tops if len(tops) == 1))
    wanted = {f"{home}{name}".casefold(): at for at, (home, name) in enumerate(product(homes, FOUND))}
    found = sorted((name for name in listed if name.casefold() in wanted), key=lambda name: wanted[name.casefold()])
    if len(found) > 1:
        raise DataError(f"holds several label files: {some(found)}", where=where, remedy="Say which with --labels")
    return found[0] if found else None
