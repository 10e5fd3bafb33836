"""Label files: CSV, TSV or JSON, in whatever encoding and with whatever columns they come."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from danqing.core.errors import DataError
from danqing.core.pictures.listing import guessed
from danqing.core.pictures.name_encoding import decode_names
from danqing.core.pictures.names import READABLE

FOUND = ("labels.csv", "labels.tsv", "labels.json", "dataset.json")  # the last is StyleGAN's name for it
FILE_COLUMNS = ("file", "filename", "file_name", "path", "filepath", "image", "picture", "name")
LABEL_COLUMNS = ("label", "class", "category")
DELIMITERS = ",;\t|"
MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))  # of byte order
Rows = list[tuple[str, str]]


class Table(NamedTuple):
    """What a label file says: names of files with their labels, None where it says that there are none; and notes."""

    rows: Rows | None
    notes: list[str]


def read_table(raw: bytes, where: str, is_known: Callable[[str], bool]) -> Table:
    """Read a label file.

    A CSV may be separated by commas, semicolons, tabs or bars. Its first line names the columns file and label (or
    filename, path, image …; class, category); without such a line it has two columns, of which one holds the pictures.

    Args:
        raw: its contents.
        where: its name, for messages.
        is_known: whether a name is that of a picture.

    Raises:
        DataError: if it cannot be read.
    """
    try:
        text, encoding = text_in(raw)
        is_json = text.lstrip()[:1] in ("{", "[")
        rows = _from_json(text, where) if is_json else _from_csv(text, where, is_known)
    except (ValueError, csv.Error, RecursionError) as error:
        raise DataError(f"is not a readable CSV or JSON file ({error})", where=where) from error
    return Table(rows, [f"{where}: {guessed(encoding)}"] if encoding else [])


def text_in(raw: bytes) -> tuple[str, str]:
    """The text, and the encoding if it was guessed.

    Raises:
        ValueError: if it is not what a mark at its beginning says.
    """
    for mark, codec in MARKS:
        if raw.startswith(mark):
            return raw.decode(codec), ""
    try:
        return raw.decode(), ""
    except UnicodeDecodeError:
        lines, encoding = decode_names(raw.split(b"\n"))
        return "\n".join(lines), encoding


def _from_json(text: str, where: str) -> Rows | None:
    found = json.loads(text, object_pairs_hook=_Pairs)
    if isinstance(found, _Pairs) and {"images", "annotations"} <= dict(found).keys():
        remedy = "It is for danqing train detector, segmenter or keypoints"
        raise DataError(
            "is a COCO file: it says what is where in pictures, not of which class they are", where=where, remedy=remedy
        )
    if isinstance(found, _Pairs) and "labels" in dict(found):
        inner = dict(found)["labels"]
        found = inner if inner is None or isinstance(inner, list) else found
    if found is None:
        return None
    rows = [_row(item) for item in found] if isinstance(found, list) else []
    if not isinstance(found, list) or None in rows:
        raise DataError(
            "must be {file: label} or {labels: [[file, label], …]}, a label a name or a number", where=where
        )
    return [row for row in rows if row is not None]


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with all its members, those of one name too."""


def _row(item: Any) -> tuple[str, str] | None:
    """A file and its label, from a pair or from an object with such members."""
    if isinstance(item, _Pairs):
        named = {key.strip().lower(): value for key, value in item}
        item = [_first(named, FILE_COLUMNS), _first(named, LABEL_COLUMNS)]
    if not isinstance(item, list | tuple) or len(item) != 2 or not isinstance(item[0], str):
        return None
    label = item[1]
    if label is not None and (isinstance(label, bool) or not isinstance(label, str | int)):
        return None
    return item[0], "" if label is None else str(label).strip()


def _first(named: dict[str, Any], columns: tuple[str, ...]) -> Any:
    return next((named[name] for name in columns if name in named), None)


def _from_csv(text: str, where: str, is_known: Callable[[str], bool]) -> Rows:
    lines = text.splitlines(keepends=True)
    if lines and lines[0].lower().startswith("sep="):  # what Excel writes for itself
        text = "".join(lines[1:])
    for rows in _tables(text):
        columns = _columns(rows, is_known)
        if columns is not None:
            file, label, first = columns
            break
    else:
        what = "must begin with a line that names the columns file,label"
        raise DataError(what, where=where, remedy="Or give it two columns, one of them pictures of this set")
    if short := next((at for at, row in rows[first:] if len(row) <= max(file, label)), 0):
        raise DataError(f"its line {short} has too few columns", where=where)
    return [(row[file].strip(), row[label].strip()) for _, row in rows[first:]]


def _tables(text: str) -> Iterator[list[tuple[int, list[str]]]]:
    """The lines that are not empty, with their numbers, taken apart in every way; those that make two columns."""
    for delimiter in DELIMITERS:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
        if rows and len(rows[0][1]) > 1:
            yield rows


def _columns(rows: list[tuple[int, list[str]]], is_known: Callable[[str], bool]) -> tuple[int, int, int] | None:
    """Which column holds files, which labels, and which row is the first of them; None where nothing tells."""
    header = [cell.strip().lower() for cell in rows[0][1]]
    file = next((header.index(name) for name in FILE_COLUMNS if name in header), None)
    label = next((header.index(name) for name in LABEL_COLUMNS if name in header), None)
    if file is not None and label is not None:
        return file, label, 1
    if len(header) != 2:
        return None
    hits = [sum(len(row) == 2 and is_known(row[at].strip()) for _, row in rows) for at in range(2)]
    if not any(hits):
        return None
    file = int(hits[1] > hits[0])
    named = is_known(rows[0][1][file].strip()) or header[file].endswith(READABLE)
    return file, 1 - file, 0 if named else 1
