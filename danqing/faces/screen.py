"""What a command says to people and to programs: results on standard output, all else on standard error."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Column
from rich.text import Text

from danqing.core.errors import DanqingError
from danqing.core.progress import Progress, Show
from danqing.faces.tables import legible, table_of

PATIENCE = 0.4  # seconds before a bar is shown: quick work needs none
SILENCE = 10.0  # seconds between lines of progress where there is no terminal


class FilesFailed(Exception):
    """Some files failed: told already, exit code 1."""


@dataclass(frozen=True)
class Screen:
    """Where a command speaks.

    Attributes:
        quiet: only errors are told.
        json: results are for programs.
    """

    quiet: bool = False
    json: bool = False

    def say(self, *what: RenderableType) -> None:
        """Tell people something, beside the results."""
        if not self.quiet:
            self.insist(*what)

    def insist(self, *what: RenderableType) -> None:
        """Tell people something even when asked to be quiet: what went wrong."""
        for each in what:
            _print(errors(), each)

    def give(self, value: Any, look: RenderableType | None = None) -> None:
        """Hand over a result: as JSON to programs, as ``look`` (or a table) to people at a terminal."""
        if self.json or (look is None and not sys.stdout.isatty()):
            print(as_json(value))
        else:
            console = results()
            _print(console, table_of(value, console.width) if look is None else look)

    @contextmanager
    def bar(self) -> Iterator[Show]:
        """Show Progress while a job runs: a bar at a terminal, now and then a line elsewhere."""
        if self.quiet:
            yield lambda progress: None
        elif errors().is_terminal:
            with _bar() as show:
                yield show
        else:
            yield _lines()


def results() -> Console:
    """The console of results."""
    return Console(file=sys.stdout, highlight=False, emoji=False, markup=False)


def errors() -> Console:
    """The console of everything else."""
    return Console(file=sys.stderr, highlight=False, emoji=False, markup=False)


def as_json(value: Any) -> str:
    """JSON for programs; readable letters where the text has no stray bytes."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return text if _encodes(text) else json.dumps(value, indent=2, default=str)


def told(error: DanqingError) -> Text:
    """An error as one block: what, where, and what to do about it."""
    lines = [Text.assemble(("✗ ", "bold red"), (legible(error.what), "bold"))]
    if error.where:
        lines.append(Text.assemble("  ", (legible(error.where), "cyan")))
    if error.remedy:
        lines.append(Text.assemble(("→ ", "bold red"), legible(error.remedy)))
    return Text("\n").join(lines)


def error_json(error: DanqingError) -> dict[str, str]:
    """An error for programs."""
    return {"kind": type(error).__name__, "what": error.what, "where": error.where, "remedy": error.remedy}


def news_of(progress: Progress) -> Text:
    """What a job has to tell at once, a mark before its first line."""
    return Text.assemble(("! ", "bold yellow"), "\n".join(map(legible, progress.news.split("\n"))))


def _print(console: Console, what: RenderableType) -> None:
    """Print without the blanks that tables end their lines with."""
    with console.capture() as captured:
        console.print(what, soft_wrap=isinstance(what, Text))
    lines = captured.get().splitlines()
    console.file.write("\n".join(line.rstrip(" ") for line in lines) + "\n")
    console.file.flush()


def _encodes(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


@contextmanager
def _bar() -> Iterator[Show]:
    from rich import progress as bars

    parts = (
        bars.TextColumn("{task.description}", markup=False, table_column=Column(ratio=1, no_wrap=True)),
        bars.BarColumn(bar_width=24),
        bars.TaskProgressColumn(),
        bars.TimeRemainingColumn(elapsed_when_finished=True),
    )
    display = bars.Progress(*parts, console=errors(), transient=True, expand=True)
    task = display.add_task("", total=None)
    began, share = time.monotonic(), 0.0

    def show(progress: Progress) -> None:
        nonlocal share
        if progress.news:
            display.console.print(news_of(progress), soft_wrap=True)
        if time.monotonic() - began > PATIENCE:
            display.start()
        now = progress.done / progress.total if progress.total else 0.0
        if now < share:  # another stage, which starts anew
            display.reset(task, total=None)
        share = now
        display.update(task, completed=progress.done, total=progress.total or None, description=legible(progress.words))

    try:
        yield show
    finally:
        display.stop()


def _lines() -> Show:
    told_at = time.monotonic()

    def show(progress: Progress) -> None:
        nonlocal told_at
        if progress.news:
            _print(errors(), news_of(progress))
        if time.monotonic() - told_at >= SILENCE:
            told_at = time.monotonic()
            share = f"{progress.done / progress.total:6.1%}  " if progress.total else ""
            errors().print(f"{share}{legible(progress.words)}", soft_wrap=True)

    return show


def short(path: Path) -> str:
    """A path as seen from here, where that is shorter."""
    try:
        inside = os.path.relpath(path)
    except ValueError:  # another drive
        return legible(path)
    return legible(min(inside, str(path), key=len))
