"""What a docstring says, taken apart: the words of menus, help pages, forms and the command reference."""

from __future__ import annotations

import functools
import inspect
import re
from typing import Any, NamedTuple

from docstring_parser.common import DocstringExample, DocstringParam, DocstringReturns
from docstring_parser.google import DEFAULT_SECTIONS, GoogleParser, Section, SectionType

INLINE = re.compile(r"^(Source): *(.*?)(?=^[A-Z]\w+:\n|\Z)", re.M | re.S)
SOURCE = Section("Source", "source", SectionType.SINGULAR)


class Words(NamedTuple):
    """A docstring taken apart.

    Attributes:
        summary: its first sentence.
        paragraphs: what follows it, each on one line.
        arguments: what is said of each parameter.
        returns: what comes back.
        source: paper and equation, or danqing.
        examples: command lines.
    """

    summary: str
    paragraphs: tuple[str, ...]
    arguments: dict[str, str]
    returns: str
    source: str
    examples: tuple[str, ...]


def words_of(thing: Any) -> Words:
    """Take the docstring of a function or class apart."""
    return words_in(inspect.getdoc(thing) or "")


@functools.lru_cache(maxsize=512)
def words_in(text: str) -> Words:
    """Take a docstring apart."""
    found = GoogleParser([*DEFAULT_SECTIONS, SOURCE]).parse(INLINE.sub(_on_its_own_line, text))
    arguments = {each.arg_name: _line(each.description) for each in found.meta if isinstance(each, DocstringParam)}
    examples = [each.description or "" for each in found.meta if isinstance(each, DocstringExample)]
    lines = "\n".join(examples).replace("\\\n", " ").splitlines()
    return Words(
        _line(found.short_description),
        tuple(filter(None, (_line(part) for part in (found.long_description or "").split("\n\n")))),
        arguments,
        " ".join(_line(each.description) for each in found.meta if isinstance(each, DocstringReturns)),
        " ".join(_line(each.description) for each in found.meta if each.args[:1] == ["source"]),
        tuple(" ".join(line.split()) for line in lines if line.strip()),
    )


def _on_its_own_line(found: re.Match[str]) -> str:
    """A section whose words begin behind its heading, as the parser wants it."""
    return f"{found[1]}:\n    {_line(found[2])}\n\n"


def _line(text: str | None) -> str:
    return " ".join((text or "").split())


__all__ = ["Words", "words_in", "words_of"]
