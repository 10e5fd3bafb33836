"""JSON values as people like to read them: tables as wide as their screen, and no wider."""

from __future__ import annotations

import math
import unicodedata
from typing import Any

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from danqing.core.learned.score_words import as_read

GAP = 2  # blanks between columns
WORD = 20  # cells: longer words, such as paths and hashes, are broken where there is no room
SENTENCE = 4  # blanks in a text that tells something in a sentence


def legible(text: object) -> str:
    """Any text on one line: newlines, escapes and bytes that are no UTF-8, as file names may have, are spelt out."""
    return "".join(_spelt(character) for character in str(text))


def table_of(value: Any, width: int = 80) -> RenderableType:
    """JSON values as people like to read them, ``width`` cells wide."""
    if isinstance(value, dict):
        return _pairs(as_read(value), width)
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        value = [as_read(row) for row in value]
        flat = not any(isinstance(each, dict) for row in value for each in row.values())
        return _rows(value, width) if flat else _one_below_another(value, width)
    if isinstance(value, list) and any(isinstance(each, dict | list) for each in value):
        return Group(*(table_of(each, width) for each in value))
    if isinstance(value, list):
        return Text(" ".join(map(_figure, value)))
    return Text(_figure(value))


def _pairs(value: dict[str, Any], width: int) -> RenderableType:
    grid = Table.grid(padding=(0, GAP))
    grid.add_column(style="cyan", no_wrap=True)
    grid.add_column(overflow="fold")
    names = [legible(name) for name in value]
    left = width - max(map(cell_len, names), default=0) - 2 * GAP
    for name, each in zip(names, value.values(), strict=True):
        grid.add_row(name, table_of(each, left))
    return grid


def _rows(rows: list[dict[str, Any]], width: int) -> RenderableType:
    """One table; where it has no room, sentences and what all rows share are below it, or rows below one another."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    if _room(rows, names) <= width:
        return _table(rows, names)
    shared = {name: rows[0].get(name) for name in names[1:] if len(rows) > 1 and _is_shared(rows, name)}
    names = [name for name in names if name not in shared]
    sentences = [name for name in names[1:] if any(_is_sentence(row.get(name)) for row in rows)]
    names = [name for name in names if name not in sentences]
    if len(names) < 2 or _room(rows, names) > width:
        return _one_below_another(rows, width)
    told = [_told_once(rows, names[0], each) for each in sentences]
    below = [_pairs(each, width) for each in (*told, shared) if each]
    return Group(_table(rows, names), *(Padding(each, (1, 0, 0, 0)) for each in below))


def _one_below_another(rows: list[dict[str, Any]], width: int) -> RenderableType:
    return Group(*(Padding(_pairs(row, width), (1 if at else 0, 0, 0, 0)) for at, row in enumerate(rows)))


def _table(rows: list[dict[str, Any]], names: list[str]) -> Table:
    table = Table(box=None, padding=(0, GAP, 0, 0), header_style="bold", show_edge=False)
    for name in names:
        number = all(isinstance(row.get(name), int | float | None) for row in rows)
        table.add_column(legible(name), justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(table_of(row.get(name)) for name in names))
    return table


def _room(rows: list[dict[str, Any]], names: list[str]) -> int:
    """The width below which a table breaks its words."""
    return sum(max(_longest(name), *(_longest(row.get(name)) for row in rows)) + GAP for name in names)


def _longest(value: Any) -> int:
    words = map(_figure, value) if isinstance(value, list) else _figure(value).split()
    return max((min(cell_len(word), WORD) for word in words), default=0)


def _is_shared(rows: list[dict[str, Any]], name: str) -> bool:
    """Whether all rows have the same there, which is no measure."""
    return all(name in row and row[name] == rows[0][name] and not isinstance(row[name], float) for row in rows)


def _is_sentence(value: Any) -> bool:
    return isinstance(value, str) and value.count(" ") >= SENTENCE


def _told_once(rows: list[dict[str, Any]], first: str, name: str) -> dict[str, Any]:
    """Each sentence of a column, beside what the first of the rows that have it is called."""
    told: dict[str, Any] = {}
    for row in rows:
        if row.get(name) and row[name] not in told.values():
            told[_figure(row.get(first))] = row[name]
    return told


def _figure(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.5g}" if isinstance(value, float) and math.isfinite(value) else legible(value)


def _spelt(character: str) -> str:
    if "\udc80" <= character <= "\udcff":  # a byte of a file name that is no UTF-8
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character if unicodedata.category(character) not in ("Cc", "Cs") else repr(character)[1:-1]


__all__ = ["legible", "table_of"]
