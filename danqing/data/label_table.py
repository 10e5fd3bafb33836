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
from danqing.core.pictures.names import READABLE, shown, some
from danqing.data.label_words import plain_label

FOUND = ("labels.csv", "labels.tsv", "labels.json", "dataset.json")  # the last is StyleGAN's name for it
FILE_COLUMNS = ("file", "filename", "file_name", "path", "filepath", "image", "picture", "name")
LABEL_COLUMNS = ("label", "class", "category")
DELIMITERS = ",;\t|"
MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))  # of byte order
Rows = list[tuple[str, str]]


class _Row(NamedTuple):
    """A name with its label as they are written, and their line; 0 where lines tell nothing."""

    file: str
    label: str
    line: int = 0


class Table(NamedTuple):
    """What a label file says: names of files with their labels, None where it says that there are none; and notes."""

    rows: Rows | None
    notes: list[str]


def read_table(raw: bytes, where: str, is_known: Callable[[str], bool]) -> Table:
    """Read a label file.

    A CSV may be separated by commas, semicolons, tabs or bars. Its first line names the columns file and label (or
    filename, path, image …; class, category); without such a line it has two columns, of which one holds the pictures.
    Spaces around labels, and what cannot be seen in them, do not count.

    Args:
        raw: its contents.
        where: its name, for messages.
        is_known: whether a name is that of a picture.

    Raises:
        DataError: if it cannot be read, or a label holds a control character.
    """
    try:
        text, encoding = text_in(raw)
        is_json = text.lstrip()[:1] in ("{", "[")
        rows = _from_json(text, where) if is_json else _from_csv(text, where, is_known)
    except (ValueError, csv.Error, RecursionError) as error:
        raise DataError(f"is not a readable CSV or JSON file ({error})", where=where) from error
    notes = [f"{where}: {guessed(encoding)}"] if encoding else []
    if rows is None:
        return Table(None, notes)
    labels = [_plain(row, where) for row in rows]
    changed = [label for label, row in zip(labels, rows, strict=True) if label != row.label]
    if changed:
        words = f"Invisible marks and unusual spaces in labels do not count: {some(dict.fromkeys(changed))}"
        notes.append(f"{where}: {words}")
    return Table([(row.file, label) for label, row in zip(labels, rows, strict=True)], notes)


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


def _plain(row: _Row, where: str) -> str:
    try:
        return plain_label(row.label)
    except ValueError as error:
        what = f"has a control character in the label of {shown(row.file)}: {error}"
        if row.line:
            what = f"its line {row.line} has a control character in the label: {error}"
        raise DataError(what, where=where, remedy="Take that character out") from error


def _from_json(text: str, where: str) -> list[_Row] | None:
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


def _row(item: Any) -> _Row | None:
    """A file and its label, from a pair or from an object with such members."""
    if isinstance(item, _Pairs):
        named = {key.strip().lower(): value for key, value in item}
        item = [_first(named, FILE_COLUMNS), _first(named, LABEL_COLUMNS)]
    if not isinstance(item, list | tuple) or len(item) != 2 or not isinstance(item[0], str):
        return None
    label = item[1]
    if label is not None and (isinstance(label, bool) or not isinstance(label, str | int)):
        return None
    return _Row(item[0], "" if label is None else str(label).strip())


def _first(named: dict[str, Any], columns: tuple[str, ...]) -> Any:
    return next((named[name] for name in columns if name in named), None)


def _from_csv(text: str, where: str, is_known: Callable[[str], bool]) -> list[_Row]:
    lines = text.splitlines(keepends=True)
    if lines and lines[0].lower().startswith("sep="):  # what Excel writes for itself
        text = "".join(lines[1:])
    text = text.replace("\n\ufeff", "\n")  # where several files were put one behind the other
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
    return [_Row(row[file].strip(), row[label].strip(), at) for at, row in rows[first:]]


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
