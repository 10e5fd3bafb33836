"""Labels of pictures: from a CSV or JSON file beside them, or from the folders they lie in."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from danqing.core.errors import DataError
from danqing.core.pictures.names import several, some

FOUND = ("labels.csv", "labels.json", "dataset.json")  # the last is StyleGAN's name for it
FILE_COLUMNS = ("file", "filename", "file_name", "path", "image", "picture", "name")
LABEL_COLUMNS = ("label", "class", "category")
Name = PurePosixPath


def folder_labels(names: Sequence[str]) -> list[str] | None:
    """Take the class of each picture from its folder, or None where the folders say nothing.

    Folders are classes when, below the folder that all pictures share, every picture lies in one of two or more.
    """
    parts = [Name(name).parts[:-1] for name in names]
    depth = 0
    while all(len(part) > depth for part in parts):
        found = [part[depth] for part in parts]
        if len(set(found)) > 1:
            return found
        depth += 1
    return None


def table_labels(names: Sequence[str], raw: bytes, where: str) -> tuple[list[str] | None, list[str]]:
    """Take the class of each picture from a label file; say what in it matches no picture.

    Args:
        names: the pictures, as paths relative to their folder.
        raw: a CSV with the columns ``file,label``, a JSON ``{"file": label}``, or StyleGAN's
            ``{"labels": [["file", label], …]}``. A file is named by its path, or by its bare name where that is unique.
        where: the label file, for messages.

    Returns:
        The labels, None where the file says that there are none, and remarks for people.

    Raises:
        DataError: if the file cannot be read, or leaves a picture without a label.
    """
    table = _parse(raw, where)
    if table is None:
        return None, []
    by_path = {_normal(file): label for file, label in table}
    bare = Counter(Name(name).name for name in names)
    labels = [by_path.get(name, by_path.get(Name(name).name) if bare[Name(name).name] == 1 else None) for name in names]
    missing = [name for name, label in zip(names, labels, strict=True) if label is None]
    if missing:
        raise DataError(
            f"has no label for {len(missing):,} of {several(len(names), 'picture')}: {some(missing)}",
            where=where,
            remedy="Add them, or move those pictures elsewhere",
        )
    known = {*names, *(Name(name).name for name in names)}
    idle = [file for file in by_path if file not in known]
    remarks = [f"No picture for {several(len(idle), 'label')}: {some(idle)}"] if idle else []
    return [label for label in labels if label is not None], remarks


def _parse(raw: bytes, where: str) -> list[tuple[str, str]] | None:
    try:
        text = raw.decode("utf-8-sig")
        return _from_json(json.loads(text), where) if text.lstrip()[:1] in ("{", "[") else _from_csv(text, where)
    except (ValueError, csv.Error) as error:  # bad UTF-8 and bad JSON are ValueErrors too
        raise DataError(f"is not a readable CSV or JSON file ({error})", where=where) from error


def _from_json(found: Any, where: str) -> list[tuple[str, str]] | None:
    if isinstance(found, dict) and "labels" in found and (found["labels"] is None or isinstance(found["labels"], list)):
        found = found["labels"]
    if found is None:
        return None
    rows = list(found.items()) if isinstance(found, dict) else found
    if not all(isinstance(row, list | tuple) and len(row) == 2 and _is_label(row[1]) for row in rows):
        raise DataError(
            "must be {file: label} or {labels: [[file, label], …]}, a label a name or a number", where=where
        )
    return [(str(file), str(label)) for file, label in rows]


def _is_label(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _from_csv(text: str, where: str) -> list[tuple[str, str]]:
    rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    file = next((header.index(name) for name in FILE_COLUMNS if name in header), None)
    label = next((header.index(name) for name in LABEL_COLUMNS if name in header), None)
    if file is None or label is None:
        raise DataError("must begin with a line that names the columns file,label", where=where)
    if short := next((at for at, row in enumerate(rows, 1) if len(row) <= max(file, label)), 0):
        raise DataError(f"its line {short} has too few columns", where=where)
    return [(row[file].strip(), row[label].strip()) for row in rows[1:]]


def _normal(file: str) -> str:
    return str(Name(file.replace("\\", "/")))
