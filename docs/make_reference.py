"""Write docs/reference.md from signatures and docstrings: every command, every family, every training option."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from danqing.core.fields.form import Field
from danqing.core.menu import families, operators, tasks
from danqing.core.operators.operator import operator_named
from danqing.core.operators.task import Task, task_named
from danqing.training.config import family_fields
from danqing.training.options import option_fields

PAGE = Path(__file__).with_name("reference.md")
HEAD = """# Command reference

Written by `make docs` from the signatures and docstrings; do not edit. Every operator below is also a Python function
(`danqing.NAME`) with the same parameters. `danqing COMMAND --help` shows the same, with the options that all commands
share.
"""


def reference() -> str:
    """The whole page."""
    lines = [HEAD]
    group = ""
    for entry in operators().values():
        if entry.group != group:
            group = entry.group
            lines += [f"## {group.capitalize()}", ""]
        lines += _task(operator_named(entry.name))
    lines += ["## Train", "", "`danqing train FAMILY PICTURES` with the family's own parameters:", ""]
    for entry in families().values():
        lines += [f"### {entry.name}", "", entry.summary, "", *_table(family_fields(entry.name)), ""]
    lines += ["### Options of every family", "", *_table(option_fields()), ""]
    lines += ["## Look, repeat", "", "Commands beside the operators:", ""]
    for name in tasks():
        if not task_named(name).children():
            lines += _task(task_named(name))
    return "\n".join(lines)


def _task(task: Task[..., Any]) -> Iterator[str]:
    yield from (f"### {task.name}", "", task.summary, "")
    yield from (line for paragraph in task.words.paragraphs for line in (paragraph, ""))
    if task.words.examples:
        yield from ("```bash", *task.words.examples, "```", "")
    yield from _table(task.form)
    yield ""


def _table(fields: Iterable[Field]) -> list[str]:
    rows = [
        f"| `{field.name.strip('_').replace('_', '-')}` | {_kind(field)} | {_default(field)} | {field.words} |"
        for field in fields
    ]
    return ["| parameter | what | default | |", "|---|---|---|---|", *rows] if rows else ["No parameters.", ""]


def _kind(field: Field) -> str:
    return ", ".join(map(str, field.kind.choices())) or field.kind.expected()


def _default(field: Field) -> str:
    return "required" if field.required else field.spelt_default


if __name__ == "__main__":
    PAGE.write_text(reference(), "utf-8")
    print(f"wrote {PAGE}")
