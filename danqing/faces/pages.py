"""Help pages: drawn from docstrings and fields, to be read with pleasure."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from danqing.core.words import Words

WIDEST = 100


class Row(NamedTuple):
    """One line of a help page: what is typed, what it may be, and the words about it."""

    name: str
    values: str
    words: str
    note: str = ""


def page(usage: Text, words: Words, rows: dict[str, list[Row]]) -> str:
    """Draw the page of a command.

    Args:
        usage: how it is called.
        words: of its docstring.
        rows: what can be given, by heading.
    """
    parts: list[RenderableType] = [usage, "", Padding(_plain(words.summary), (0, 0, 1, 2))]
    parts += [Padding(_plain(paragraph), (0, 0, 1, 2)) for paragraph in words.paragraphs]
    for heading, found in rows.items():
        parts += section(heading, found)
    for heading, told in (("Result", words.returns), ("Source", words.source)):
        if told not in ("", "danqing."):  # our own idea needs no line
            parts += [Text(heading, "bold"), Padding(_plain(told), (0, 0, 1, 2))]
    lines = [Text(line, "green", overflow="fold") for line in words.examples]
    return drawn([*parts, Text("Examples", "bold"), Padding(Group(*lines), (0, 0, 1, 2))] if lines else parts)


def section(heading: str, rows: Iterable[Row], widths: tuple[int, int] = (16, 18)) -> list[RenderableType]:
    """A heading and its lines; nothing when there are none."""
    rows = list(rows)
    if not rows:
        return []
    table = Table.grid(padding=(0, 2))
    table.add_column(style="cyan", no_wrap=True, min_width=widths[0])
    if any(row.values for row in rows):
        table.add_column(style="yellow", max_width=24, min_width=widths[1])
    table.add_column(ratio=1)
    for row in rows:
        said = _plain(row.words[:1].upper() + row.words[1:])
        words = Text.assemble(said, (f"{' ' if said else ''}{row.note}", "dim"))
        table.add_row(row.name, *([row.values] if any(each.values for each in rows) else []), words)
    return [Text(heading, "bold"), Padding(table, (0, 0, 1, 2))]


def drawn(parts: Sequence[RenderableType]) -> str:
    """Draw a page for the terminal at hand."""
    width = min(WIDEST, Console(file=sys.stdout).width)
    page = Console(
        file=io.StringIO(), width=width, force_terminal=sys.stdout.isatty(), highlight=False, emoji=False, markup=False
    )
    page.print(Group(*parts))
    return "\n".join(line.rstrip() for line in page.file.getvalue().rstrip().splitlines())  # type: ignore[attr-defined]


def _plain(text: str) -> str:
    return text.replace("``", "")
