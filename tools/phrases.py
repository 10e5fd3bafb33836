"""Find what people are told, in the sources: the templates of messages, and which of them the phrase book lacks.

``python tools/phrases.py`` prints those that are missing, as JSON.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from danqing.core import errors
from danqing.core.phrases.book import BOOK

PACKAGE = Path(__file__).resolve().parents[1] / "danqing"
ERRORS = {each for each, value in vars(errors).items() if isinstance(value, type)} | {"Problem"}
PLACES = {"note": 0, "Progress": 2, "refuse": 2}  # calls that tell people something, and with which argument
VARIABLES = {"what", "remedy", "noun", "words"}


def templates(root: Path) -> dict[str, str]:
    """Each template, and the file that it was found in."""
    found: dict[str, str] = {}
    for file in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            for text in _told(node):
                found.setdefault(text, file.relative_to(root).as_posix())
    return found


def template_of(node: ast.AST) -> Iterator[str]:
    """The templates that an expression may be; of a choice, both."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    elif isinstance(node, ast.IfExp):
        yield from template_of(node.body)
        yield from template_of(node.orelse)


def _told(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name in ERRORS:
            for each in node.args[1:2] if name == "Problem" else node.args[:1]:
                yield from template_of(each)
            for keyword in node.keywords:
                if keyword.arg in ("what", "remedy", "detail"):
                    yield from template_of(keyword.value)
        elif name in PLACES:
            at = PLACES[name]
            yield from (text for each in node.args[at : at + 1] for text in template_of(each))
    elif isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id in VARIABLES for t in node.targets):
        yield from template_of(node.value)
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id in VARIABLES:
        yield from template_of(node.value) if node.value is not None else ()
    elif isinstance(node, ast.FunctionDef) and _yields_lines(node):
        for inner in ast.walk(node):
            if isinstance(inner, ast.Yield) and inner.value is not None:
                yield from (text for text in template_of(inner.value) if " " in text.strip())
    elif isinstance(node, ast.FunctionDef) and node.name == "expected":
        for inner in ast.walk(node):
            if isinstance(inner, ast.Return) and inner.value is not None:
                yield from template_of(inner.value)


def _yields_lines(node: ast.FunctionDef) -> bool:
    """Whether a function is said to give texts one after the other, as advice comes."""
    return node.returns is not None and ast.unparse(node.returns) == "Iterator[str]"


def missing() -> dict[str, str]:
    """What the book lacks, but for what is told to those who make danqing's own weights."""
    known = json.loads(BOOK.read_text("utf-8"))
    told = {text: file for text, file in templates(PACKAGE).items() if not file.startswith("zoo/")}
    return {text: file for text, file in told.items() if text not in known and _says_something(text)}


def _says_something(text: str) -> bool:
    """Whether a template has words of its own, by which it can be told from others: ``{} for {}`` fits anything."""
    return len(re.findall(r"[A-Za-z]{2,}", text)) > 1 if "{}" in text else bool(text.strip())


if __name__ == "__main__":
    json.dump(missing(), sys.stdout, indent=0, ensure_ascii=False)
