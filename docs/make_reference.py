"""Write docs/reference.md from the registry: every command with its parameters, every family, every training option."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from danqing.core.fields.form import Field
from danqing.core.menu import families, operator_named, operators
from danqing.core.operators.operator import Operator
from danqing.train.config import family_fields, option_fields

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
        lines += _operator(operator_named(entry.name))
    lines += ["## Train", "", "`danqing train FAMILY PICTURES` with the family's own parameters:", ""]
    for entry in families().values():
        lines += [f"### {entry.name}", "", entry.summary, "", *_table(family_fields(entry.name)), ""]
    lines += ["### Options of every family", "", *_table(option_fields()), ""]
    return "\n".join(lines)


def _operator(operator: Operator) -> Iterator[str]:
    document = inspect.getdoc(operator.function) or ""
    words = re.split(r"^(?:Args|Returns|Raises|Source|Examples):", document, maxsplit=1, flags=re.M)[0]
    examples = re.search(r"^Examples:\n((?:    .*\n?)+)", document + "\n", re.M)
    yield from (f"### {operator.name}", "", words.strip(), "")
    if examples:
        yield from ("```bash", inspect.cleandoc(examples[1]).strip(), "```", "")
    yield from _table(operator.form)
    yield ""


def _table(fields: Iterable[Field]) -> list[str]:
    rows = [
        f"| `{field.name.replace('_', '-')}` | {_kind(field)} | {_default(field)} | {field.words} |" for field in fields
    ]
    return ["| parameter | what | default | |", "|---|---|---|---|", *rows] if rows else ["No parameters.", ""]


def _kind(field: Field) -> str:
    if field.choices:
        return ", ".join(map(str, field.choices))
    return f"{field.kind} {field.range}" if field.range else field.weights.lower() or field.kind


def _default(field: Field) -> str:
    if field.required:
        return "required"
    return "" if field.default is None or field.default == "" else f"{field.default}"


if __name__ == "__main__":
    PAGE.write_text(reference(), "utf-8")
    print(f"wrote {PAGE}")
