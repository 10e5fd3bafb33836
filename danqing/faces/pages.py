"""Help pages: drawn from docstrings and fields, to be read with pleasure."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import click
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

WIDEST = 100
HEADINGS = ("Args", "Attributes", "Returns", "Yields", "Raises", "Source", "Example", "Examples")


class Row(NamedTuple):
    """One line of a help page: what is typed, what it may be, and the words about it."""

    name: str
    values: str
    words: str
    note: str = ""


class Document(NamedTuple):
    """A docstring taken apart: first sentence, the paragraphs after it, and its sections by heading."""

    summary: str
    paragraphs: list[str]
    sections: dict[str, str]


def document(doc: str) -> Document:
    """Take a docstring apart."""
    head = re.compile(rf"^({'|'.join(HEADINGS)}):[ \t]*", re.M)
    starts = list(head.finditer(doc))
    sections = {
        here[1]: doc[here.end() : after.start() if after else len(doc)].strip("\n")
        for here, after in zip(starts, [*starts[1:], None], strict=True)
    }
    prose = doc[: starts[0].start() if starts else len(doc)]
    summary, *paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", prose.strip())] or [""]
    return Document(summary, paragraphs, sections)


class Page(click.Command):
    """A command whose help is a page of ours, drawn from the docstring ``doc``."""

    doc: str = ""

    def rows(self, ctx: click.Context) -> dict[str, list[Row]]:
        """Lines by heading; here all options that say what they are for."""
        options = [each for each in self.get_params(ctx) if isinstance(each, click.Option)]
        return {"Options": [row_of(option) for option in options if option.help]}

    def get_help(self, ctx: click.Context) -> str:
        told = document((self.doc or self.help or "").replace("``", ""))
        usage = Text.assemble((ctx.command_path, "bold cyan"), " ", " ".join(self.collect_usage_pieces(ctx)))
        parts: list[RenderableType] = [usage, "", Padding(told.summary, (0, 0, 1, 2))]
        parts += [Padding(paragraph, (0, 0, 1, 2)) for paragraph in told.paragraphs]
        for heading, rows in self.rows(ctx).items():
            parts += section(heading, rows)
        parts += _prose(told.sections)
        return drawn(parts)


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
        said = row.words[:1].upper() + row.words[1:].replace("``", "")
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


def row_of(option: click.Option) -> Row:
    """A line for an option that no field stands behind."""
    name = ", ".join(reversed(option.opts)) if len(option.opts) > 1 else option.opts[0]
    values = "" if option.is_flag else (option.metavar or option.type.name.upper())
    note = f"[{option.default}]" if option.show_default else ""
    return Row(name, values, option.help or "", note)


def _prose(sections: dict[str, str]) -> list[RenderableType]:
    """What a docstring says of the result, its origin and its use."""
    parts: list[RenderableType] = []
    for heading, title in (("Returns", "Result"), ("Source", "Source")):
        words = " ".join(sections.get(heading, "").split())
        if words not in ("", "danqing."):  # our own idea needs no line
            parts += [Text(title, "bold"), Padding(words, (0, 0, 1, 2))]
    examples = sections.get("Examples", sections.get("Example", ""))
    lines: list[Any] = [Text(line.strip(), "green", overflow="fold") for line in examples.splitlines() if line.strip()]
    return [*parts, Text("Examples", "bold"), Padding(Group(*lines), (0, 0, 1, 2))] if lines else parts
